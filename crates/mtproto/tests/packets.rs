//! Rules EN-1 to EN-6: encrypted packets. Packets are composed here a second time, by hand, from
//! core.telegram.org/mtproto/description, so that each rule can be broken.
#![allow(clippy::unwrap_used, reason = "a test that fails")]

mod common;

use common::*;
use havre_mtproto::bytes::{Reader, Writer as _};
use havre_mtproto::connection::{Connection, KeyLookup, Output as Ask, Packet};
use havre_mtproto::crypto::ige::Ige;
use havre_mtproto::crypto::keys::Direction;
use havre_mtproto::crypto::{AuthKey, sha1, sha256};
use havre_mtproto::packet;
use proptest::prelude::*;
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng as _;

const SALT: i64 = 0x5a17;
const SESSION: i64 = 77;

/// Key and IV of the documentation; x is 0 to the server and 8 from it.
fn cipher(key: &AuthKey, x: usize, msg_key: &[u8]) -> Ige {
    let secret = key.secret();
    let a = sha256(&[msg_key, &secret[x..x + 36]]);
    let b = sha256(&[&secret[40 + x..76 + x], msg_key]);
    Ige {
        key: [&a[..8], &b[8..24], &a[24..32]].concat().try_into().unwrap(),
        iv: [&b[..8], &a[8..24], &b[24..32]].concat().try_into().unwrap(),
    }
}

/// A packet to the server around any plaintext of whole blocks.
fn sealed(key: &AuthKey, plain: &[u8]) -> Vec<u8> {
    let msg_key = &sha256(&[&key.secret()[88..120], plain])[8..24];
    let mut encrypted = plain.to_vec();
    cipher(key, 0, msg_key).encrypt(&mut encrypted);
    [&key.id().to_le_bytes(), msg_key, &encrypted].concat()
}

/// A plaintext with a length that may lie and this much padding.
fn plain(said_len: i32, body: &[u8], padding: usize) -> Vec<u8> {
    let mut plain = Vec::new();
    plain.i64(SALT);
    plain.i64(SESSION);
    plain.i64(NOW.msg_id());
    plain.i32(1);
    plain.i32(said_len);
    plain.extend(body);
    plain.extend(vec![0xa5; padding]);
    plain
}

/// A packet with a body of zeros and padding, as long as said.
fn padded(len: usize, padding: usize) -> Vec<u8> {
    sealed(&auth_key(), &plain(len as i32, &vec![0; len], padding))
}

fn open(packet: Vec<u8>) -> Option<packet::Opened> {
    packet::open(&auth_key(), Direction::ToServer, packet)
}

/// What a connection that knows the key asks for when it gets this as one packet.
fn fed(packet: &[u8]) -> Vec<Ask> {
    let mut connection = Connection::new(NOW, identity(), [1; 32]);
    let mut stream = vec![0xee; 4];
    stream.u32(packet.len() as u32);
    stream.extend(packet);
    connection.receive(NOW, &stream);
    let mut asked: Vec<Ask> = std::iter::from_fn(|| connection.poll()).collect();
    if matches!(&asked[..], [Ask::NeedKey(id)] if *id == auth_key().id()) {
        asked.clear();
        connection.key_found(NOW, KeyLookup::Found(auth_key()));
        asked.extend(std::iter::from_fn(|| connection.poll()));
    }
    asked
}

/// Dropped and closed, without a word.
fn assert_refused(packet: &[u8], why: &str) {
    let asked = fed(packet);
    assert!(matches!(asked[..], [Ask::Close]), "{why}: {asked:?}");
}

fn accepted(packet: &[u8]) -> Packet {
    let mut asked = fed(packet);
    match asked.pop() {
        Some(Ask::Packet(packet)) if asked.is_empty() => packet,
        other => panic!("{other:?} after {asked:?}"),
    }
}

#[test]
fn en_1_a_packet_to_the_server_is_as_documented() {
    let body = echo(5);
    let opened = accepted(&sealed(&auth_key(), &plain(12, &body, 20)));
    assert_eq!(opened.auth_key_id, auth_key().id());
    assert_eq!((opened.salt, opened.session_id), (SALT, SESSION));
    assert_eq!(opened.message, message(NOW.msg_id(), 1, body));
}

