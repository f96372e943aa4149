//! A socket's bytes into a connection.

use std::sync::Arc;

use havre_mtproto::connection::{Connection, KeyLookup, Output};
use havre_mtproto::crypto::{AuthKey, RsaKey};
use havre_mtproto::handshake::{Identity, Stored};
use havre_mtproto::limits::{FRAME_LEN_MAX, WAITING_BYTES_MAX};
use havre_mtproto::time::Millis;

use crate::pieces;

/// When everything here happens.
pub const NOW: Millis = Millis(1_800_000_000_000);

/// The tests' own key: it opens nothing.
const SERVER_KEY: &[u8] = include_bytes!("../../mtproto/tests/common/private.der");

/// The key under which packets of the corpora are sealed.
#[must_use]
pub fn auth_key() -> AuthKey {
    AuthKey::new(std::array::from_fn(|i| u8::try_from(i % 251).unwrap_or(0)))
}

/// The key of the server behind the doors, as clients have it.
///
/// # Panics
/// Never: the key is a constant.
#[must_use]
pub fn server_key() -> RsaKey {
    RsaKey::from_public_der(include_bytes!("../../mtproto/tests/common/public.der")).expect("a key")
}

/// A connection whose answers are the same in every run, so that a corpus may hold what follows on them.
///
/// # Panics
/// Never: its key is a constant.
#[must_use]
pub fn connection() -> Connection {
    let keys = [RsaKey::from_private_der(SERVER_KEY).expect("a key")];
    let identity = Identity {
        keys: Arc::new(keys),
        dc_id: 2,
    };
    Connection::new(NOW, identity, [7; 32])
}

/// Does what the connection asks. What it writes, and whether it lives on.
pub fn settle(connection: &mut Connection) -> (Vec<u8>, bool) {
    let mut written = Vec::new();
    while let Some(output) = connection.poll() {
        match output {
            Output::Write(bytes) => written.extend(bytes),
            Output::NeedKey(id) if id == auth_key().id() => {
                connection.key_found(NOW, KeyLookup::Found(auth_key()));
            }
            Output::NeedKey(_) => connection.key_found(NOW, KeyLookup::NoSuchKey),
            Output::Work(work) => connection.work_done(NOW, Some(work.run())),
            Output::StoreKey(_) => connection.key_stored(NOW, Some(Stored::Kept)),
            Output::Packet(_) => {}
            Output::Close => return (written, false),
        }
    }
    (written, true)
}

/// Bytes as they come from a socket, piece by piece: every transport, plain and encrypted packets.
///
/// # Panics
/// When the connection holds more than it may, or says much to somebody who said little.
pub fn stream(input: &[u8]) {
    let mut connection = connection();
    let (mut read, mut written) = (0, 0);
    for piece in pieces(input) {
        connection.receive(NOW, piece);
        let (said, lives) = settle(&mut connection);
        read += piece.len();
        written += said.len();
        assert!(connection.buffered() <= FRAME_LEN_MAX + WAITING_BYTES_MAX);
        // Nobody is to be used to flood others: an answer to a handshake of 20 bytes has some hundred.
        assert!(written <= 1024 + 64 * read, "{written} bytes for {read}");
        if !lives {
            return;
        }
    }
}

/// The bodies of plain packets, one after the other, to a server that knows its lines: `resPQ` and what
/// follows are the same in every run.
///
/// # Panics
/// As for [`stream`].
pub fn handshake(input: &[u8]) {
    let mut connection = connection();
    connection.receive(NOW, &[0xee; 4]);
    for (n, body) in (1..).zip(pieces(input)) {
        let mut packet = Vec::with_capacity(24 + body.len());
        packet.extend(
            u32::try_from(20 + body.len())
                .expect("a short piece")
                .to_le_bytes(),
        );
        packet.extend([0; 8]);
        packet.extend((NOW.msg_id() + 4 * n).to_le_bytes());
        packet.extend(u32::try_from(body.len()).expect("a short piece").to_le_bytes());
        packet.extend(body);
        connection.receive(NOW, &packet);
        let (written, lives) = settle(&mut connection);
        assert!(written.len() <= 4096, "{} bytes for one step", written.len());
        if !lives {
            return;
        }
    }
}
