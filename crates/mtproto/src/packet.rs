//! Encrypted packets (core.telegram.org/mtproto/description).
//!
//! ```text
//! +-------------+---------+---------------------------------------------------------------+
//! | auth key id | msg key | salt | session id | msg id | seq no | length | body | padding  |
//! |      8      |   16    |  8   |     8      |   8    |   4    |   4    |      | 12..1024 |
//! +-------------+---------+---------------------------------------------------------------+
//!                          encrypted from here on, a multiple of 16 bytes
//! ```

use rand_core::Rng;

use crate::bytes::{Reader, Writer as _};
use crate::crypto::keys::Direction;
use crate::crypto::{AuthKey, equal};

/// A message on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub msg_id: i64,
    /// Twice the count of content messages before it, and one more if it is one.
    pub seq_no: i32,
    /// What it says.
    pub body: Vec<u8>,
}

/// A packet that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Salt.
    pub salt: i64,
    /// Session.
    pub session_id: i64,
    /// The message inside.
    pub message: Message,
    /// What a quick ack of it says (TR-6).
    pub quick_ack: [u8; 4],
}

/// Bytes before the encrypted part.
pub const HEAD_LEN: usize = 24;
/// Bytes of the plaintext before the body.
const INNER_HEAD_LEN: usize = 32;
/// Least and most padding.
const PADDING: std::ops::RangeInclusive<usize> = 12..=1024;

/// The key id that a packet names; 0 is a plain packet. Nothing for what is too short.
#[must_use]
pub fn auth_key_id(packet: &[u8]) -> Option<i64> {
    packet.first_chunk::<8>().map(|id| i64::from_le_bytes(*id))
}

/// Opens a packet. Nothing for one that is not what the key's owner wrote; every cause looks the same
/// from outside (EN-2, EN-3).
#[must_use]
pub fn open(key: &AuthKey, direction: Direction, mut packet: Vec<u8>) -> Option<Opened> {
    let (head, plain) = packet.split_at_mut_checked(HEAD_LEN)?;
    if !plain.len().is_multiple_of(16) || head[..8] != key.id().to_le_bytes() {
        return None;
    }
    let msg_key: [u8; 16] = head[8..].try_into().ok()?;
    key.cipher(direction, &msg_key).decrypt(plain);
    let large = key.msg_key_large(direction, plain);
    if plain.len() < INNER_HEAD_LEN || !equal(&large[8..24], &msg_key) {
        return None;
    }
    let mut reader = Reader(plain);
    let (salt, session_id, msg_id) = (reader.i64().ok()?, reader.i64().ok()?, reader.i64().ok()?);
    let (seq_no, len) = (reader.i32().ok()?, usize::try_from(reader.i32().ok()?).ok()?);
    reader.take(len).ok()?;
    if len % 4 != 0 || !PADDING.contains(&reader.0.len()) {
        return None;
    }
    let [a, b, c, d, ..] = large;
    // The body stays where it is: packets of files are large.
    packet.truncate(HEAD_LEN + INNER_HEAD_LEN + len);
    packet.drain(..HEAD_LEN + INNER_HEAD_LEN);
    let message = Message {
        msg_id,
        seq_no,
        body: packet,
    };
    Some(Opened {
        salt,
        session_id,
        message,
        quick_ack: [a, b, c, d | 0x80],
    })
}

/// Seals a message into a packet.
#[must_use]
pub fn seal(
    key: &AuthKey,
    direction: Direction,
    (salt, session_id): (i64, i64),
    message: &Message,
    rng: &mut impl Rng,
) -> Vec<u8> {
    let unpadded = INNER_HEAD_LEN + message.body.len();
    let padding = 12 + (16 - (unpadded + 12) % 16) % 16;
    let mut packet = Vec::with_capacity(HEAD_LEN + unpadded + padding);
    packet.i64(key.id());
    packet.extend([0; 16]);
    packet.i64(salt);
    packet.i64(session_id);
    packet.i64(message.msg_id);
    packet.i32(message.seq_no);
    packet.u32(u32::try_from(message.body.len()).unwrap_or(0));
    packet.extend(&message.body);
    packet.resize(packet.len() + padding, 0);
    let at = packet.len() - padding;
    rng.fill_bytes(&mut packet[at..]);
    let large = key.msg_key_large(direction, &packet[HEAD_LEN..]);
    let mut msg_key = [0; 16];
    msg_key.copy_from_slice(&large[8..24]);
    packet[8..24].copy_from_slice(&msg_key);
    key.cipher(direction, &msg_key).encrypt(&mut packet[HEAD_LEN..]);
    packet
}

/// A plain packet, as handshakes use (HS-1).
#[must_use]
pub fn plain(msg_id: i64, body: &[u8]) -> Vec<u8> {
    let mut packet = Vec::with_capacity(20 + body.len());
    packet.i64(0);
    packet.i64(msg_id);
    packet.u32(u32::try_from(body.len()).unwrap_or(0));
    packet.extend(body);
    packet
}

/// The body of a plain packet.
#[must_use]
pub fn open_plain(packet: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader(packet);
    if reader.i64().ok()? != 0 {
        return None;
    }
    reader.i64().ok()?;
    let len = usize::try_from(reader.u32().ok()?).ok()?;
    reader.take(len).ok()
}

/// The packet of a transport error (TR-7).
#[must_use]
pub fn transport_error(code: i32) -> [u8; 4] {
    code.to_le_bytes()
}
