//! Rules TR-1 to TR-12: a byte stream becomes packets.
#![allow(clippy::unwrap_used, reason = "a test that fails")]

mod common;

use common::*;
use havre_mtproto::connection::{Connection, KeyLookup, Output as Ask};
use havre_mtproto::crypto::keys::Direction;
use havre_mtproto::limits::{
    FRAME_LEN_MAX, FRAME_LEN_MAX_CLIENT, HTTP_HEAD_MAX, IDLE_MS, SILENT_MS, WAITING_FRAMES_MAX,
};
use havre_mtproto::packet;
use havre_mtproto::transport::{Frame, Framing, Transport, TransportError};
use proptest::prelude::*;
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng as _;

const FRAMINGS: [Framing; 4] = [
    Framing::Abridged,
    Framing::Intermediate,
    Framing::Padded,
    Framing::Full,
];

fn rng() -> ChaCha12Rng {
    ChaCha12Rng::seed_from_u64(7)
}

/// A sealed packet with a body of so many bytes.
fn sealed(len: usize) -> Vec<u8> {
    let message = message(NOW.msg_id(), 1, vec![7; len]);
    packet::seal(&auth_key(), Direction::ToServer, (1, 2), &message, &mut rng())
}

/// What a client writes: its opening, and each packet, with the wish for a quick ack.
fn stream(framing: Framing, obfuscated: bool, packets: &[(Vec<u8>, bool)]) -> Vec<u8> {
    let random = obfuscated.then(|| std::array::from_fn(|i| (i * 5 + 1) as u8));
    let mut client = Transport::client(framing, random);
    let mut out = client.take_own();
    for (packet, quick_ack) in packets {
        client.send(packet, *quick_ack, &mut rng(), &mut out);
    }
    out
}

/// All packets of a stream that comes in pieces.
fn frames<'a>(
    transport: &mut Transport,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> Result<Vec<Frame>, TransportError> {
    let mut frames = Vec::new();
    for piece in pieces {
        let received = transport.receive(piece);
        while let Some(frame) = transport.next_frame()? {
            frames.push(frame);
        }
        received?;
    }
    Ok(frames)
}

fn at_once(stream: &[u8]) -> Result<Vec<Frame>, TransportError> {
    frames(&mut Transport::server(), [stream].into_iter())
}

/// A masked WebSocket frame, as browsers write it.
fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match payload.len() {
        len @ ..126 => frame.push(0x80 | len as u8),
        len @ ..0x1_0000 => {
            frame.push(0x80 | 126);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(0x80 | 127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    let mask = [9, 8, 7, 6];
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(b, m)| b ^ m));
    frame
}

fn upgrade(path: &str, protocol: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{protocol}\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    .into_bytes()
}

const BINARY: &str = "Sec-WebSocket-Protocol: binary\r\n";

#[test]
fn tr_1_the_transport_is_told_by_the_first_bytes() {
    let packets = [(sealed(40), false), (sealed(600), false)];
    for framing in FRAMINGS {
        for obfuscated in [false, true] {
            if obfuscated && framing == Framing::Full {
                continue;
            }
            let stream = stream(framing, obfuscated, &packets);
            let payloads: Vec<Vec<u8>> = at_once(&stream).unwrap().into_iter().map(|f| f.payload).collect();
            assert_eq!(
                payloads,
                packets.clone().map(|(p, _)| p),
                "{framing:?} {obfuscated}"
            );
        }
    }
}

#[test]
fn tr_1_other_openings_are_not_ours() {
    for opening in [
        &b"POST /api HTTP/1.1"[..],
        b"HEAD / HT",
        b"OPTIONS /",
        b"\x16\x03\x01\x02\0\x01",
    ] {
        assert_eq!(at_once(opening), Err(TransportError::Unknown));
    }
}

