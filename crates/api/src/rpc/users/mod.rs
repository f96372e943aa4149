//! `users.*`
pub mod get_users;
