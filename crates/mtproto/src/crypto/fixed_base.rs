//! Powers of the group's generator, by a table that is made once (RFC 7919 section 5.3).
//!
//! A secret exponent is read as windows of 5 bits; row i of the table holds g^(d · 32^i) for each digit d,
//! so a power is one product for each window. Secrets decide neither a branch nor an address: an entry is
//! found by going through its whole row. Why the exponent is short: docs/decisions/0001-short-dh-exponent.md.
//!
//! ```text
//! exponent   d63 ... d1 d0           5 bits each
//! g^exponent = row63[d63] · ... · row1[d1] · row0[d0]
//! ```

use std::sync::LazyLock;

use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

use super::dh::{DH_PRIME, G};

/// Bits of an exponent.
pub const EXPONENT_BITS: usize = 320;
/// Bits of a window: larger ones cost more in going through rows than they save in products.
const WINDOW: usize = 5;
const ROWS: usize = EXPONENT_BITS.div_ceil(WINDOW);
const DIGITS: usize = 1 << WINDOW;
const LIMBS: usize = 32;

/// A number below the prime, least limb first; times 2^2048 where Montgomery's form is meant.
type Number = [u64; LIMBS];

const PRIME: Number = limbs(&DH_PRIME);
/// −1 / p mod 2^64.
const PRIME_INVERSE: u64 = inverse(PRIME[0]).wrapping_neg();
/// 2^2048 mod p, which is 1 in Montgomery's form: p has 2048 bits, so it fits once.
const ONE: Number = negated(&PRIME);

static TABLE: LazyLock<Vec<[Number; DIGITS]>> = LazyLock::new(table);

/// g to the power of a big-endian secret, modulo the protocol's prime, big-endian. The first call makes
/// the table: 512 KiB, some milliseconds.
#[must_use]
pub fn power_of_g(exponent: &[u8; EXPONENT_BITS / 8]) -> [u8; 256] {
    let rows = TABLE.iter().enumerate();
    let power = rows.fold(ONE, |power, (i, row)| {
        times(&power, &entry(row, digit(exponent, i)))
    });
    let mut plain = [0; LIMBS];
    plain[0] = 1;
    bytes(&times(&power, &plain))
}

fn table() -> Vec<[Number; DIGITS]> {
    let mut base = (1..G).fold(ONE, |sum, _| plus(&sum, &ONE));
    let row = |_| {
        let mut row = [ONE; DIGITS];
        for d in 1..DIGITS {
            row[d] = times(&row[d - 1], &base);
        }
        base = times(&row[DIGITS - 1], &base);
        row
    };
    (0..ROWS).map(row).collect()
}

/// Window `i` of the exponent, from its end.
fn digit(exponent: &[u8; EXPONENT_BITS / 8], i: usize) -> u64 {
    let bit = |n: usize| {
        let byte = exponent.len().checked_sub(1 + n / 8).map_or(0, |at| exponent[at]);
        u64::from(byte >> (n % 8) & 1)
    };
    (0..WINDOW).fold(0, |digit, n| digit | bit(i * WINDOW + n) << n)
}

/// The entry of a secret digit: all entries are read.
fn entry(row: &[Number; DIGITS], digit: u64) -> Number {
    let mut found = [0; LIMBS];
    for (d, entry) in (0_u64..).zip(row) {
        let is_it = d.ct_eq(&digit);
        for (found, limb) in found.iter_mut().zip(entry) {
            found.conditional_assign(limb, is_it);
        }
    }
    found
}

/// Montgomery's product, a · b / 2^2048 mod p.
fn times(a: &Number, b: &Number) -> Number {
    let (mut t, mut top) = ([0; LIMBS], 0);
    for x in b {
        let mut carry = 0;
        for (t, a) in t.iter_mut().zip(a) {
            (*t, carry) = multiply_add(*t, *a, *x, carry);
        }
        let (last, over) = split(u128::from(top) + u128::from(carry));
        let m = t[0].wrapping_mul(PRIME_INVERSE);
        (_, carry) = multiply_add(t[0], m, PRIME[0], 0);
        for j in 1..LIMBS {
            (t[j - 1], carry) = multiply_add(t[j], m, PRIME[j], carry);
        }
        let (limb, more) = split(u128::from(last) + u128::from(carry));
        t[LIMBS - 1] = limb;
        top = over + more;
    }
    below_prime(&t, top)
}