proptest! {
    #[test]
    fn en_1_a_packet_from_the_server_is_as_documented(
        salt: i64, session_id: i64, msg_id: i64, seq_no: i32,
        words in prop::collection::vec(any::<[u8; 4]>(), 0..600), seed: u8,
    ) {
        let key = auth_key();
        let body = words.concat();
        let mut rng = ChaCha12Rng::from_seed([seed; 32]);
        let sent = message(msg_id, seq_no, body.clone());
        let packet = packet::seal(&key, Direction::ToClient, (salt, session_id), &sent, &mut rng);

        prop_assert_eq!(&packet[..8], &key.id().to_le_bytes());
        let (msg_key, mut plain) = (&packet[8..24], packet[24..].to_vec());
        prop_assert_eq!(plain.len() % 16, 0);
        cipher(&key, 8, msg_key).decrypt(&mut plain);
        prop_assert_eq!(msg_key, &sha256(&[&key.secret()[96..128], &plain])[8..24]);
        let mut reader = Reader(&plain);
        let ids = (reader.i64().unwrap(), reader.i64().unwrap(), reader.i64().unwrap());
        prop_assert_eq!(ids, (salt, session_id, msg_id));
        prop_assert_eq!(reader.i32().unwrap(), seq_no);
        prop_assert_eq!(reader.u32().unwrap() as usize, body.len());
        prop_assert_eq!(reader.take(body.len()).unwrap(), body);
        // EN-3, the server's own part: Desktop starts the connection anew when it is broken.
        prop_assert!((12..=1024).contains(&reader.0.len()), "{}", reader.0.len());
    }

    #[test]
    fn en_1_what_was_sealed_opens_in_its_direction_only(
        salt: i64, session_id: i64, msg_id: i64, seq_no: i32,
        words in prop::collection::vec(any::<[u8; 4]>(), 0..600),
        to_server: bool,
    ) {
        let direction = if to_server { Direction::ToServer } else { Direction::ToClient };
        let mut rng = ChaCha12Rng::from_seed([1; 32]);
        let sent = message(msg_id, seq_no, words.concat());
        let packet = packet::seal(&auth_key(), direction, (salt, session_id), &sent, &mut rng);
        let opened = packet::open(&auth_key(), direction, packet.clone()).unwrap();
        prop_assert_eq!((opened.salt, opened.session_id), (salt, session_id));
        prop_assert_eq!(opened.message, sent);
        prop_assert_eq!(packet::open(&auth_key(), direction.reversed(), packet), None);
    }

    #[test]
    fn en_2_any_changed_bit_closes_without_a_word(
        words in 0_usize..40, at: prop::sample::Index, bit in 0..8_u32,
    ) {
        let mut packet = padded(words * 4, 12 + (16 - (words * 4 + 12) % 16) % 16);
        // Another key id is another matter (TR-7).
        let at = 8 + at.index(packet.len() - 8);
        packet[at] ^= 1_u8 << bit;
        assert_refused(&packet, "a changed bit");
    }

    #[test]
    fn en_3_padding_is_from_12_to_1024_bytes(words in 0_usize..40, blocks in 0_usize..70) {
        let padding = (16 - words * 4 % 16) % 16 + blocks * 16;
        let opened = open(padded(words * 4, padding));
        prop_assert_eq!(opened.is_some(), (12..=1024).contains(&padding), "{}", padding);
    }

    #[test]
    fn en_3_no_plaintext_panics_and_none_gives_more_than_was_sent(
        said_len: i32, rest in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        for said_len in [said_len, said_len % 256, said_len % 64 * 4] {
            let rest = &rest[..rest.len() / 16 * 16];
            if let Some(opened) = open(sealed(&auth_key(), &plain(said_len, rest, 0))) {
                let len = opened.message.body.len();
                prop_assert_eq!(len, said_len as usize);
                prop_assert!(len % 4 == 0 && len + 12 <= rest.len());
            }
        }
    }

    #[test]
    fn no_bytes_make_a_connection_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300), named: bool,
    ) {
        let id = if named { auth_key().id() } else { 0 };
        let packet = [&id.to_le_bytes()[..], &bytes].concat();
        let took = fed(&packet).iter().any(|ask| matches!(ask, Ask::Packet(_)));
        prop_assert!(!took, "nobody signed that");
    }

    #[test]
    fn no_mutation_of_packets_is_taken(
        words in prop::collection::vec(0_usize..60, 2), cuts: [prop::sample::Index; 2], splice: bool,
    ) {
        let [a, b] = [words[0], words[1]].map(|w| padded(w * 4, 12 + (16 - (w * 4 + 12) % 16) % 16));
        let cut = cuts[0].index(a.len());
        let tail = if splice { &b[cuts[1].index(b.len())..] } else { &[] };
        let mutated = [&a[..cut], tail].concat();
        prop_assume!(mutated != a && mutated != b);
        let took = fed(&mutated).iter().any(|ask| matches!(ask, Ask::Packet(_)));
        prop_assert!(!took);
    }
}

