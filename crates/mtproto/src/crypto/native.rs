//! Raw RSA and constant-time exponentiation over AWS-LC: the project's only `unsafe`.
//!
//! Every pointer is made, used and freed inside one function or owned by one type; AWS-LC's objects used
//! here may be shared between threads for reading (its RSA documentation says so of `RSA`).
#![allow(unsafe_code)]

use std::ptr::{NonNull, null, null_mut};

use aws_lc_sys as sys;

/// Bytes of an RSA-2048 number.
pub const RSA_LEN: usize = 256;

/// An RSA key: private, or public only.
pub struct RsaKey {
    rsa: NonNull<sys::RSA>,
    modulus: Box<[u8; RSA_LEN]>,
    exponent: u32,
}

// SAFETY: `RSA` is reference-counted and locks what it caches; it is not changed after construction.
unsafe impl Send for RsaKey {}
// SAFETY: as above.
unsafe impl Sync for RsaKey {}

impl Drop for RsaKey {
    fn drop(&mut self) {
        // SAFETY: the pointer came from AWS-LC and is freed once.
        unsafe { sys::RSA_free(self.rsa.as_ptr()) }
    }
}

impl std::fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RsaKey({:016x})", self.fingerprint())
    }
}

/// A key that is not RSA-2048 in DER.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RSA key of 2048 bits in DER")]
pub struct NotRsa2048;

impl RsaKey {
    /// A private key in DER, PKCS#8 or PKCS#1.
    ///
    /// # Errors
    /// [`NotRsa2048`].
    pub fn from_private_der(der: &[u8]) -> Result<Self, NotRsa2048> {
        // SAFETY: the slice outlives the calls; what they return is owned by us, or null.
        let rsa = unsafe {
            let pkcs1 = sys::RSA_private_key_from_bytes(der.as_ptr(), der.len());
            if pkcs1.is_null() { parse_pkcs8(der) } else { pkcs1 }
        };
        Self::adopt(rsa)
    }

    /// A public key in PKCS#1 DER.
    ///
    /// # Errors
    /// [`NotRsa2048`].
    pub fn from_public_der(der: &[u8]) -> Result<Self, NotRsa2048> {
        // SAFETY: the slice outlives the call; what it returns is owned by us, or null.
        Self::adopt(unsafe { sys::RSA_public_key_from_bytes(der.as_ptr(), der.len()) })
    }

    fn adopt(rsa: *mut sys::RSA) -> Result<Self, NotRsa2048> {
        let rsa = NonNull::new(rsa).ok_or(NotRsa2048)?;
        let mut key = Self {
            rsa,
            modulus: Box::new([0; RSA_LEN]),
            exponent: 0,
        };
        let mut exponent = [0; 4];
        // SAFETY: `get0` lends numbers that live as long as the key; the writes are bounded by the
        // lengths given and fail when the number does not fit.
        let fits = unsafe {
            sys::RSA_size(rsa.as_ptr()) as usize == RSA_LEN
                && sys::BN_bn2bin_padded(key.modulus.as_mut_ptr(), RSA_LEN, sys::RSA_get0_n(rsa.as_ptr()))
                    == 1
                && sys::BN_bn2bin_padded(exponent.as_mut_ptr(), 4, sys::RSA_get0_e(rsa.as_ptr())) == 1
        };
        key.exponent = u32::from_be_bytes(exponent);
        if fits { Ok(key) } else { Err(NotRsa2048) }
    }

    /// The modulus, big-endian.
    #[must_use]
    pub fn modulus(&self) -> &[u8; RSA_LEN] {
        &self.modulus
    }

    /// The last 8 bytes of the SHA-1 of modulus and exponent as TL strings (HS-4).
    #[must_use]
    pub fn fingerprint(&self) -> i64 {
        use crate::bytes::Writer as _;
        let mut tl = Vec::new();
        tl.string(&self.modulus[..]);
        let exponent = self.exponent.to_be_bytes();
        let start = exponent.iter().position(|b| *b != 0).unwrap_or(3);
        tl.string(&exponent[start..]);
        let hash = super::sha1(&[&tl]);
        let mut id = [0; 8];
        id.copy_from_slice(&hash[12..]);
        i64::from_le_bytes(id)
    }

