//! AES-256 in IGE mode: each block is mixed with the plain and the cipher block before it.

use aes::Aes256;
use aes::cipher::{Block, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

/// Key and both initial blocks.
#[derive(Clone)]
pub struct Ige {
    /// AES key.
    pub key: [u8; 32],
    /// Initial cipher block, then initial plain block.
    pub iv: [u8; 32],
}

fn halves(iv: &[u8; 32]) -> (u128, u128) {
    let half = |from: usize| {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&iv[from..from + 16]);
        u128::from_ne_bytes(bytes)
    };
    (half(0), half(16))
}

fn block(chunk: &[u8]) -> u128 {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(chunk);
    u128::from_ne_bytes(bytes)
}

impl Ige {
    /// Encrypts in place. A tail shorter than a block is left as it is: callers pad.
    pub fn encrypt(&self, data: &mut [u8]) {
        let aes = Aes256::new(&self.key.into());
        let (mut cipher, mut plain) = halves(&self.iv);
        for chunk in data.chunks_exact_mut(16) {
            let p = block(chunk);
            let mut b = Block::<Aes256>::from((p ^ cipher).to_ne_bytes());
            aes.encrypt_block(&mut b);
            cipher = block(&b) ^ plain;
            plain = p;
            chunk.copy_from_slice(&cipher.to_ne_bytes());
        }
    }

    /// Decrypts in place. A tail shorter than a block is left as it is.
    pub fn decrypt(&self, data: &mut [u8]) {
        let aes = Aes256::new(&self.key.into());
        let (mut cipher, mut plain) = halves(&self.iv);
        for chunk in data.chunks_exact_mut(16) {
            let c = block(chunk);
            let mut b = Block::<Aes256>::from((c ^ plain).to_ne_bytes());
            aes.decrypt_block(&mut b);
            plain = block(&b) ^ cipher;
            cipher = c;
            chunk.copy_from_slice(&plain.to_ne_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decrypting_is_the_inverse_and_errors_spread() {
        let ige = Ige {
            key: [7; 32],
            iv: std::array::from_fn(|i| i as u8),
        };
        let plain: Vec<u8> = (0..64).collect();
        let mut data = plain.clone();
        ige.encrypt(&mut data);
        assert_ne!(data, plain);
        let mut back = data.clone();
        ige.decrypt(&mut back);
        assert_eq!(back, plain);
        data[0] ^= 1;
        ige.decrypt(&mut data);
        assert!(data.chunks(16).zip(plain.chunks(16)).all(|(a, b)| a != b));
    }
}