#[test]
fn tr_1_clients_headers_avoid_the_other_openings() {
    let openings = [
        [0; 64],
        [0xef; 64],
        [0xee; 64],
        [0xdd; 64],
        *b"GET ____POST____HEAD____OPTI____GET ____POST____HEAD____OPTI____",
    ];
    for random in openings {
        let mut client = Transport::client(Framing::Intermediate, Some(random));
        let mut out = client.take_own();
        client.send(&sealed(8), false, &mut rng(), &mut out);
        assert_eq!(at_once(&out).unwrap().len(), 1, "{random:02x?}");
    }
    let mut tls = [1; 64];
    tls[..4].copy_from_slice(&[0x16, 0x03, 0x01, 0x02]);
    let mut client = Transport::client(Framing::Abridged, Some(tls));
    let mut out = client.take_own();
    client.send(&sealed(8), false, &mut rng(), &mut out);
    assert_eq!(at_once(&out).unwrap().len(), 1);
}

#[test]
fn tr_2_abridged_lengths_are_counted_in_words() {
    let short = stream(Framing::Abridged, false, &[(vec![1; 4 * 0x7e], false)]);
    assert_eq!(short[..2], [0xef, 0x7e]);
    let long = stream(Framing::Abridged, false, &[(vec![1; 4 * 0x7f], true)]);
    assert_eq!(long[..5], [0xef, 0xff, 0x7f, 0, 0]);
    let frame = &at_once(&long).unwrap()[0];
    assert_eq!((frame.payload.len(), frame.quick_ack), (4 * 0x7f, true));
}

#[test]
fn tr_2_the_server_never_sends_an_opening() {
    for framing in FRAMINGS {
        let mut server = Transport::server();
        server
            .receive(&stream(framing, false, &[(sealed(8), false)]))
            .unwrap();
        assert_eq!(server.take_own(), b"");
        let mut out = Vec::new();
        server.send(&[5; 24], false, &mut rng(), &mut out);
        assert!(matches!(out[0], 6 | 24..40), "{framing:?}: {out:?}");
    }
}

#[test]
fn tr_3_the_top_bit_of_a_length_asks_for_a_quick_ack() {
    for framing in [Framing::Intermediate, Framing::Padded] {
        let wishes = [true, false, true];
        let packets = wishes.map(|wish| (sealed(16), wish));
        let got = at_once(&stream(framing, false, &packets)).unwrap();
        assert_eq!(got.iter().map(|f| f.quick_ack).collect::<Vec<_>>(), wishes);
    }
}

#[test]
fn tr_3_padding_is_cut_off_encrypted_and_plain_packets() {
    let plain = packet::plain(4, &[3; 20]);
    for packet in [sealed(20), plain] {
        for padding in 0..16_u8 {
            let mut stream = vec![0xdd; 4];
            stream.extend((packet.len() as u32 + u32::from(padding)).to_le_bytes());
            stream.extend(&packet);
            stream.extend((0..padding).map(|i| i.wrapping_mul(31)));
            assert_eq!(at_once(&stream).unwrap()[0].payload, packet);
        }
    }
    // A plain packet that says that it is longer than it is stays as it is.
    let mut lying = packet::plain(4, &[3; 20]);
    lying[16] = 0xff;
    let mut stream = vec![0xdd; 4];
    stream.extend((lying.len() as u32).to_le_bytes());
    stream.extend(&lying);
    let frame = &at_once(&stream).unwrap()[0];
    assert_eq!(frame.payload, lying);
    assert_eq!(packet::open_plain(&frame.payload), None);
}

#[test]
fn tr_3_padding_of_the_server_is_at_most_15_bytes() {
    let mut server = Transport::server();
    server.receive(&stream(Framing::Padded, false, &[])).unwrap();
    let (mut rng, mut lengths) = (rng(), Vec::new());
    for _ in 0..200 {
        let mut out = Vec::new();
        server.send(&[5; 40], false, &mut rng, &mut out);
        lengths.push(out.len() - 44);
        assert_eq!(
            u32::from_le_bytes(*out.first_chunk().unwrap()) as usize,
            out.len() - 4
        );
    }
    assert_eq!(
        (lengths.iter().min(), lengths.iter().max()),
        (Some(&0), Some(&15))
    );
}

