//! Obfuscation: AES-256-CTR over everything, keyed by the connection's first 64 bytes (TR-9).
//!
//! ```text
//! 0        8                        40        56       60   62   64
//! +--------+------------------------+---------+--------+----+----+
//! | random |    key to the server   |   IV    |  tag   | dc | .. |   tag and what follows encrypted
//! +--------+------------------------+---------+--------+----+----+
//! ```
//! The other direction's key and IV are the same 48 bytes reversed.

use ctr::cipher::{KeyIvInit, StreamCipher};

use super::Framing;

type Aes = ctr::Ctr128BE<aes::Aes256>;

/// What is added to the number of a data centre of the test servers.
const TEST_DC: i32 = 10_000;

/// The data centres that there are.
const DC_IDS: std::ops::RangeInclusive<i32> = 1..=5;

/// Bytes of the header.
pub(super) const HEADER_LEN: usize = 64;

/// One running cipher for each direction.
pub(super) struct Streams {
    receive: Aes,
    send: Aes,
}

impl Streams {
    pub(super) fn decrypt(&mut self, bytes: &mut [u8]) {
        self.receive.apply_keystream(bytes);
    }
    pub(super) fn encrypt(&mut self, bytes: &mut [u8]) {
        self.send.apply_keystream(bytes);
    }
}

fn cipher(key_iv: &[u8; 48]) -> Aes {
    let (mut key, mut iv) = ([0; 32], [0; 16]);
    key.copy_from_slice(&key_iv[..32]);
    iv.copy_from_slice(&key_iv[32..]);
    Aes::new(&key.into(), &iv.into())
}

/// To the server, and from it.
fn ciphers(header: &[u8; HEADER_LEN]) -> (Aes, Aes) {
    let mut key_iv = [0; 48];
    key_iv.copy_from_slice(&header[8..56]);
    let to_server = cipher(&key_iv);
    key_iv.reverse();
    (to_server, cipher(&key_iv))
}

/// What a header opens.
pub(super) struct Opened {
    /// The server's streams.
    pub(super) streams: Streams,
    /// The framing inside.
    pub(super) framing: Framing,
    /// The data centre that the client means to talk to.
    pub(super) dc_id: Option<i32>,
}

/// What a client's header opens; nothing when the tag is unknown.
pub(super) fn open(header: &[u8]) -> Option<Opened> {
    let header: &[u8; HEADER_LEN] = header.try_into().ok()?;
    let (mut receive, send) = ciphers(header);
    let mut plain = *header;
    receive.apply_keystream(&mut plain);
    let [.., t0, t1, t2, t3, d0, d1, _, _] = plain;
    Some(Opened {
        streams: Streams { receive, send },
        framing: Framing::of_tag([t0, t1, t2, t3])?,
        dc_id: data_centre(i16::from_le_bytes([d0, d1])),
    })
}

/// Media is asked of a negative number, the test servers have 10,000 more. Where a client names no data centre there is
/// noise.
fn data_centre(named: i16) -> Option<i32> {
    let number = i32::from(named).abs();
    let id = number.checked_sub(TEST_DC).filter(|id| *id > 0).unwrap_or(number);
    DC_IDS.contains(&id).then_some(id)
}

/// Whether a header would be taken for another transport (TR-1).
fn means_another(header: &[u8; HEADER_LEN]) -> bool {
    let start = [header[0], header[1], header[2], header[3]];
    header[0] == 0xef
        || matches!(
            &start,
            b"GET " | b"POST" | b"HEAD" | b"OPTI" | [0x16, 0x03, 0x01, 0x02]
        )
        || Framing::of_tag(start).is_some()
}

/// A client's header of random bytes, and its streams; nothing for a framing without tag. Openings that
/// mean another transport are stepped around.
pub(super) fn client_header(mut random: [u8; 64], framing: Framing) -> Option<([u8; 64], Streams)> {
    if means_another(&random) {
        // No opening is left when its first byte has the other top bit.
        random[0] ^= 0x80;
    }
    random[4] |= 1;
    random[56..60].copy_from_slice(&framing.tag()?);
    let (mut send, receive) = ciphers(&random);
    let mut encrypted = random;
    send.apply_keystream(&mut encrypted);
    let mut header = random;
    header[56..].copy_from_slice(&encrypted[56..]);
    Some((header, Streams { receive, send }))
}
