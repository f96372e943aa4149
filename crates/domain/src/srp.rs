//! The server's side of SRP as two-step verification uses it (core.telegram.org/api/srp), in the group of
//! [`DH_PRIME`] and [`G`]. Numbers are 256 bytes, big-endian.

use havre_mtproto::crypto::{DH_PRIME, G, dh, equal, modexp, sha256};

/// A number of the group.
pub type Number = [u8; 256];

/// One step of a proof: the server's secret exponent.
#[derive(Clone)]
pub struct Step<'a> {
    /// Salts of the password.
    pub salts: (&'a [u8], &'a [u8]),
    /// g^x, where x is made of the password.
    pub verifier: &'a Number,
    /// The secret exponent, 64 bytes: the server's side may use a short one, as it is fresh for each step.
    pub secret: [u8; 64],
}

/// g as a number.
fn generator() -> Number {
    let mut g = [0; 256];
    g[252..].copy_from_slice(&G.to_be_bytes());
    g
}

/// A number of at most 256 bytes from the wire.
#[must_use]
pub fn number(bytes: &[u8]) -> Option<Number> {
    let mut number = [0; 256];
    number
        .get_mut(256_usize.checked_sub(bytes.len())?..)?
        .copy_from_slice(bytes);
    Some(number)
}

/// Whether a client's public number or verifier is one that a client would make: within the range that
/// clients demand of the server's.
#[must_use]
pub fn is_acceptable(number: &Number) -> bool {
    dh::is_in_range(number)
}

impl Step<'_> {
    /// The server's public number: k·v + g^b. Nothing when arithmetic fails, which is out of memory.
    #[must_use]
    pub fn public(&self) -> Option<Number> {
        let k = sha256(&[&DH_PRIME, &generator()]);
        let kv = Residue::of(&number(&k)?).times(Residue::of(self.verifier));
        let gb = modexp(&generator(), &self.secret, &DH_PRIME)?;
        Some(kv.plus(Residue::of(&gb)).number())
    }

    /// Whether `m1` proves, for the client's public number `a`, that the client knows the password.
    #[must_use]
    pub fn is_proved(&self, a: &Number, m1: &[u8]) -> Option<bool> {
        let b = self.public()?;
        let u = sha256(&[a, &b]);
        let vu = modexp(self.verifier, &u, &DH_PRIME)?;
        let base = Residue::of(a).times(Residue::of(&vu)).number();
        let shared = sha256(&[&modexp(&base, &self.secret, &DH_PRIME)?]);
        Some(equal(&self.proof(a, &b, &shared), m1))
    }

    fn proof(&self, a: &Number, b: &Number, shared: &[u8; 32]) -> [u8; 32] {
        let (hp, hg) = (sha256(&[&DH_PRIME]), sha256(&[&generator()]));
        let mixed: [u8; 32] = std::array::from_fn(|i| hp[i] ^ hg[i]);
        let (salt1, salt2) = (sha256(&[self.salts.0]), sha256(&[self.salts.1]));
        sha256(&[&mixed, &salt1, &salt2, a, b, shared])
    }
}

/// Limbs of a [`Residue`].
const LIMBS: usize = 32;

/// A number below the prime, least significant limb first. Sums and products take the same time whatever
/// the numbers are.
#[derive(Clone, Copy)]
struct Residue([u64; LIMBS]);

impl Residue {
    fn limbs(number: &Number) -> [u64; LIMBS] {
        let mut limbs = [0; LIMBS];
        for (limb, bytes) in limbs.iter_mut().zip(number.rchunks_exact(8)) {
            *limb = bytes.iter().fold(0, |n, b| n << 8 | u64::from(*b));
        }
        limbs
    }

    /// A number, less the prime when it is not below it: the prime's first bit is set, so once is enough.
    fn of(number: &Number) -> Self {
        Self::reduced(Self::limbs(number), 0)
    }

