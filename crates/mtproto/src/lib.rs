//! MTProto 2.0, sans-IO, both roles. Knows no socket, clock, entropy, API type.
//!
//! [`connection::Connection`] is one connection's server end, [`session::Session`] one session whatever
//! connections carry it; [`client::ClientConnection`] is the other end, for tests and load. Bytes, time and
//! entropy come in as arguments, and each says by `poll` what is to be done. Rules carry the ids of the
//! tests that hold them: TR transports, HS handshake, EN packets, SV service messages, RP calls.

pub mod bind;
pub mod bytes;
pub mod client;
pub mod connection;
mod container;
pub mod crypto;
mod gzip;
pub mod handshake;
pub mod limits;
pub mod packet;
pub mod primes;
pub mod salts;
mod service;
pub mod session;
pub mod tally;
pub mod time;
pub mod transport;