#[test]
fn tr_3_notices_stay_shorter_than_what_clients_take_for_a_packet() {
    let mut rng = rng();
    for _ in 0..50 {
        let mut server = Transport::server();
        server.receive(&stream(Framing::Padded, false, &[])).unwrap();
        let (mut error, mut ack) = (Vec::new(), Vec::new());
        server.send(&packet::transport_error(-404), false, &mut rng, &mut error);
        server.send_quick_ack([1, 2, 3, 0x84], &mut rng, &mut ack);
        assert_eq!((error.len() - 4, ack.len() - 4), (4, 8));
    }
}

#[test]
fn tr_4_full_counts_packets_and_checks_them() {
    let good = stream(Framing::Full, false, &[(sealed(8), false), (sealed(12), false)]);
    assert_eq!(at_once(&good).unwrap().len(), 2);
    let len = u32::from_le_bytes(*good.first_chunk().unwrap()) as usize;
    assert_eq!(len, sealed(8).len() + 12, "the length counts everything");
    // A packet that comes twice, or not at all, is out of order.
    let twice = [&good[..len], &good[..len]].concat();
    assert_eq!(at_once(&twice), Err(TransportError::Counter));
    let mut broken = good.clone();
    broken[20] ^= 1;
    assert_eq!(at_once(&broken), Err(TransportError::Checksum));
    for short in [0_u32, 11] {
        let mut stream = short.to_le_bytes().to_vec();
        stream.extend([0; 8]);
        assert_eq!(at_once(&stream), Err(TransportError::Length));
    }
}

#[test]
fn tr_5_a_length_is_refused_before_its_bytes_come() {
    let too_long = FRAME_LEN_MAX as u32 + 4;
    let mut abridged = vec![0xef, 0x7f];
    abridged.extend(&(too_long / 4).to_le_bytes()[..3]);
    let intermediate = [[0xee; 4], too_long.to_le_bytes()].concat();
    let padded = [[0xdd; 4], too_long.to_le_bytes()].concat();
    let full = [(too_long + 8).to_le_bytes(), [0; 4]].concat();
    for opening in [abridged, intermediate, padded, full] {
        assert_eq!(at_once(&opening), Err(TransportError::Length), "{opening:02x?}");
    }
    let longest = stream(Framing::Intermediate, false, &[(vec![1; FRAME_LEN_MAX], false)]);
    assert_eq!(at_once(&longest).unwrap().len(), 1);
    let mut client = Transport::client(Framing::Intermediate, None);
    client
        .receive(&(FRAME_LEN_MAX_CLIENT as u32 + 1).to_le_bytes())
        .unwrap();
    assert_eq!(client.next_frame(), Err(TransportError::Length));
}

/// A connection that knows [`auth_key`], and what it has written so far.
fn connected(framing: Framing, packets: &[(Vec<u8>, bool)]) -> (Connection, Vec<u8>, usize) {
    let mut connection = Connection::new(NOW, identity(), [1; 32]);
    connection.receive(NOW, &stream(framing, false, packets));
    let (mut written, mut opened) = (Vec::new(), 0);
    while let Some(ask) = connection.poll() {
        match ask {
            Ask::NeedKey(_) => connection.key_found(NOW, KeyLookup::Found(auth_key())),
            Ask::Write(bytes) => written.extend(bytes),
            Ask::Packet(_) => opened += 1,
            other => panic!("{other:?}"),
        }
    }
    (connection, written, opened)
}

