//! `updates.*`: the sequence of a box.
// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used)]

#[path = "rpc/updates/get_difference.rs"]
mod get_difference;
#[path = "rpc/updates/get_state.rs"]
mod get_state;
