//! pq: the client's proof of work, a product of two primes of 31 bits.

use rand_core::Rng;

/// Two different odd primes, p < q.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pq {
    /// The smaller.
    pub p: u64,
    /// The larger.
    pub q: u64,
}

impl Pq {
    /// At most 2^62.
    #[must_use]
    pub fn product(self) -> u64 {
        self.p * self.q
    }
}

/// Draws two different primes.
pub fn draw(rng: &mut impl Rng) -> Pq {
    let a = prime(rng);
    loop {
        let b = prime(rng);
        if a != b {
            return Pq {
                p: a.min(b),
                q: a.max(b),
            };
        }
    }
}

/// A prime between 2^30 and 2^31.
fn prime(rng: &mut impl Rng) -> u64 {
    loop {
        let candidate = u64::from(rng.next_u32() >> 2 | 1 << 30 | 1);
        if is_prime(candidate) {
            return candidate;
        }
    }
}

/// Miller-Rabin with bases 2, 3, 5, 7: no composite below 3 215 031 751 passes all four.
fn is_prime(n: u64) -> bool {
    let twos = (n - 1).trailing_zeros();
    let odd = (n - 1) >> twos;
    [2, 3, 5, 7].iter().all(|base| {
        let mut x = power(*base, odd, n);
        if x == 1 || x == n - 1 {
            return true;
        }
        (1..twos).any(|_| {
            x = x * x % n;
            x == n - 1
        })
    })
}

fn power(mut base: u64, mut exponent: u64, modulus: u64) -> u64 {
    let mut result = 1;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result * base % modulus;
        }
        base = base * base % modulus;
        exponent >>= 1;
    }
    result
}

/// Big-endian without leading zeros.
#[must_use]
pub fn be(n: u64) -> Vec<u8> {
    let bytes = n.to_be_bytes();
    let start = bytes.iter().position(|b| *b != 0).unwrap_or(7);
    bytes[start..].to_vec()
}

/// A number of at most 8 bytes, big-endian.
#[must_use]
pub fn from_be(bytes: &[u8]) -> Option<u64> {
    let mut padded = [0; 8];
    let at = padded.len().checked_sub(bytes.len())?;
    padded[at..].copy_from_slice(bytes);
    Some(u64::from_be_bytes(padded))
}

/// Steps after which factoring gives up: a factor of 31 bits takes some 2^16.
const FACTOR_STEPS_MAX: u32 = 1 << 21;

/// Splits a product of two different primes, by Pollard's rho method; the client's part. Nothing for
/// what is not such a product, or too hard.
#[must_use]
pub fn factor(n: u64) -> Option<Pq> {
    if n < 15 || n.is_multiple_of(2) {
        return None;
    }
    (1..20).find_map(|c| {
        let p = rho(n, c)?;
        let (p, q) = (p.min(n / p), p.max(n / p));
        (p > 1 && p < q).then_some(Pq { p, q })
    })
}

/// A divisor of `n` that is not `n`, by walking x² + c with two walkers.
fn rho(n: u64, c: u64) -> Option<u64> {
    let step = |x: u64| ((u128::from(x) * u128::from(x) + u128::from(c)) % u128::from(n)) as u64;
    let (mut slow, mut fast) = (2, 2);
    for _ in 0..FACTOR_STEPS_MAX / 64 {
        let (start, mut product) = ((slow, fast), 1_u64);
        // One greatest common divisor for 64 steps; step by step again when it swallowed both factors.
        for _ in 0..64 {
            (slow, fast) = (step(slow), step(step(fast)));
            product = (u128::from(product) * u128::from(slow.abs_diff(fast)) % u128::from(n)) as u64;
        }
        match gcd(product, n) {
            1 => {}
            d if d == n => return careful(n, step, start),
            d => return Some(d),
        }
    }
    None
}

fn careful(n: u64, step: impl Fn(u64) -> u64, (mut slow, mut fast): (u64, u64)) -> Option<u64> {
    for _ in 0..64 {
        (slow, fast) = (step(slow), step(step(fast)));
        match gcd(slow.abs_diff(fast), n) {
            1 => {}
            d if d == n => return None,
            d => return Some(d),
        }
    }
    None
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha12Rng;
    use rand_core::SeedableRng;

    #[test]
    fn hs_3_two_different_odd_primes_below_2_63() {
        let mut rng = ChaCha12Rng::seed_from_u64(1);
        for _ in 0..50 {
            let pq = draw(&mut rng);
            assert!(pq.p < pq.q && pq.product() < 1 << 63);
            for n in [pq.p, pq.q] {
                assert!((3..46_341).step_by(2).all(|d| n % d != 0), "{n} has a divisor");
            }
            assert_ne!(be(pq.product())[0], 0);
            assert_eq!(factor(pq.product()), Some(pq));
            assert_eq!(from_be(&be(pq.product())), Some(pq.product()));
        }
    }

    #[test]
    fn what_is_no_product_of_two_primes_is_not_split() {
        for n in [0, 1, 2, 9, 1 << 40, 2_147_483_647, u64::from(u32::MAX) + 2] {
            assert_eq!(factor(n).filter(|pq| pq.product() != n), None);
        }
        assert_eq!(factor(2_147_483_647), None);
        assert_eq!(from_be(&[1; 9]), None);
    }
}
