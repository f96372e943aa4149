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
        }
    }
}