#[test]
fn tr_6_quick_acks_are_part_of_the_long_hash() {
    let packet = sealed(40);
    let opened = packet::open(&auth_key(), Direction::ToServer, packet.clone()).unwrap();
    let token = opened.quick_ack;
    assert_eq!(token[3] & 0x80, 0x80);
    let written = |framing| {
        let (_, written, opened) = connected(framing, &[(packet.clone(), true)]);
        assert_eq!(opened, 1, "it means received; the packet is served as any other");
        written
    };
    assert_eq!(written(Framing::Intermediate), token);
    assert_eq!(
        written(Framing::Abridged),
        [token[3], token[2], token[1], token[0]]
    );
    let padded = written(Framing::Padded);
    assert_eq!(usize::from(padded[0]), padded.len() - 4);
    assert_eq!(padded[4..8], [0xff; 4]);
    assert_eq!(padded[8..12], token);
    assert_eq!(padded[0], 8);
    assert_eq!(written(Framing::Full), b"");
    // Nobody asked, or it did not open: nothing is said.
    assert_eq!(
        connected(Framing::Intermediate, &[(packet.clone(), false)]).1,
        b""
    );
}

#[test]
fn tr_6_the_token_is_the_documented_one() {
    // SHA256(auth_key[88..120] + plaintext), its first four bytes, the top bit of the last set.
    let packet = sealed(40);
    let opened = packet::open(&auth_key(), Direction::ToServer, packet.clone()).unwrap();
    let msg_key: [u8; 16] = packet[8..24].try_into().unwrap();
    let mut plain = packet[24..].to_vec();
    auth_key()
        .cipher(Direction::ToServer, &msg_key)
        .decrypt(&mut plain);
    let large = havre_mtproto::crypto::sha256(&[&auth_key().secret()[88..120], &plain]);
    assert_eq!(opened.quick_ack, [large[0], large[1], large[2], large[3] | 0x80]);
}

/// What the first packet makes a connection say, given what the key store says.
fn answer_to(packet: &[u8], lookup: &KeyLookup) -> (Vec<u8>, bool) {
    let mut connection = Connection::new(NOW, identity(), [1; 32]);
    connection.receive(
        NOW,
        &stream(Framing::Intermediate, false, &[(packet.to_vec(), false)]),
    );
    let (mut written, mut closed) = (Vec::new(), false);
    while let Some(ask) = connection.poll() {
        match ask {
            Ask::NeedKey(_) => connection.key_found(NOW, lookup.clone()),
            Ask::Write(bytes) => written.extend(bytes),
            Ask::Close => closed = true,
            other => panic!("{other:?}"),
        }
    }
    (written, closed)
}

#[test]
fn tr_7_an_error_is_one_packet_with_a_negative_number() {
    let (written, closed) = answer_to(&sealed(8), &KeyLookup::NoSuchKey);
    assert_eq!(
        written,
        [&4_u32.to_le_bytes()[..], &(-404_i32).to_le_bytes()].concat()
    );
    assert!(!closed, "a handshake may follow on the same connection");
    let too_short = answer_to(&[1; 4], &KeyLookup::NoSuchKey);
    assert_eq!(too_short.0[4..], (-404_i32).to_le_bytes());
}

#[test]
fn tr_8_a_store_that_cannot_say_closes_without_a_word() {
    let unavailable = answer_to(&sealed(8), &KeyLookup::Unavailable);
    assert_eq!(unavailable, (Vec::new(), true));
    let wrong = havre_mtproto::crypto::AuthKey::new([1; 256]);
    assert_eq!(
        answer_to(&sealed(8), &KeyLookup::Found(wrong)),
        (Vec::new(), true)
    );
}

#[test]
fn tr_8_the_key_is_looked_up_once_for_all_packets_that_wait() {
    let packets: Vec<_> = (0..5).map(|_| (sealed(8), false)).collect();
    let mut connection = Connection::new(NOW, identity(), [1; 32]);
    connection.receive(NOW, &stream(Framing::Abridged, false, &packets));
    assert!(matches!(connection.poll(), Some(Ask::NeedKey(_))));
    assert!(connection.poll().is_none());
    connection.key_found(NOW, KeyLookup::Found(auth_key()));
    let asked: Vec<Ask> = std::iter::from_fn(|| connection.poll()).collect();
    assert_eq!(asked.len(), 5);
    assert!(asked.iter().all(|ask| matches!(ask, Ask::Packet(_))));
}

