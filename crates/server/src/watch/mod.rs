//! Seeing the server: what it counts, whether it is well, and what the operator is shown of it.

pub mod http;
pub mod notices;
pub mod observer;
pub mod pace;
pub mod process;
pub mod status;
pub mod store;
