//! `auth.*`: one file for each method, those that share a flow together.
#![allow(clippy::unwrap_used)]

#[path = "rpc/auth/mod.rs"]
mod auth;
#[path = "rpc/authenticator.rs"]
mod authenticator;
#[path = "rpc/srp.rs"]
mod srp;
