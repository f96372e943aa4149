//! `channels.*`: one file for each method.
// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used)]

#[path = "rpc/channels/mod.rs"]
mod channels;
#[path = "rpc/picture.rs"]
mod picture;
