//! Copies of official apps that talk to this server.
//!
//! Telegram Desktop and TDLib have public keys, addresses and ports compiled in. Here they are found in the bytes of
//! the program and overwritten in place, so nothing moves and the copy has the length of the original. What is not
//! found in a form that is known is refused: half a change would send an app to strangers, or nowhere.

mod addresses;
mod file;
mod keys;
mod ports;

use std::net::Ipv4Addr;

use anyhow::Result;

pub use file::rekey_file;

/// The server that a copy talks to.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its public key as PKCS#1 PEM, with or without a line break at the end.
    pub key_pem: String,
    /// Where it is. Only IPv4: apps keep addresses of both kinds and need both to lead here.
    pub host: Ipv4Addr,
    /// And on which port.
    pub port: u16,
}

/// What was found and overwritten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Public keys.
    pub keys: usize,
    /// Addresses that were IPv4.
    pub ipv4: usize,
    /// Addresses that were IPv6.
    pub ipv6: usize,
    /// Port numbers.
    pub ports: usize,
}

/// Bytes that take the place of as many others.
struct Patch {
    at: usize,
    bytes: Vec<u8>,
}

impl Patch {
    fn covers(&self, at: usize) -> bool {
        (self.at..self.at + self.bytes.len()).contains(&at)
    }
}

/// A copy of `original` that talks to `target`, and what is different in it.
///
/// # Errors
///
/// When the keys, addresses or ports are not there in a known form, or the target's do not fit in their places.
pub fn rekey(original: &[u8], target: &Target) -> Result<(Vec<u8>, Changes)> {
    let keys = keys::find(original, &target.key_pem)?;
    let addresses = addresses::find(original, target.host)?;
    let ports = ports::find(original, target.port)?;
    let changes = Changes {
        keys: keys.len(),
        ipv4: addresses.ipv4,
        ipv6: addresses.ipv6,
        ports: ports.len(),
    };
    let mut copy = original.to_vec();
    for patch in keys.iter().chain(&addresses.patches).chain(&ports) {
        copy[patch.at..patch.at + patch.bytes.len()].copy_from_slice(&patch.bytes);
    }
    Ok((copy, changes))
}

#[cfg(test)]
mod tests;
