//! The public keys: PEM texts.

use anyhow::{Result, bail};
use memchr::memmem;

use super::Patch;

const BEGIN: &[u8] = b"-----BEGIN RSA PUBLIC KEY-----\n";
const END: &[u8] = b"-----END RSA PUBLIC KEY-----";

/// Length of a PEM text without its last line break, for every 2048-bit key with exponent 65537.
const PEM_LEN: usize = 425;

/// How the key begins that signs emergency lists of addresses, which apps read from the DNS when they reach no
/// server. It stays: with another in its place the lists of strangers would be refused just the same.
const EMERGENCY: &[u8] = b"MIIBCgKCAQEAyr+18Rex2ohtVy8sroGPBwXD3DOoKCSpjDqYoXgCqB7ioln4eDCF";

/// Overwrites every key of a server by `key_pem`. Keys of other lengths sign other things.
pub(super) fn find(original: &[u8], key_pem: &str) -> Result<Vec<Patch>> {
    let new = key_pem.trim_end().as_bytes();
    if new.len() != PEM_LEN || !new.starts_with(BEGIN) || !new.ends_with(END) {
        bail!("the server's key is not one of 2048 bits with exponent 65537");
    }
    let patches: Vec<Patch> = memmem::find_iter(original, BEGIN)
        .filter(|at| is_server_key(&original[*at..]))
        .map(|at| Patch {
            at,
            bytes: new.to_vec(),
        })
        .collect();
    if patches.is_empty() {
        bail!("it holds no public key of Telegram's servers as text");
    }
    Ok(patches)
}

fn is_server_key(text: &[u8]) -> bool {
    let whole = text.get(..PEM_LEN).is_some_and(|block| block.ends_with(END));
    whole && !text[BEGIN.len()..].starts_with(EMERGENCY)
}