    /// The private operation without padding, blinded and in constant time. Nothing for a number that is
    /// not below the modulus, or for a key that is public only.
    #[must_use]
    pub fn decrypt_raw(&self, input: &[u8; RSA_LEN]) -> Option<[u8; RSA_LEN]> {
        self.operate(sys::RSA_decrypt, input)
    }

    /// The public operation without padding.
    #[must_use]
    pub fn encrypt_raw(&self, input: &[u8; RSA_LEN]) -> Option<[u8; RSA_LEN]> {
        self.operate(sys::RSA_encrypt, input)
    }

    fn operate(&self, operation: Operation, input: &[u8; RSA_LEN]) -> Option<[u8; RSA_LEN]> {
        if input >= &*self.modulus {
            return None;
        }
        let (mut output, mut len) = ([0; RSA_LEN], 0);
        // SAFETY: input and output are as long as said; the key is alive.
        let done = unsafe {
            operation(
                self.rsa.as_ptr(),
                &raw mut len,
                output.as_mut_ptr(),
                RSA_LEN,
                input.as_ptr(),
                RSA_LEN,
                sys::RSA_NO_PADDING,
            )
        };
        (done == 1 && len == RSA_LEN).then_some(output)
    }
}

type Operation =
    unsafe extern "C" fn(*mut sys::RSA, *mut usize, *mut u8, usize, *const u8, usize, i32) -> i32;

/// # Safety
/// None beyond that of the calls: they read within the slice.
unsafe fn parse_pkcs8(der: &[u8]) -> *mut sys::RSA {
    let mut cbs = sys::CBS { data: null(), len: 0 };
    // SAFETY: `cbs` reads within `der`; the key is freed after a reference of its own was taken.
    unsafe {
        sys::CBS_init(&raw mut cbs, der.as_ptr(), der.len());
        let key = sys::EVP_parse_private_key(&raw mut cbs);
        if key.is_null() {
            return null_mut();
        }
        let rsa = sys::EVP_PKEY_get1_RSA(key);
        sys::EVP_PKEY_free(key);
        rsa
    }
}

/// A big number of AWS-LC.
struct Big(NonNull<sys::BIGNUM>);

impl Big {
    fn from_be(bytes: &[u8]) -> Option<Self> {
        // SAFETY: reads within the slice; a null result means a new number.
        NonNull::new(unsafe { sys::BN_bin2bn(bytes.as_ptr(), bytes.len(), null_mut()) }).map(Self)
    }
}

impl Drop for Big {
    fn drop(&mut self) {
        // SAFETY: the pointer came from AWS-LC and is freed once; clearing it is for secrets.
        unsafe { sys::BN_clear_free(self.0.as_ptr()) }
    }
}

/// `base ^ exponent mod modulus`, all big-endian, in time that depends only on lengths. The modulus must
/// be odd; nothing when it is not, or when memory is out.
#[must_use]
pub fn modexp(base: &[u8], exponent: &[u8], modulus: &[u8; 256]) -> Option<[u8; 256]> {
    let (base, exponent, m) = (
        Big::from_be(base)?,
        Big::from_be(exponent)?,
        Big::from_be(modulus)?,
    );
    let result = Big::from_be(&[])?;
    let mut out = [0; 256];
    // SAFETY: all numbers are alive; the context is freed once; the write is bounded.
    let done = unsafe {
        let ctx = NonNull::new(sys::BN_CTX_new())?;
        let reduced = sys::BN_nnmod(base.0.as_ptr(), base.0.as_ptr(), m.0.as_ptr(), ctx.as_ptr()) == 1;
        let done = reduced
            && sys::BN_mod_exp_mont_consttime(
                result.0.as_ptr(),
                base.0.as_ptr(),
                exponent.0.as_ptr(),
                m.0.as_ptr(),
                ctx.as_ptr(),
                null(),
            ) == 1;
        sys::BN_CTX_free(ctx.as_ptr());
        done && sys::BN_bn2bin_padded(out.as_mut_ptr(), 256, result.0.as_ptr()) == 1
    };
    done.then_some(out)
}