fn plus(a: &Number, b: &Number) -> Number {
    let (mut sum, mut carry) = ([0; LIMBS], 0);
    for (i, sum) in sum.iter_mut().enumerate() {
        (*sum, carry) = split(u128::from(a[i]) + u128::from(b[i]) + u128::from(carry));
    }
    below_prime(&sum, carry)
}

/// `top` · 2^2048 + n, which is less than twice the prime, without the prime if it is in there.
fn below_prime(n: &Number, top: u64) -> Number {
    let (mut less, mut borrow) = ([0; LIMBS], 0);
    for (i, less) in less.iter_mut().enumerate() {
        let (limb, rest) = split(
            u128::from(n[i])
                .wrapping_sub(u128::from(PRIME[i]))
                .wrapping_sub(u128::from(borrow)),
        );
        (*less, borrow) = (limb, rest & 1);
    }
    let is_below = Choice::from(u8::from(borrow > top));
    std::array::from_fn(|i| u64::conditional_select(&less[i], &n[i], is_below))
}

/// t + a · b + carry: it cannot overflow.
fn multiply_add(t: u64, a: u64, b: u64, carry: u64) -> (u64, u64) {
    split(u128::from(a) * u128::from(b) + u128::from(t) + u128::from(carry))
}

/// The lower and the upper half.
#[expect(clippy::cast_possible_truncation, reason = "it takes the number apart")]
fn split(n: u128) -> (u64, u64) {
    (n as u64, (n >> 64) as u64)
}

fn bytes(n: &Number) -> [u8; 256] {
    std::array::from_fn(|i| n[LIMBS - 1 - i / 8].to_be_bytes()[i % 8])
}

const fn limbs(bytes: &[u8; 256]) -> Number {
    let mut limbs = [0; LIMBS];
    let mut i = 0;
    while i < 256 {
        limbs[LIMBS - 1 - i / 8] |= (bytes[i] as u64) << (56 - 8 * (i % 8));
        i += 1;
    }
    limbs
}

/// 1 / n mod 2^64 for an odd n, by Newton's method: each step doubles the bits that are right.
const fn inverse(n: u64) -> u64 {
    let mut inverse = n;
    let mut bits = 3;
    while bits < 64 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(n.wrapping_mul(inverse)));
        bits *= 2;
    }
    inverse
}

/// 2^2048 − n, for an odd n.
const fn negated(n: &Number) -> Number {
    let mut negated = [0; LIMBS];
    let mut i = 1;
    negated[0] = n[0].wrapping_neg();
    while i < LIMBS {
        negated[i] = !n[i];
        i += 1;
    }
    negated
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::modexp;
    use proptest::prelude::*;

    fn by_exponentiation(exponent: &[u8]) -> [u8; 256] {
        modexp(&G.to_be_bytes(), exponent, &DH_PRIME).unwrap()
    }

    #[test]
    fn hs_9_the_table_gives_what_exponentiation_gives_at_the_edges() {
        let bit = |n: usize| -> [u8; 40] { std::array::from_fn(|i| u8::from(39 - n / 8 == i) << (n % 8)) };
        let edges = (0..EXPONENT_BITS)
            .step_by(3)
            .map(bit)
            .chain([[0; 40], [0xff; 40]]);
        for exponent in edges {
            assert_eq!(
                power_of_g(&exponent),
                by_exponentiation(&exponent),
                "{exponent:?}"
            );
        }
    }

    #[test]
    fn a_sum_at_the_prime_is_reduced_once() {
        let mut prime_less_one = PRIME;
        prime_less_one[0] -= 1;
        let mut one = [0; LIMBS];
        one[0] = 1;
        assert_eq!(plus(&prime_less_one, &one), [0; LIMBS]);
        assert_eq!(plus(&prime_less_one, &[0; LIMBS]), prime_less_one);
        let mut less_two = PRIME;
        less_two[0] -= 2;
        assert_eq!(plus(&prime_less_one, &prime_less_one), less_two);
        // (−1)² = 1², both divided by 2^2048.
        assert_eq!(times(&prime_less_one, &prime_less_one), times(&one, &one));
    }

    proptest! {
        #[test]
        fn hs_9_the_table_gives_what_exponentiation_gives(exponent: [u8; 32], more: [u8; 8]) {
            let mut whole = [0; 40];
            whole[..32].copy_from_slice(&exponent);
            whole[32..].copy_from_slice(&more);
            prop_assert_eq!(power_of_g(&whole), by_exponentiation(&whole));
        }
    }
}
