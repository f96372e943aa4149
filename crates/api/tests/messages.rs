//! `messages.*`: one file for each method.
// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used)]

#[path = "rpc/messages/mod.rs"]
mod messages;
#[path = "rpc/picture.rs"]
mod picture;
