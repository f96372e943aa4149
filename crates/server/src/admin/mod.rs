//! The operator's way into a running server: a socket in the data folder that only its owner can open.
//!
//! One line asks; the answer, `ok TEXT` or `error SENTENCE`, ends with the connection.

pub mod client;
pub mod server;

/// Name of the socket in the data folder.
pub const SOCKET_NAME: &str = "admin.sock";

/// Longest question and longest answer that are read, bytes.
const LEN_MAX: u64 = 4096;
