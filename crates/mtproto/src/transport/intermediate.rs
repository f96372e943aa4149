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

/// What is shorter is no packet but a notice: a quick ack or a transport error. Clients tell it by the
/// length that arrives, each with a bound of its own (TDLib 16 bytes, 12 in earlier versions), so that
/// notices go without padding.
const PACKET_LEN_MIN: usize = 20;

pub(super) fn head(stream: &[u8]) -> Option<Head> {
    let len = u32::from_le_bytes(*stream.first_chunk::<4>()?);
    let body_len = usize::try_from(len & !QUICK_ACK).unwrap_or(usize::MAX);
    Some(Head {
        head_len: 4,
        body_len,
        quick_ack: len & QUICK_ACK != 0,
    })
}

/// The packet in a padded frame (TR-3): a plain one says its length, an encrypted one is 24 bytes and
/// whole blocks. What is shorter than both is left as it is.
pub(super) fn without_padding(payload: &[u8]) -> &[u8] {
    let len = match (payload.first_chunk::<20>(), payload.len()) {
        (Some([0, 0, 0, 0, 0, 0, 0, 0, .., a, b, c, d]), len) => {
            let body = usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).unwrap_or(usize::MAX);
            len.min(body.saturating_add(20))
        }
        (_, len @ 24..) => len - (len - 24) % 16,
        (_, len) => len,
    };
    &payload[..len]
}

pub(super) fn send(payload: &[u8], quick_ack: bool, out: &mut Vec<u8>) {
    let len = u32::try_from(payload.len()).unwrap_or(0);
    out.extend((len | if quick_ack { QUICK_ACK } else { 0 }).to_le_bytes());
    out.extend(payload);
}

pub(super) fn send_padded(payload: &[u8], quick_ack: bool, rng: &mut impl Rng, out: &mut Vec<u8>) {
    let mut random = [0; 16];
    rng.fill_bytes(&mut random);
    let padding = match payload.len() {
        ..PACKET_LEN_MIN => 0,
        _ => usize::from(random[15] & 15),
    };
    let mut padded = payload.to_vec();
    padded.extend(&random[..padding]);
    send(&padded, quick_ack, out);
}
