//! `users.*` over the one door.

#[path = "rpc/users/get_full_user.rs"]
mod get_full_user;