#[test]
fn tr_15_packets_that_wait_for_a_key_are_bounded() {
    let many: Vec<_> = (0..=WAITING_FRAMES_MAX).map(|_| (sealed(8), false)).collect();
    let large: Vec<_> = (0..3).map(|_| (sealed(FRAME_LEN_MAX - 200), false)).collect();
    for packets in [many, large] {
        let mut connection = Connection::new(NOW, identity(), [1; 32]);
        connection.receive(NOW, &stream(Framing::Abridged, false, &packets));
        assert!(matches!(connection.poll(), Some(Ask::NeedKey(_))));
        assert!(matches!(connection.poll(), Some(Ask::Close)));
    }
}

#[test]
fn tr_9_obfuscation_as_documented() {
    use ctr::cipher::{KeyIvInit as _, StreamCipher as _};
    type Aes = ctr::Ctr128BE<aes::Aes256>;
    let mut header: [u8; 64] = std::array::from_fn(|i| (i * 3 + 1) as u8);
    header[56..60].copy_from_slice(&[0xee; 4]);
    // A data centre that is not ours, as where no proxy is used: it is noise.
    header[60..62].copy_from_slice(&12_345_i16.to_le_bytes());
    let cipher = |bytes: &[u8]| Aes::new_from_slices(&bytes[..32], &bytes[32..48]).unwrap();
    let mut to_server = cipher(&header[8..56]);
    let reversed: Vec<u8> = header[8..56].iter().rev().copied().collect();
    let mut to_client = cipher(&reversed);
    let mut encrypted = header;
    to_server.apply_keystream(&mut encrypted);
    let mut stream = [&header[..56], &encrypted[56..]].concat();
    let packet = sealed(8);
    let mut framed = [&(packet.len() as u32).to_le_bytes()[..], &packet].concat();
    to_server.apply_keystream(&mut framed);
    stream.extend(framed);
    let mut server = Transport::server();
    let got = frames(&mut server, [&stream[..]].into_iter()).unwrap();
    assert_eq!(got[0].payload, packet);
    assert_eq!(server.dc_id(), None);
    let mut out = Vec::new();
    for n in [1, 2] {
        server.send(&[n; 4], false, &mut rng(), &mut out);
    }
    to_client.apply_keystream(&mut out);
    assert_eq!(out, [4, 0, 0, 0, 1, 1, 1, 1, 4, 0, 0, 0, 2, 2, 2, 2]);
}

#[test]
fn tr_9_the_header_names_the_data_centre_where_the_client_has_one_in_mind() {
    use ctr::cipher::{KeyIvInit as _, StreamCipher as _};
    for (named, dc_id) in [
        (1, Some(1)),
        (-4, Some(4)),
        (10_002, Some(2)),
        (-10_003, Some(3)),
        (0, None),
        (6, None),
        (10_000, None),
        (i16::MIN, None),
    ] {
        let mut header: [u8; 64] = std::array::from_fn(|i| (i * 3 + 1) as u8);
        header[56..60].copy_from_slice(&[0xee; 4]);
        header[60..62].copy_from_slice(&i16::to_le_bytes(named));
        let mut cipher =
            ctr::Ctr128BE::<aes::Aes256>::new_from_slices(&header[8..40], &header[40..56]).unwrap();
        let mut encrypted = header;
        cipher.apply_keystream(&mut encrypted);
        let mut server = Transport::server();
        server
            .receive(&[&header[..56], &encrypted[56..]].concat())
            .unwrap();
        assert_eq!(server.dc_id(), dc_id, "{named}");
    }
}

#[test]
fn tr_9_an_unknown_tag_is_dropped_without_a_word() {
    let mut connection = Connection::new(NOW, identity(), [1; 32]);
    connection.receive(NOW, &[0x77; 64]);
    assert!(matches!(connection.poll(), Some(Ask::Close)));
}