#[test]
fn en_2_every_failure_looks_the_same() {
    let good = padded(16, 16);
    accepted(&good);
    let mut other_key = sealed(&AuthKey::new([9; 256]), &plain(16, &[0; 16], 16));
    other_key[..8].copy_from_slice(&auth_key().id().to_le_bytes());
    assert_refused(&other_key, "written with another key");
    assert_refused(&good[..24], "nothing encrypted");
    assert_refused(&good[..40], "a single block");
    assert_refused(&good[..good.len() - 16], "a block too few");
    assert_refused(&good[..good.len() - 4], "not whole blocks");
    assert_refused(&good[..8], "an id alone");
    assert_refused(&padded(16, 0), "no padding under a right message key");
}

#[test]
fn en_3_padding_of_under_12_bytes_is_refused() {
    assert_refused(&padded(24, 8), "8 bytes");
    accepted(&padded(20, 12));
}

#[test]
fn en_3_padding_of_over_1024_bytes_is_refused() {
    assert_refused(&padded(12, 1028), "1028 bytes");
    accepted(&padded(16, 1024));
}

#[test]
fn en_3_a_length_that_lies_is_refused() {
    for said in [-4, -1, i32::MIN, i32::MAX, 36, 1 << 20] {
        let packet = sealed(&auth_key(), &plain(said, &[0; 16], 16));
        assert_refused(&packet, &format!("{said} of 32 bytes"));
    }
    for said in [13, 14, 15] {
        let packet = sealed(&auth_key(), &plain(said, &[0; 16], 16));
        assert_refused(&packet, &format!("{said} is no number of words"));
    }
}

#[test]
fn en_3_an_encrypted_part_of_other_than_whole_blocks_is_refused() {
    for more in 1..16 {
        let packet = [padded(16, 16), vec![0; more]].concat();
        assert_refused(&packet, &format!("{more} bytes more"));
    }
}

/// A packet of the first version: its message key is of SHA-1, without the padding.
fn sealed_v1(key: &AuthKey, plain: &[u8]) -> Vec<u8> {
    let unpadded = &plain[..32 + 16];
    let msg_key: [u8; 16] = sha1(&[unpadded])[4..20].try_into().unwrap();
    let mut encrypted = plain.to_vec();
    key.cipher_v1(&msg_key).encrypt(&mut encrypted);
    [&key.id().to_le_bytes()[..], &msg_key, &encrypted].concat()
}

#[test]
fn en_4_packets_of_the_first_version_are_refused() {
    for padding in [0, 16] {
        let packet = sealed_v1(&auth_key(), &plain(16, &[0; 16], padding));
        assert_refused(&packet, "MTProto 1");
    }
    // Its message key with the cipher of today.
    let plain = plain(16, &[0; 16], 16);
    let msg_key = &sha1(&[&plain[..48]])[4..20];
    let mut encrypted = plain.clone();
    cipher(&auth_key(), 0, msg_key).encrypt(&mut encrypted);
    let packet = [&auth_key().id().to_le_bytes(), msg_key, &encrypted].concat();
    assert_refused(&packet, "a message key of SHA-1");
}

/// A server that knows these keys, and one connection to it.
fn server(keys: &[AuthKey]) -> (Server, u64) {
    let mut server = Server::new();
    server.keys.extend(keys.iter().map(|key| (key.id(), key.clone())));
    let at = server.accept(NOW);
    server.receive(NOW, at, &[0xee; 4]);
    (server, at)
}

/// Sends an echo in a session.
fn call(server: &mut Server, at: u64, (key, session): (&AuthKey, i64), msg_id: i64, n: i64) {
    let salt = server.salts.current(key.id(), NOW);
    let mut rng = ChaCha12Rng::from_seed([n as u8; 32]);
    let sent = message(msg_id, 1, echo(n));
    let packet = packet::seal(key, Direction::ToServer, (salt, session), &sent, &mut rng);
    let mut stream = Vec::new();
    stream.u32(packet.len() as u32);
    stream.extend(packet);
    server.receive(NOW, at, &stream);
}

/// What came to a client: key, session, echoed number.
fn echoes(server: &mut Server, at: u64, keys: &[AuthKey]) -> Vec<(i64, i64, i64)> {
    let (stream, _) = server.drain(NOW, at);
    let (mut reader, mut echoes) = (Reader(&stream), Vec::new());
    while let Ok(len) = reader.u32() {
        let packet = reader.take(len as usize).unwrap().to_vec();
        let key = keys
            .iter()
            .find(|key| packet::auth_key_id(&packet) == Some(key.id()));
        let opened = packet::open(key.unwrap(), Direction::ToClient, packet).unwrap();
        let answers = flat(opened.message)
            .into_iter()
            .filter(|m| constructor(&m.body) == id::RPC_RESULT);
        echoes.extend(answers.map(|m| {
            let n = Reader(&m.body[16..]).i64().unwrap();
            (key.unwrap().id(), opened.session_id, n)
        }));
    }
    echoes.sort_unstable();
    echoes
}

