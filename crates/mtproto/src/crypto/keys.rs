//! Authorization keys and what is derived from them (core.telegram.org/mtproto/description).

use super::ige::Ige;
use super::{sha1, sha256};

/// Which way a packet goes; decides which part of the key it uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// x = 0.
    ToServer,
    /// x = 8.
    ToClient,
}

impl Direction {
    fn x(self) -> usize {
        match self {
            Self::ToServer => 0,
            Self::ToClient => 8,
        }
    }

    /// The other one.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::ToServer => Self::ToClient,
            Self::ToClient => Self::ToServer,
        }
    }
}

/// A key of 256 bytes with its id.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthKey {
    secret: Box<[u8; 256]>,
    id: i64,
}

impl std::fmt::Debug for AuthKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AuthKey({:016x})", self.id)
    }
}

impl AuthKey {
    /// A key of these bytes.
    #[must_use]
    pub fn new(secret: [u8; 256]) -> Self {
        let hash = sha1(&[&secret]);
        let mut id = [0; 8];
        id.copy_from_slice(&hash[12..]);
        Self {
            secret: Box::new(secret),
            id: i64::from_le_bytes(id),
        }
    }

    /// A key of these bytes, if there are 256.
    #[must_use]
    pub fn from_slice(secret: &[u8]) -> Option<Self> {
        Some(Self::new(secret.try_into().ok()?))
    }

    /// The last 8 bytes of its SHA-1.
    #[must_use]
    pub fn id(&self) -> i64 {
        self.id
    }

    /// The first 8 bytes of its SHA-1.
    #[must_use]
    pub fn aux_hash(&self) -> [u8; 8] {
        let mut aux = [0; 8];
        aux.copy_from_slice(&sha1(&[&self.secret[..]])[..8]);
        aux
    }

    /// The bytes.
    #[must_use]
    pub fn secret(&self) -> &[u8; 256] {
        &self.secret
    }

    /// The long hash whose middle is the message key, of a plaintext with its padding.
    #[must_use]
    pub fn msg_key_large(&self, direction: Direction, padded: &[u8]) -> [u8; 32] {
        let x = direction.x();
        sha256(&[&self.secret[88 + x..120 + x], padded])
    }

    /// Key and IV of a packet with this message key.
    #[must_use]
    pub fn cipher(&self, direction: Direction, msg_key: &[u8; 16]) -> Ige {
        let x = direction.x();
        let a = sha256(&[msg_key, &self.secret[x..x + 36]]);
        let b = sha256(&[&self.secret[40 + x..76 + x], msg_key]);
        Ige {
            key: join(&[&a[..8], &b[8..24], &a[24..]]),
            iv: join(&[&b[..8], &a[8..24], &b[24..]]),
        }
    }

    /// Key and IV of a packet of MTProto 1 to the server; only `auth.bindTempAuthKey` uses it (EN-4).
    #[must_use]
    pub fn cipher_v1(&self, msg_key: &[u8; 16]) -> Ige {
        let k = &self.secret;
        let a = sha1(&[msg_key, &k[..32]]);
        let b = sha1(&[&k[32..48], msg_key, &k[48..64]]);
        let c = sha1(&[&k[64..96], msg_key]);
        let d = sha1(&[msg_key, &k[96..128]]);
        Ige {
            key: join(&[&a[..8], &b[8..20], &c[4..16]]),
            iv: join(&[&a[8..20], &b[..8], &c[16..20], &d[..8]]),
        }
    }
}

fn join(parts: &[&[u8]]) -> [u8; 32] {
    let mut joined = [0; 32];
    let mut at = 0;
    for part in parts {
        joined[at..at + part.len()].copy_from_slice(part);
        at += part.len();
    }
    joined
}

/// Key and IV of the handshake's middle, from both nonces (core.telegram.org/mtproto/auth_key).
#[must_use]
pub fn handshake_cipher(new_nonce: &[u8; 32], server_nonce: &[u8; 16]) -> Ige {
    let ns = sha1(&[new_nonce, server_nonce]);
    let sn = sha1(&[server_nonce, new_nonce]);
    let nn = sha1(&[new_nonce, new_nonce]);
    Ige {
        key: join(&[&ns, &sn[..12]]),
        iv: join(&[&sn[12..], &nn, &new_nonce[..4]]),
    }
}
