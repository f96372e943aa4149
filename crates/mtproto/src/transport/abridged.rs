//! Abridged: the length in words, in one byte or in four.
//!
//! ```text
//! +----+----...----+      +----+----+----+----+----...----+
//! | len|  payload  |  or  | 7f |     len      |  payload  |
//! +----+----...----+      +----+----+----+----+----...----+
//! ```
//! The top bit of the first byte asks for a quick ack.

use super::Head;

pub(super) fn head(stream: &[u8]) -> Option<Head> {
    let first = *stream.first()?;
    let quick_ack = first & 0x80 != 0;
    let words = usize::from(first & 0x7f);
    if words < 0x7f {
        return Some(Head {
            head_len: 1,
            body_len: words * 4,
            quick_ack,
        });
    }
    let [a, b, c] = *stream.get(1..)?.first_chunk::<3>()?;
    let words = usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16;
    Some(Head {
        head_len: 4,
        body_len: words * 4,
        quick_ack,
    })
}

pub(super) fn send(payload: &[u8], quick_ack: bool, out: &mut Vec<u8>) {
    let bit = if quick_ack { 0x80 } else { 0 };
    let words = payload.len() / 4;
    match u8::try_from(words) {
        Ok(words) if words < 0x7f => out.push(words | bit),
        _ => {
            out.push(0x7f | bit);
            out.extend(&words.to_le_bytes()[..3]);
        }
    }
    out.extend(payload);
}