#[test]
fn en_5_sessions_on_one_connection_are_kept_apart() {
    let keys = [auth_key(), AuthKey::new([8; 256])];
    let (mut server, at) = server(&keys);
    let names = [(0, 1_i64), (0, 2), (1, 1)];
    let mut expected = Vec::new();
    for round in 0..3 {
        for (i, (key, session)) in names.into_iter().enumerate() {
            let n = round * 3 + i as i64;
            // The same message id in each: it is the session that remembers what it has seen.
            let msg_id = NOW.msg_id() + round * 4;
            call(&mut server, at, (&keys[key], session), msg_id, n);
            expected.push((keys[key].id(), session, n));
        }
    }
    expected.sort_unstable();
    assert_eq!(echoes(&mut server, at, &keys), expected);
}

#[test]
fn en_5_a_session_is_the_same_on_another_connection() {
    let keys = [auth_key()];
    let (mut server, first) = server(&keys);
    call(&mut server, first, (&keys[0], SESSION), NOW.msg_id(), 1);
    let answer = (keys[0].id(), SESSION, 1);
    assert_eq!(echoes(&mut server, first, &keys), [answer]);

    let second = server.accept(NOW);
    server.receive(NOW, second, &[0xee; 4]);
    call(&mut server, second, (&keys[0], SESSION), NOW.msg_id(), 1);
    assert_eq!(
        echoes(&mut server, second, &keys),
        [answer],
        "answered from memory"
    );
    assert_eq!(server.executed.len(), 1);
    assert_eq!(server.sessions.len(), 1);
}

/// Everything that can be wrong with a message whose packet is in order, in the order of EN-6.
const FAULTS: [i32; 6] = [48, 18, 16, 19, 64, 34];

proptest! {
    #[test]
    fn en_6_the_first_fault_in_order_is_the_one_that_is_told(wrong: [bool; 6]) {
        let [salt, low_bits, time, seen, structure, seq_no] = wrong;
        let mut rig = Rig::new();
        let msg_id = if seen { rig.send(echo(1)) } else { rig.next_id() };
        rig.sent();
        let count = i32::from(structure);
        let empty = object(id::MSG_CONTAINER, |b| b.i32(count));
        let sent = message(msg_id | i64::from(low_bits), 2 | i32::from(seq_no), empty);
        rig.wait(if time { 301_000 } else { 0 });
        let used = rig.salt() ^ i64::from(salt);
        rig.session.handle(rig.now, &rig.salts, (used, None), sent.clone(), 1);

        let told: Vec<Vec<u8>> = rig.sent().into_iter().map(|m| m.body).collect();
        let first = FAULTS.iter().zip(wrong).find(|(_, is_wrong)| *is_wrong);
        let Some((code, _)) = first else {
            prop_assert!(told.is_empty(), "{:?}", told);
            return Ok(());
        };
        let expected = object(if salt { id::BAD_SERVER_SALT } else { id::BAD_MSG_NOTIFICATION }, |b| {
            b.i64(sent.msg_id);
            b.i32(sent.seq_no);
            b.i32(*code);
            if salt {
                b.i64(rig.salt());
            }
        });
        prop_assert_eq!(told, [expected]);
    }
}

#[test]
fn rp_5_a_temporary_key_ends_on_an_open_connection_too() {
    let packet = sealed(&auth_key(), &plain(12, &echo(5), 20));
    let mut stream = Vec::new();
    stream.u32(packet.len() as u32);
    stream.extend(&packet);
    let mut connection = Connection::new(NOW, identity(), [1; 32]);
    connection.receive(NOW, &[&[0xee; 4][..], &stream].concat());
    assert!(matches!(connection.poll(), Some(Ask::NeedKey(_))));
    connection.key_found(NOW, KeyLookup::Temporary(auth_key(), NOW.plus(1000)));
    assert!(matches!(connection.poll(), Some(Ask::Packet(_))));
    connection.receive(NOW.plus(999), &stream);
    assert!(matches!(connection.poll(), Some(Ask::Packet(_))));
    connection.receive(NOW.plus(1000), &stream);
    assert!(matches!(connection.poll(), Some(Ask::NeedKey(_))));
    connection.key_found(NOW.plus(1000), KeyLookup::NoSuchKey);
    let Some(Ask::Write(told)) = connection.poll() else {
        panic!("−404 and nothing else")
    };
    assert_eq!(
        told,
        [&4_u32.to_le_bytes()[..], &(-404_i32).to_le_bytes()].concat()
    );
}
