//! Load for a server over its wire: a client, and the process of a server that it talks to.

pub mod client;
pub mod process;
