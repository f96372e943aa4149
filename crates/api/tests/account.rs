//! `account.*`: one file for each method, those that share a flow together.
#![allow(clippy::unwrap_used)]

#[path = "rpc/account/mod.rs"]
mod account;
#[path = "rpc/authenticator.rs"]
mod authenticator;
#[path = "rpc/srp.rs"]
mod srp;
