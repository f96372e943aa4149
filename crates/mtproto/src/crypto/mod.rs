//! Arithmetic of the protocol. Secrets are compared in constant time.

pub mod dh;
pub mod fixed_base;
pub mod ige;
pub mod keys;
pub mod native;

pub use dh::{DH_PRIME, G};
pub use fixed_base::power_of_g;
pub use keys::AuthKey;
pub use native::{RsaKey, modexp};

use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// SHA-1 of parts put together.
#[must_use]
pub fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    let mut hash = Sha1::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}

/// SHA-256 of parts put together.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}

/// Whether two secrets are equal; the time taken tells nothing but their lengths.
#[must_use]
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}
