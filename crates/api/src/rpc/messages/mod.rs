//! `messages.*`
pub mod send_message;
mod sending;
