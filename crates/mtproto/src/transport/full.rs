//! Full: length, a counter for each direction, and a CRC over both and the payload.
//!
//! ```text
//! +----+----+----+----+----+----+----+----+----...----+----+----+----+----+
//! |        len        |      counter      |  payload  |       crc32       |
//! +----+----+----+----+----+----+----+----+----...----+----+----+----+----+
//! ```
//! The length counts everything, itself included.

use super::{Head, TransportError};

#[derive(Default)]
pub(super) struct Counters {
    received: u32,
    sent: u32,
}

/// Bytes around the payload.
const OVERHEAD: usize = 12;

pub(super) fn head(stream: &[u8]) -> Result<Option<Head>, TransportError> {
    let Some(len) = stream.first_chunk::<4>() else {
        return Ok(None);
    };
    let len = usize::try_from(u32::from_le_bytes(*len)).map_err(|_| TransportError::Length)?;
    if len < OVERHEAD {
        return Err(TransportError::Length);
    }
    Ok(Some(Head {
        head_len: 4,
        body_len: len - 4,
        quick_ack: false,
    }))
}

impl Counters {
    /// Checks a whole frame and returns its payload.
    pub(super) fn open(&mut self, frame: &[u8]) -> Result<Vec<u8>, TransportError> {
        let (body, crc) = frame.split_last_chunk::<4>().ok_or(TransportError::Length)?;
        if crc32fast::hash(body) != u32::from_le_bytes(*crc) {
            return Err(TransportError::Checksum);
        }
        let counter = body.get(4..8).ok_or(TransportError::Length)?;
        if counter != self.received.to_le_bytes() {
            return Err(TransportError::Counter);
        }
        self.received = self.received.wrapping_add(1);
        Ok(body[8..].to_vec())
    }

    pub(super) fn send(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        let from = out.len();
        let len = u32::try_from(payload.len() + OVERHEAD).unwrap_or(0);
        out.extend(len.to_le_bytes());
        out.extend(self.sent.to_le_bytes());
        out.extend(payload);
        let crc = crc32fast::hash(&out[from..]);
        out.extend(crc.to_le_bytes());
        self.sent = self.sent.wrapping_add(1);
    }
}
