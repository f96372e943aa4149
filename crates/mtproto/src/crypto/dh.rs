//! The Diffie-Hellman group of the protocol.

/// The generator that all clients expect with [`DH_PRIME`].
pub const G: i32 = 3;

/// The well-known 2048-bit safe prime: clients have a fast path for it or refuse any other
/// (core.telegram.org/mtproto/auth_key). Big-endian.
pub const DH_PRIME: [u8; 256] = unhex(
    b"c71caeb9c6b1c9048e6c522f70f13f73980d40238e3e21c14934d037563d930f48198a0aa7c14058229493d22530f4dbfa336f6e0ac925139543aed44cce7c3720fd51f69458705ac68cd4fe6b6b13abdc9746512969328454f18faf8c595f642477fe96bb2a941d5bcd1d4ac8cc49880708fa9b378e3c4f3a9060bee67cf9a4a4a695811051907e162753b56b0f6b410dba74d8a84b2a14b3144e0ef1284754fd17ed950d5965b4b9dd46582db1178d169c6bc465b0d6ff9ca3928fef5b9ae4e418fc15e83ebea0f87fa9ff5eed70050ded2849f47bf959d956850ce929851f0d8115f635b105ee2e4e15d04b2454bf6f4fadf034b10403119cd8e3b92fcc5b",
);

const fn unhex(hex: &[u8; 512]) -> [u8; 256] {
    let mut bytes = [0; 256];
    let mut i = 0;
    while i < 256 {
        bytes[i] = nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]);
        i += 1;
    }
    bytes
}

const fn nibble(c: u8) -> u8 {
    if c < b'a' { c - b'0' } else { c - b'a' + 10 }
}

/// Whether a public value is neither too small nor too large: 2^1984 < g_x < p − 2^1984, big-endian
/// (core.telegram.org/mtproto/auth_key).
#[must_use]
pub fn is_in_range(public: &[u8; 256]) -> bool {
    // 2^1984 is the value of bit 0 of byte 7 of 256: above it means that one of the first 8 bytes is set.
    let above = public[..8].iter().any(|b| *b != 0) && public[..] > power()[..];
    above && public[..] < top()[..]
}

fn power() -> [u8; 256] {
    let mut power = [0; 256];
    power[7] = 1;
    power
}

/// p − 2^1984.
fn top() -> [u8; 256] {
    let mut top = DH_PRIME;
    // The prime's first bytes are large, so the subtraction ends within them.
    for byte in top[..8].iter_mut().rev() {
        let (less, borrow) = byte.overflowing_sub(1);
        *byte = less;
        if !borrow {
            break;
        }
    }
    top
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hs_9_range_of_public_values() {
        assert!(!is_in_range(&[0; 256]));
        assert!(!is_in_range(&power()));
        assert!(!is_in_range(&top()));
        assert!(!is_in_range(&DH_PRIME));
        assert!(is_in_range(&[0x55; 256]));
    }
}
