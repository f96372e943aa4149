//! MTProto 2.0, sans-IO. Knows no socket, clock, entropy, API type.
//!
//! [`connection::Connection`] is one connection's server end, [`session::Session`] one session whatever
//! connections carry it; bytes, time and entropy come in as arguments, and both say what is to be done by
//! `poll`. Rules carry the ids of the tests that hold them: TR transports, HS handshake, EN packets, SV
//! service messages, RP calls.

pub mod bind;
pub mod bytes;
pub mod connection;
pub mod crypto;
pub mod handshake;
pub mod limits;
pub mod packet;
pub mod primes;
pub mod salts;
mod service;
pub mod session;
pub mod time;
pub mod transport;
