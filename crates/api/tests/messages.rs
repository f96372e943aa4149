//! `messages.*`: one file for each method.

#[path = "rpc/messages/mod.rs"]
mod messages;
