//! The operator's way into a running server: a socket in the data folder that only its owner can open.
//!
//! One line asks, one line answers and ends the connection: `ok TEXT` or `error SENTENCE`.

pub mod client;
pub mod server;

/// Name of the socket in the data folder.
pub const SOCKET_NAME: &str = "admin.sock";

/// Longest line that either side reads.
const LINE_LEN_MAX: u64 = 4096;
