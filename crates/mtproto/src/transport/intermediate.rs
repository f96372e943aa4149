//! Intermediate: the length in four bytes; padded: the length counts up to 15 random bytes at the end.
//!
//! ```text
//! +----+----+----+----+----...----+- - - - - -+
//! |        len        |  payload  |  padding  |
//! +----+----+----+----+----...----+- - - - - -+
//! ```
//! The top bit of the length asks for a quick ack.

use rand_core::Rng;

use super::Head;

const QUICK_ACK: u32 = 1 << 31;

pub(super) fn head(stream: &[u8]) -> Option<Head> {
    let len = u32::from_le_bytes(*stream.first_chunk::<4>()?);
    let body_len = usize::try_from(len & !QUICK_ACK).unwrap_or(usize::MAX);
    Some(Head {
        head_len: 4,
        body_len,
        quick_ack: len & QUICK_ACK != 0,
    })
}

pub(super) fn send(payload: &[u8], quick_ack: bool, out: &mut Vec<u8>) {
    let len = u32::try_from(payload.len()).unwrap_or(0);
    out.extend((len | if quick_ack { QUICK_ACK } else { 0 }).to_le_bytes());
    out.extend(payload);
}

pub(super) fn send_padded(payload: &[u8], quick_ack: bool, rng: &mut impl Rng, out: &mut Vec<u8>) {
    let mut random = [0; 16];
    rng.fill_bytes(&mut random);
    let padding = usize::from(random[15] & 15);
    let mut padded = payload.to_vec();
    padded.extend(&random[..padding]);
    send(&padded, quick_ack, out);
}