    fn number(self) -> Number {
        let mut number = [0; 256];
        for (bytes, limb) in number.rchunks_exact_mut(8).zip(self.0) {
            bytes.copy_from_slice(&limb.to_be_bytes());
        }
        number
    }

    /// `limbs + carry·2^2048`, less the prime when it is not below it.
    fn reduced(limbs: [u64; LIMBS], carry: u64) -> Self {
        let prime = Self::limbs(&DH_PRIME);
        let (mut less, mut borrow) = (limbs, false);
        for (limb, of_prime) in less.iter_mut().zip(prime) {
            (*limb, borrow) = limb.borrowing_sub(of_prime, borrow);
        }
        let take_less = u64::from(carry != 0 || !borrow).wrapping_neg();
        Self(std::array::from_fn(|i| {
            (less[i] & take_less) | (limbs[i] & !take_less)
        }))
    }

    fn plus(self, other: Self) -> Self {
        let (mut sum, mut carry) = (self.0, false);
        for (limb, more) in sum.iter_mut().zip(other.0) {
            (*limb, carry) = limb.carrying_add(more, carry);
        }
        Self::reduced(sum, u64::from(carry))
    }

    /// By doubling and adding.
    fn times(self, other: Self) -> Self {
        let mut product = Self([0; LIMBS]);
        for bit in (0..LIMBS * 64).rev() {
            product = product.plus(product);
            let more = product.plus(self);
            let take = (other.0[bit / 64] >> (bit % 64) & 1).wrapping_neg();
            product = Self(std::array::from_fn(|i| {
                (more.0[i] & take) | (product.0[i] & !take)
            }));
        }
        product
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The client's side, as core.telegram.org/api/srp describes it.
    fn client(step: &Step<'_>, x: &[u8; 32], a: &[u8; 256]) -> (Number, [u8; 32]) {
        let public = modexp(&generator(), a, &DH_PRIME).unwrap();
        let b = step.public().unwrap();
        let u = sha256(&[&public, &b]);
        let k = sha256(&[&DH_PRIME, &generator()]);
        let v = modexp(&generator(), x, &DH_PRIME).unwrap();
        let kv = Residue::of(&number(&k).unwrap()).times(Residue::of(&v));
        // g_b - k·v, by adding the prime less k·v.
        let mut minus = Residue::limbs(&DH_PRIME);
        let mut borrow = false;
        for (limb, less) in minus.iter_mut().zip(kv.0) {
            (*limb, borrow) = limb.borrowing_sub(less, borrow);
        }
        let t = Residue::of(&b).plus(Residue(minus)).number();
        let ta = modexp(&t, a, &DH_PRIME).unwrap();
        let tx = modexp(&modexp(&t, &u, &DH_PRIME).unwrap(), x, &DH_PRIME).unwrap();
        let shared = sha256(&[&Residue::of(&ta).times(Residue::of(&tx)).number()]);
        (public, step.proof(&public, &b, &shared))
    }

    #[test]
    fn the_right_password_is_proved_and_another_is_not() {
        let (x, a) = ([9; 32], [5; 256]);
        let verifier = modexp(&generator(), &x, &DH_PRIME).unwrap();
        let step = Step {
            salts: (b"one", b"two"),
            verifier: &verifier,
            secret: [3; 64],
        };
        let (public, m1) = client(&step, &x, &a);
        assert!(is_acceptable(&public));
        assert_eq!(step.is_proved(&public, &m1), Some(true));
        let (public, m1) = client(&step, &[8; 32], &a);
        assert_eq!(step.is_proved(&public, &m1), Some(false));
    }

    #[test]
    fn products_agree_with_powers() {
        let n = number(&[0xab; 256]).unwrap();
        let square = Residue::of(&n).times(Residue::of(&n)).number();
        assert_eq!(modexp(&n, &[2], &DH_PRIME), Some(square));
    }
}