#[test]
fn tr_12_a_browser_speaks_through_a_web_socket() {
    for path in ["/apiws", "/apiws_test", "/apiws_premium"] {
        let mut server = Transport::server();
        let packet = sealed(300);
        let inside = stream(Framing::Abridged, true, &[(packet.clone(), false)]);
        let mut all = upgrade(path, BINARY);
        // Borders of frames mean nothing, and other frames may stand between.
        all.extend(masked(2, &inside[..70]));
        all.extend(masked(9, b"there?"));
        all.extend(masked(2, &inside[70..]));
        let got = frames(&mut server, [&all[..]].into_iter()).unwrap();
        assert_eq!(got[0].payload, packet);
        let own = server.take_own();
        let (answer, pong) = own.split_at(own.len() - 8);
        let answer = std::str::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 101 ") && answer.ends_with("\r\n\r\n"));
        assert!(answer.contains("\r\nSec-WebSocket-Protocol: binary\r\n"));
        assert_eq!(pong, b"\x8a\x06there?");
    }
}

#[test]
fn tr_12_what_came_before_the_close_still_counts() {
    let packet = sealed(30);
    let inside = stream(Framing::Intermediate, true, &[(packet.clone(), false)]);
    let all = [
        upgrade("/apiws", BINARY),
        masked(2, &inside),
        masked(8, &[3, 232]),
    ]
    .concat();
    let mut connection = Connection::new(NOW, identity(), [1; 32]);
    connection.receive(NOW, &all);
    let asked: Vec<Ask> = std::iter::from_fn(|| connection.poll()).collect();
    let [Ask::Write(own), Ask::NeedKey(_), Ask::Close] = &asked[..] else {
        panic!("{asked:?}")
    };
    assert!(own.ends_with(&[0x88, 2, 3, 232]), "the close is answered");
}

#[test]
fn tr_12_rules_of_the_web_socket() {
    let after_upgrade = |frame: Vec<u8>| at_once(&[upgrade("/apiws", BINARY), frame].concat());
    let mut unmasked = masked(2, b"abc");
    unmasked[1] &= 0x7f;
    let mut extended = masked(2, b"abc");
    extended[0] |= 0x40;
    let mut too_long = vec![0x82, 0xff];
    too_long.extend(u64::MAX.to_be_bytes());
    for frame in [
        unmasked,
        extended,
        masked(1, b"text"),
        masked(9, &[1; 126]),
        masked(8, &[1; 126]),
    ] {
        assert_eq!(
            after_upgrade(frame.clone()),
            Err(TransportError::WebSocket),
            "{frame:02x?}"
        );
    }
    assert_eq!(after_upgrade(too_long), Err(TransportError::Length));
    assert_eq!(at_once(&upgrade("/", BINARY)), Err(TransportError::WebSocket));
    assert_eq!(
        at_once(b"GET /apiws HTTP/1.1\r\n\r\n"),
        Err(TransportError::WebSocket)
    );
    let endless = [&b"GET /apiws HTTP/1.1\r\nX: "[..], &[b'x'; HTTP_HEAD_MAX]].concat();
    assert_eq!(at_once(&endless), Err(TransportError::WebSocket));
    // Obfuscation is not an option inside.
    let bare = stream(Framing::Abridged, false, &[(sealed(100), false)]);
    assert_eq!(after_upgrade(masked(2, &bare)), Err(TransportError::Unknown));
}

