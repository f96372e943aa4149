//! `users.*` over the one door.
// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used)]

#[path = "rpc/users/get_full_user.rs"]
mod get_full_user;
