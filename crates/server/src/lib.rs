//! The shell: runtime, files, sockets, wall clock, randomness of the system.
//!
//! The binary `havre` is [`cli::main`]. Everything below this crate is told the time, given its entropy
//! and handed its bytes; this crate knows no rule of the protocol and no rule of messaging.

pub mod admin;
pub mod cli;
pub mod config;
pub mod data;
pub mod env;
pub mod files;
mod keys;
pub mod lanes;
pub mod limits;
pub mod mail;
pub mod net;
pub mod rekey;
pub mod serve;
pub mod store;
pub mod watch;