#[test]
fn tr_14_silent_and_idle_connections_are_closed() {
    let mut silent = Connection::new(NOW, identity(), [1; 32]);
    silent.receive(NOW, &[0xef]);
    assert_eq!(silent.timeout(), NOW.plus(SILENT_MS));
    silent.handle_timeout(NOW.plus(SILENT_MS - 1));
    assert!(silent.poll().is_none());
    silent.handle_timeout(NOW.plus(SILENT_MS));
    assert!(matches!(silent.poll(), Some(Ask::Close)));

    let (mut idle, _, _) = connected(Framing::Abridged, &[(sealed(8), false)]);
    assert_eq!(idle.timeout(), NOW.plus(IDLE_MS));
    let packet = stream(Framing::Abridged, false, &[(sealed(8), false)]);
    idle.receive(NOW.plus(50), &packet[1..]);
    assert_eq!(idle.timeout(), NOW.plus(50 + IDLE_MS));
    // The client's own timer replaces ours.
    idle.close_after(NOW, 7_000);
    idle.receive(NOW.plus(60), &packet[1..]);
    assert_eq!(idle.timeout(), NOW.plus(7_000));
}

#[test]
fn bytes_of_packets_that_are_not_whole_are_all_that_is_held() {
    for framing in FRAMINGS {
        let packets: Vec<_> = (0..50).map(|n| (sealed(n * 40), false)).collect();
        let stream = stream(framing, false, &packets);
        let mut server = Transport::server();
        for piece in stream.chunks(777) {
            server.receive(piece).unwrap();
            while server.next_frame().unwrap().is_some() {}
            assert!(server.buffered() < 50 * 40 + 100);
        }
        assert_eq!(server.buffered(), 0);
    }
}

/// Cuts a stream at these places.
fn cut<'a>(stream: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|at| at.index(stream.len() + 1)).collect();
    places.extend([0, stream.len()]);
    places.sort_unstable();
    places.windows(2).map(|two| &stream[two[0]..two[1]]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_split_of_a_stream_gives_the_same_packets(
        framing in prop::sample::select(&FRAMINGS[..]),
        obfuscated: bool,
        web: bool,
        lengths in prop::collection::vec((0_usize..700, any::<bool>()), 1..6),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let packets: Vec<_> = lengths.iter().map(|(len, quick)| (sealed(len / 4 * 4), *quick)).collect();
        let hidden = (obfuscated || web) && framing != Framing::Full;
        let mut whole = stream(framing, hidden, &packets);
        if web && hidden {
            let frames = whole.chunks(300).flat_map(|chunk| masked(2, chunk));
            whole = upgrade("/apiws", BINARY).into_iter().chain(frames).collect();
        }
        let got = frames(&mut Transport::server(), cut(&whole, &cuts).into_iter()).unwrap();
        prop_assert_eq!(got.len(), packets.len());
        for (frame, (packet, quick_ack)) in got.iter().zip(&packets) {
            prop_assert_eq!(&frame.payload, packet);
            prop_assert_eq!(frame.quick_ack, *quick_ack && framing != Framing::Full);
        }
    }

    #[test]
    fn arbitrary_bytes_into_a_connection_never_panic_and_are_bounded(
        opening in prop::sample::select(vec![
            vec![], vec![0xef], vec![0xee; 4], vec![0xdd; 4], vec![40, 0, 0, 0, 0, 0, 0, 0],
            upgrade("/apiws", BINARY), stream(Framing::Abridged, true, &[]),
        ]),
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..12),
    ) {
        let mut connection = Connection::new(NOW, identity(), [1; 32]);
        connection.receive(NOW, &opening);
        let mut written = 0;
        for piece in &pieces {
            connection.receive(NOW, piece);
            while let Some(ask) = connection.poll() {
                match ask {
                    Ask::NeedKey(_) => connection.key_found(NOW, KeyLookup::NoSuchKey),
                    Ask::Work(work) => connection.work_done(NOW, Some(work.run())),
                    Ask::StoreKey(_) => connection.key_stored(NOW, None),
                    Ask::Write(bytes) => written += bytes.len(),
                    Ask::Packet(_) => prop_assert!(false, "nobody has this key"),
                    Ask::Close => return Ok(()),
                }
            }
        }
        let received: usize = pieces.iter().map(Vec::len).sum();
        prop_assert!(written <= 400 + 8 * received, "{} for {}", written, received);
    }
}
