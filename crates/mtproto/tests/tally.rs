//! What a connection and a session notice, for whoever counts.
#![allow(clippy::unwrap_used, reason = "a test that fails")]

mod common;

use common::*;
use havre_mtproto::bytes::Writer as _;
use havre_mtproto::connection::{Connection, KeyLookup, Output as Ask};
use havre_mtproto::packet;
use havre_mtproto::tally::{Notice, Tally};

fn noticed(tally: &mut Tally) -> Vec<(Notice, u32)> {
    tally.take().into_iter().flatten().collect()
}

/// A packet of the intermediate transport.
fn framed(packet: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.u32(packet.len() as u32);
    bytes.extend(packet);
    bytes
}

fn connection() -> Connection {
    let mut connection = Connection::new(NOW, identity(), [1; 32]);
    connection.receive(NOW, &[0xee; 4]);
    connection
}

fn say_plain(connection: &mut Connection, body: &[u8]) {
    connection.receive(NOW, &framed(&packet::plain(NOW.msg_id(), body)));
    while connection.poll().is_some() {}
}

#[test]
fn handshakes_are_counted_by_what_became_of_them() {
    let mut connection = connection();
    let request = object(id::REQ_PQ_MULTI, |b| b.extend([7; 16]));
    say_plain(&mut connection, &request);
    assert_eq!(noticed(&mut connection.tally), [(Notice::HandshakeBegun, 1)]);
    say_plain(&mut connection, &request);
    assert_eq!(noticed(&mut connection.tally), [(Notice::HandshakeReplayed, 1)]);
    say_plain(&mut connection, &[1, 2, 3]);
    assert_eq!(noticed(&mut connection.tally), [(Notice::HandshakeMalformed, 1)]);
    assert_eq!(noticed(&mut connection.tally), []);
}

#[test]
fn packets_that_lead_nowhere_are_counted() {
    let mut connection = connection();
    connection.receive(NOW, &framed(&[1, 2, 3, 4]));
    assert_eq!(noticed(&mut connection.tally), [(Notice::BadPlain, 1)]);
    let mut sealed = auth_key().id().to_le_bytes().to_vec();
    sealed.extend([9; 64]);
    connection.receive(NOW, &framed(&sealed));
    let asked = std::iter::from_fn(|| connection.poll()).any(|ask| matches!(ask, Ask::NeedKey(_)));
    assert!(asked);
    connection.key_found(NOW, KeyLookup::Found(auth_key()));
    assert_eq!(noticed(&mut connection.tally), [(Notice::BadSealed, 1)]);
    let mut other = self::connection();
    other.receive(NOW, &[0xff; 8]);
    assert_eq!(noticed(&mut other.tally), [(Notice::BadFraming, 1)]);
}

#[test]
fn messages_that_are_not_taken_are_counted() {
    let mut rig = Rig::new();
    let old = message(NOW.plus(-1_000_000).msg_id(), 1, echo(1));
    rig.give(old);
    let odd = message(rig.next_id() + 1, 1, echo(1));
    rig.give(odd);
    let counts = noticed(&mut rig.session.tally);
    assert_eq!(counts, [(Notice::BadTime, 1), (Notice::BadNumber, 1)]);
    rig.send(echo(2));
    assert_eq!(noticed(&mut rig.session.tally), []);
}
