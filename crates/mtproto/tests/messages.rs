//! What a session makes of messages whose packets are in order: salts, message ids, sequence numbers,
//! containers, packing, and each code of `bad_msg_notification`.
#![allow(clippy::unwrap_used, reason = "a test that fails")]

mod common;

use std::io::Write as _;

use common::*;
use havre_mtproto::bytes::{Reader, Writer as _};
use havre_mtproto::limits::{
    CONTAINER_BYTES_MAX, CONTAINER_MESSAGES_MAX, GZIP_UNPACKED_MAX, MSG_ID_FUTURE_MS, MSG_ID_PAST_MS,
    PACKET_UNPACKED_MAX, SEEN_MAX, SEEN_RECENT_MAX,
};
use havre_mtproto::packet::Message;
use havre_mtproto::salts::Salts;
use havre_mtproto::session::{Answer, Output as Wish};
use havre_mtproto::time::Millis;
use proptest::prelude::*;

const KEY: i64 = 0x0a17;
const MINUTE: i64 = 60_000;

fn salts() -> Salts {
    Salts::new([5; 32])
}

proptest! {
    #[test]
    fn salts_change_every_30_minutes_and_are_good_for_30_more(ms in 0_i64..4_000_000_000_000) {
        let now = Millis(ms);
        let salt = salts().current(KEY, now);
        let began = Millis(ms - ms % (30 * MINUTE));
        for (after, is_current, is_valid) in [
            (0, true, true),
            (30 * MINUTE - 1, true, true),
            (30 * MINUTE, false, true),
            (60 * MINUTE - 1, false, true),
            (60 * MINUTE, false, false),
        ] {
            let at = began.plus(after);
            prop_assert_eq!(salts().current(KEY, at) == salt, is_current, "{}", after);
            prop_assert_eq!(salts().is_valid(KEY, at, salt), is_valid, "{}", after);
        }
    }

    #[test]
    fn salts_of_the_future_are_valid_for_as_long_as_they_say(
        ms in 0_i64..2_000_000_000_000, count in 1_usize..=64, at in 0_i64..3600,
    ) {
        let now = Millis(ms);
        let future = salts().future(KEY, now, count);
        prop_assert_eq!(future.len(), count);
        prop_assert!(i64::from(future[0].0) <= ms / 1000, "the first is good now");
        for (since, until, salt) in &future {
            prop_assert_eq!(until - since, 3600);
            let then = Millis((i64::from(*since) + at) * 1000);
            prop_assert!(salts().is_valid(KEY, then, *salt));
        }
        for two in future.windows(2) {
            prop_assert!(two[0].0 < two[1].0 && two[1].0 <= two[0].1, "no gap between them");
        }
    }

    #[test]
    fn salts_belong_to_one_key_and_one_server(ms in 0_i64..2_000_000_000_000, other: i64) {
        prop_assume!(other != KEY);
        let now = Millis(ms);
        let salt = salts().current(KEY, now);
        prop_assert!(!salts().is_valid(other, now, salt));
        prop_assert!(!Salts::new([6; 32]).is_valid(KEY, now, salt));
        prop_assert_eq!(Salts::new([5; 32]).current(KEY, now), salt, "the same on all nodes");
    }
}

/// Sends a call with this salt; what it is told, and whether it ran.
fn with_salt(rig: &mut Rig, salt: i64, first: Option<i64>) -> (Vec<Vec<u8>>, bool) {
    let sent = rig.content(echo(1));
    rig.session.handle(rig.now, &rig.salts, (salt, first), sent, 1);
    let told = rig.bodies(id::BAD_SERVER_SALT);
    (told, !rig.requests().is_empty())
}

#[test]
fn salts_that_are_wrong_are_told_the_right_one_and_nothing_runs() {
    let mut rig = Rig::new();
    for wrong in [0, -1, rig.salt() ^ 1] {
        let (told, ran) = with_salt(&mut rig, wrong, None);
        assert!(!ran);
        let mut reader = Reader(&told[0][4..]);
        let (_, _, code) = (
            reader.i64().unwrap(),
            reader.i32().unwrap(),
            reader.i32().unwrap(),
        );
        assert_eq!((code, reader.i64().unwrap()), (48, rig.salt()));
        assert!(reader.0.is_empty());
    }
}

#[test]
fn salts_are_told_again_when_they_are_stale() {
    let mut rig = Rig::new();
    let salt = rig.salt();
    rig.wait(30 * MINUTE);
    assert_eq!(with_salt(&mut rig, salt, None), (vec![], true), "the one before");
    rig.wait(30 * MINUTE);
    let (told, ran) = with_salt(&mut rig, salt, None);
    assert_eq!((told.len(), ran), (1, false));
}

#[test]
fn salts_of_the_handshake_are_good_on_its_connection() {
    let mut rig = Rig::new();
    assert_eq!(with_salt(&mut rig, 4711, Some(4711)), (vec![], true));
    let (told, ran) = with_salt(&mut rig, 4712, Some(4711));
    assert_eq!((told.len(), ran), (1, false));
}

#[test]
fn bad_msg_48_greets_nobody_and_what_comes_again_runs() {
    let mut rig = Rig::fresh();
    let sent = rig.content(echo(1));
    rig.session
        .handle(rig.now, &rig.salts, (1, None), sent.clone(), 1);
    let told: Vec<u32> = rig.sent().iter().map(|m| constructor(&m.body)).collect();
    assert_eq!(told, [id::BAD_SERVER_SALT]);
    rig.give(sent.clone());
    assert_eq!(rig.requests(), [sent.msg_id]);
}

/// The code of the notification that one message gets, if any; nothing else comes.
fn told(rig: &mut Rig, sent: Message) -> Option<i32> {
    let (msg_id, seq_no) = (sent.msg_id, sent.seq_no);
    rig.give(sent);
    let notices = rig.bodies(id::BAD_MSG_NOTIFICATION);
    assert!(notices.len() <= 1);
    let mut reader = Reader(notices.first()?.get(4..)?);
    assert_eq!(reader.i64(), Ok(msg_id));
    assert_eq!(reader.i32(), Ok(seq_no));
    let code = reader.i32().unwrap();
    assert!(reader.0.is_empty());
    Some(code)
}

/// The first message id that names this instant or a later one.
fn id_at(now: Millis) -> i64 {
    let id = now.msg_id();
    (id..)
        .step_by(4)
        .find(|id| Millis::of_msg_id(*id) >= now)
        .unwrap()
}

#[test]
fn bad_msg_16_is_for_ids_of_over_300_seconds_ago() {
    let mut rig = Rig::new();
    let oldest = id_at(rig.now.plus(-MSG_ID_PAST_MS));
    assert_eq!(MSG_ID_PAST_MS, 300_000);
    assert_eq!(told(&mut rig, message(oldest, 1, echo(1))), None);
    assert_eq!(rig.requests(), [oldest]);
    let older = id_at(rig.now.plus(-MSG_ID_PAST_MS - 1));
    assert_eq!(told(&mut rig, message(older, 1, echo(1))), Some(16));
    for older in [0, 4, i64::MIN] {
        assert_eq!(told(&mut rig, message(older, 1, echo(1))), Some(16));
    }
    assert_eq!(rig.requests(), []);
}

#[test]
fn bad_msg_17_is_for_ids_of_over_30_seconds_ahead() {
    let mut rig = Rig::new();
    let newest = id_at(rig.now.plus(MSG_ID_FUTURE_MS));
    assert_eq!(MSG_ID_FUTURE_MS, 30_000);
    assert_eq!(told(&mut rig, message(newest, 1, echo(1))), None);
    assert_eq!(rig.requests(), [newest]);
    let newer = id_at(rig.now.plus(MSG_ID_FUTURE_MS + 1));
    for newer in [newer, i64::MAX - 3] {
        assert_eq!(told(&mut rig, message(newer, 1, echo(1))), Some(17));
    }
    assert_eq!(rig.requests(), []);
}

#[test]
fn bad_msg_16_and_17_tell_the_time_by_their_own_id() {
    for wrong in [-4_000_000, 4_000_000] {
        let mut rig = Rig::fresh();
        rig.give(message(rig.now.plus(wrong).msg_id(), 1, echo(1)));
        let sent = rig.sent();
        assert_eq!(sent.len(), 1, "no greeting: the session has not begun");
        assert_eq!(sent[0].msg_id >> 32, i64::from(rig.now.seconds()));
        assert_eq!(sent[0].seq_no & 1, 0);
    }
}

#[test]
fn bad_msg_18_is_for_ids_that_4_does_not_divide() {
    let mut rig = Rig::new();
    for low in 1..4 {
        let msg_id = rig.next_id() | low;
        assert_eq!(told(&mut rig, message(msg_id, 1, echo(1))), Some(18));
    }
    assert_eq!(rig.requests(), []);
}

#[test]
fn bad_msg_19_is_for_a_container_with_the_id_of_a_message() {
    let mut rig = Rig::new();
    let running = rig.send(echo(1));
    let answered = rig.send(echo(2));
    rig.session.answer(rig.now, answered, Answer::Result(echo(2)));
    let pinged = rig.send(ping(1));
    rig.requests();
    rig.sent();
    for id in [running, answered, pinged] {
        let inner = message(id - 4, 9, echo(3));
        assert_eq!(told(&mut rig, message(id, 10, container(&[inner]))), Some(19));
    }
    assert_eq!(rig.requests(), []);
}

#[test]
fn bad_msg_19_is_not_for_a_container_that_comes_again() {
    let mut rig = Rig::new();
    let inner = rig.content(echo(1));
    let whole = rig.container_of(std::slice::from_ref(&inner));
    assert_eq!(told(&mut rig, whole.clone()), None);
    assert_eq!(told(&mut rig, whole), None);
    assert_eq!(rig.requests(), [inner.msg_id], "run once");
}

/// Old calls in a container of now: how clients send again what was not answered.
fn again(rig: &mut Rig, msg_id: i64) -> Option<i32> {
    let inner = message(msg_id, 1, echo(1));
    let whole = rig.container_of(&[inner]);
    rig.give(whole);
    rig.bad().map(|(id, code)| {
        assert_eq!(id, msg_id);
        code
    })
}

#[test]
fn bad_msg_20_is_for_ids_that_are_too_old_to_know() {
    let mut rig = Rig::new();
    let first = rig.send(echo(1));
    rig.session.answer(rig.now, first, Answer::Result(echo(1)));
    for _ in 0..SEEN_MAX {
        rig.send(ping(1));
    }
    rig.wait(MSG_ID_PAST_MS + 1);
    rig.send(ping(1));
    rig.requests();
    rig.sent();
    assert_eq!(again(&mut rig, first), Some(20));
    assert_eq!(again(&mut rig, first - 400), Some(20));
    assert_eq!(rig.requests(), [], "nobody knows whether it ran");
}

#[test]
fn bad_msg_20_is_not_for_the_last_ids_however_old() {
    let mut rig = Rig::new();
    let first = rig.send(echo(1));
    rig.requests();
    rig.session.answer(rig.now, first, Answer::Result(echo(1)));
    for _ in 0..1000 {
        rig.send(ping(1));
    }
    rig.wait(MSG_ID_PAST_MS * 2);
    rig.send(ping(1));
    rig.sent();
    assert_eq!(again(&mut rig, first), None);
    assert_eq!(rig.requests(), []);
}

#[test]
fn msg_ids_of_the_last_300_seconds_are_remembered_however_many() {
    let mut rig = Rig::new();
    let first = rig.send(echo(1));
    assert_eq!(rig.requests(), [first]);
    for _ in 0..SEEN_MAX * 2 {
        rig.send(ping(1));
    }
    rig.wait(MSG_ID_PAST_MS - 1_000);
    rig.session.answer(rig.now, first, Answer::Result(echo(1)));
    rig.sent();
    assert_eq!(again(&mut rig, first), None);
    assert_eq!(rig.requests(), []);
}

#[test]
fn msg_ids_that_are_remembered_are_bounded_and_none_runs_twice() {
    let mut rig = Rig::new();
    let first = rig.send(echo(1));
    rig.session.answer(rig.now, first, Answer::Result(echo(1)));
    assert_eq!(rig.requests(), [first]);
    for _ in 0..SEEN_RECENT_MAX {
        rig.send(ping(1));
    }
    rig.sent();
    assert_eq!(again(&mut rig, first), Some(20));
    assert_eq!(rig.requests(), []);
}

#[test]
fn msg_ids_that_are_not_answered_are_remembered_however_old() {
    let mut rig = Rig::new();
    let first = rig.send(echo(1));
    for _ in 0..10 {
        for _ in 0..SEEN_MAX / 4 {
            rig.send(ping(1));
        }
        rig.wait(MSG_ID_PAST_MS);
    }
    assert_eq!(rig.requests(), [first]);
    rig.sent();
    assert_eq!(again(&mut rig, first), None);
    assert_eq!(rig.requests(), []);
}

#[test]
fn msg_ids_inside_a_container_may_be_of_any_time() {
    let mut rig = Rig::new();
    let old = rig.now.plus(-10 * MSG_ID_PAST_MS).msg_id();
    let inner = [message(old, 1, echo(1)), message(old + 4, 3, echo(2))];
    let whole = rig.container_of(&inner);
    assert_eq!(told(&mut rig, whole), None);
    assert_eq!(rig.requests(), [old, old + 4]);
}

const MSG_COPY: u32 = 0xe060_46b2;
const HTTP_WAIT: u32 = 0x9299_359f;
const MSGS_ALL_INFO: u32 = 0x8cc0_d131;
const MSG_NEW_DETAILED_INFO: u32 = 0x809d_b6df;

/// `gzip_packed` of an object.
fn packed(object_packed: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(object_packed).unwrap();
    let bytes = encoder.finish().unwrap();
    object(id::GZIP_PACKED, |b| b.string(&bytes))
}

/// The calls that it wants run.
fn bodies(rig: &mut Rig) -> Vec<Vec<u8>> {
    let wishes = rig.wishes().into_iter();
    let bodies = wishes.filter_map(|wish| match wish {
        Wish::Request { body, .. } => Some(body),
        _ => None,
    });
    bodies.collect()
}

#[test]
fn bad_msg_35_is_for_calls_with_an_even_number() {
    let mut rig = Rig::new();
    for body in [echo(1), packed(&echo(1)), packed(&packed(&echo(1)))] {
        let sent = rig.quiet(body);
        assert_eq!(told(&mut rig, sent), Some(35));
    }
    assert_eq!(rig.requests(), []);
}

#[test]
fn bad_msg_34_is_for_containers_and_copies_with_an_odd_number() {
    let mut rig = Rig::new();
    let inner = rig.content(echo(1));
    let whole = rig.content(container(&[inner]));
    assert_eq!(told(&mut rig, whole), Some(34));
    assert_eq!(rig.requests(), [], "all of it is refused");
    for body in [object(MSG_COPY, |_| {}), packed(&object(MSG_COPY, |_| {}))] {
        let sent = rig.content(body);
        assert_eq!(told(&mut rig, sent), Some(34));
    }
}

#[test]
fn seq_no_of_an_odd_acknowledgement_is_let_pass() {
    // mtcute numbers them so, and gives its session up when it is told 34.
    let mut rig = Rig::new();
    let call = rig.send(echo(1));
    rig.session.answer(rig.now, call, Answer::Result(echo(1)));
    let answer = rig.sent()[0].msg_id;
    let sent = rig.content(acks(&[answer]));
    assert_eq!(told(&mut rig, sent), None);
    rig.session.connection_closed(CONNECTION);
    assert_eq!(rig.bodies(id::RPC_RESULT).len(), 0, "it counts");
}

/// Service messages of which either parity is right.
fn services() -> Vec<Vec<u8>> {
    vec![
        ping(1),
        object(id::PING_DELAY_DISCONNECT, |b| {
            b.i64(1);
            b.i32(60);
        }),
        object(id::GET_FUTURE_SALTS, |b| b.i32(1)),
        object(id::MSGS_STATE_REQ, |b| b.longs(&[4])),
        object(id::MSGS_STATE_INFO, |b| {
            b.i64(4);
            b.string(&[4]);
        }),
        object(MSGS_ALL_INFO, |b| {
            b.longs(&[4]);
            b.string(&[4]);
        }),
        object(id::MSG_DETAILED_INFO, |b| b.extend([0; 24])),
        object(MSG_NEW_DETAILED_INFO, |b| b.extend([0; 20])),
        object(id::MSG_RESEND_REQ, |b| b.longs(&[4])),
        object(id::MSG_RESEND_ANS_REQ, |b| b.longs(&[4])),
        object(id::RPC_DROP_ANSWER, |b| b.i64(4)),
        object(id::DESTROY_SESSION, |b| b.i64(4)),
        object(id::DESTROY_AUTH_KEY, |_| {}),
        object(HTTP_WAIT, |b| b.extend([0; 12])),
    ]
}

#[test]
fn seq_no_of_service_messages_may_be_odd_or_even() {
    for body in services() {
        for body in [body.clone(), packed(&body)] {
            let mut rig = Rig::new();
            let sent = rig.content(body.clone());
            assert_eq!(told(&mut rig, sent), None, "odd {body:x?}");
            let sent = rig.quiet(body.clone());
            assert_eq!(told(&mut rig, sent), None, "even {body:x?}");
            assert_eq!(bodies(&mut rig), Vec::<Vec<u8>>::new(), "none is a call");
        }
    }
}

#[test]
fn seq_no_says_whether_an_acknowledgement_is_wanted() {
    for body in [
        object(MSGS_ALL_INFO, |_| {}),
        object(HTTP_WAIT, |_| {}),
        Vec::new(),
    ] {
        let mut rig = Rig::new();
        let even = rig.quiet(body.clone());
        rig.give(even);
        assert_eq!(rig.bodies(id::MSGS_ACK), Vec::<Vec<u8>>::new());
        let odd = rig.send(body);
        assert_eq!(rig.bodies(id::MSGS_ACK), [acks(&[odd])]);
    }
}

proptest! {
    #[test]
    fn bad_msg_32_and_33_are_never_sent(seq_nos in prop::collection::vec(any::<i32>(), 1..20)) {
        let mut rig = Rig::new();
        for (n, seq_no) in seq_nos.iter().enumerate() {
            let msg_id = rig.next_id();
            let sent = if n % 2 == 0 {
                message(msg_id, seq_no | 1, echo(1))
            } else {
                message(msg_id, seq_no & !1, ping(1))
            };
            prop_assert_eq!(told(&mut rig, sent), None);
        }
        prop_assert_eq!(rig.requests().len(), seq_nos.len().div_ceil(2));
    }
}

/// The code for a container with this body, and what it made run.
fn contained(rig: &mut Rig, body: Vec<u8>) -> (Option<i32>, usize) {
    rig.wait(1_000);
    let sent = rig.quiet(body);
    let code = told(rig, sent);
    (code, bodies(rig).len())
}

fn calls(rig: &mut Rig, count: usize) -> Vec<Message> {
    (0..count).map(|_| rig.content(echo(1))).collect()
}

#[test]
fn containers_have_at_most_1024_messages() {
    let mut rig = Rig::new();
    assert_eq!(CONTAINER_MESSAGES_MAX, 1024);
    let most = calls(&mut rig, 1024);
    assert_eq!(contained(&mut rig, container(&most)), (None, 1024));
    let more = calls(&mut rig, 1025);
    assert_eq!(contained(&mut rig, container(&more)), (Some(64), 0));
}

#[test]
fn bad_msg_64_is_for_broken_containers_and_none_of_one_runs() {
    let mut rig = Rig::new();
    let good = calls(&mut rig, 2);
    let body = container(&good);
    let head = body.len() - 28;
    let with_len = |len: u32| {
        let mut body = body.clone();
        body[head + 12..head + 16].copy_from_slice(&len.to_le_bytes());
        body
    };
    let with_count = |count: u32| [&body[..4], &count.to_le_bytes(), &body[8..]].concat();
    let broken = [
        ("cut off", body[..body.len() - 4].to_vec()),
        ("a head alone", body[..head + 16].to_vec()),
        ("no count", body[..4].to_vec()),
        ("more behind it", [&body[..], &[0; 4]].concat()),
        ("a body too short", with_len(8)),
        ("a body too long", with_len(16)),
        ("no number of words", with_len(11)),
        ("a length beyond everything", with_len(u32::MAX)),
        ("one message too few", with_count(3)),
        ("one message too many", with_count(1)),
        ("a count beyond everything", with_count(u32::MAX)),
    ];
    for (why, body) in broken {
        assert_eq!(contained(&mut rig, body), (Some(64), 0), "{why}");
    }
    let nested = message(rig.next_id(), 4, container(&[]));
    let body = container(&[good[0].clone(), nested]);
    assert_eq!(contained(&mut rig, body), (Some(64), 0), "one inside");
    let body = container(&[good[0].clone(), message(good[1].msg_id | 1, 3, echo(2))]);
    assert_eq!(contained(&mut rig, body), (Some(64), 0), "an id of ours");
    assert_eq!(contained(&mut rig, container(&good)), (None, 2), "as it was");
}

#[test]
fn bad_msg_64_is_for_a_packed_container() {
    let mut rig = Rig::new();
    let inner = calls(&mut rig, 1);
    let sent = rig.quiet(packed(&container(&inner)));
    assert_eq!(told(&mut rig, sent), Some(64));
    assert_eq!(rig.requests(), []);
}

#[test]
fn containers_have_a_higher_id_than_their_messages() {
    for (ahead, code) in [(-4, None), (0, Some(64)), (4, Some(64))] {
        let mut rig = Rig::new();
        rig.wait(1_000);
        let msg_id = rig.next_id();
        let inner = [
            message(msg_id - 400, 1, echo(1)),
            message(msg_id + ahead, 3, echo(2)),
        ];
        assert_eq!(told(&mut rig, message(msg_id, 4, container(&inner))), code);
        assert_eq!(bodies(&mut rig).is_empty(), code.is_some());
    }
}

#[test]
fn containers_may_be_empty_and_are_not_acknowledged() {
    let mut rig = Rig::new();
    for _ in 0..2 {
        let empty = rig.container_of(&[]);
        rig.give(empty.clone());
        rig.give(empty);
    }
    assert_eq!(rig.sent(), []);
    let inner = calls(&mut rig, 1);
    let whole = rig.container_of(&inner);
    rig.give(whole);
    rig.wait(2_000);
    rig.session.handle_timeout(rig.now);
    assert_eq!(rig.bodies(id::MSGS_ACK), [acks(&[inner[0].msg_id])]);
}

#[test]
fn gzip_may_be_around_calls_and_services_alone_or_in_containers() {
    let mut rig = Rig::new();
    let alone = rig.content(packed(&echo(1)));
    rig.give(alone);
    let inner = [
        rig.content(packed(&packed(&echo(2)))),
        rig.quiet(packed(&ping(3))),
    ];
    let whole = rig.container_of(&inner);
    rig.give(whole);
    assert_eq!(bodies(&mut rig), [echo(1), echo(2)]);
    assert_eq!(rig.bodies(id::PONG).len(), 1);
}

#[test]
fn gzip_in_the_form_of_zlib_is_taken_too() {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&echo(1)).unwrap();
    let bytes = encoder.finish().unwrap();
    let mut rig = Rig::new();
    rig.send(object(id::GZIP_PACKED, |b| b.string(&bytes)));
    assert_eq!(bodies(&mut rig), [echo(1)]);
}

/// A call that unpacks to this many bytes.
fn bomb(len: usize) -> Vec<u8> {
    let mut unpacked = echo(1);
    unpacked.resize(len, 0);
    packed(&unpacked)
}

/// Lengths of the calls that packed messages in one container make run, and how many are refused.
fn exploded(inner: &[Vec<u8>]) -> (Vec<usize>, usize) {
    let mut rig = Rig::new();
    let inner: Vec<Message> = inner.iter().map(|body| rig.content(body.clone())).collect();
    let whole = rig.container_of(&inner);
    rig.give(whole);
    let ran = bodies(&mut rig).iter().map(Vec::len).collect();
    let sent = rig.sent();
    assert!(
        sent.iter()
            .all(|m| constructor(&m.body) != id::BAD_MSG_NOTIFICATION)
    );
    (
        ran,
        sent.iter()
            .filter(|m| constructor(&m.body) == id::RPC_RESULT)
            .count(),
    )
}

#[test]
fn gzip_gives_at_most_10_mib() {
    assert_eq!(GZIP_UNPACKED_MAX, 10 << 20);
    let (most, more) = (GZIP_UNPACKED_MAX, GZIP_UNPACKED_MAX + 1);
    assert_eq!(exploded(&[bomb(most)]), (vec![most], 0));
    assert_eq!(exploded(&[bomb(more), echo(1)]), (vec![12], 1));
}

#[test]
fn gzip_gives_at_most_32_mib_for_each_packet_and_failures_count() {
    assert_eq!(PACKET_UNPACKED_MAX, 32 << 20);
    let ten = GZIP_UNPACKED_MAX;
    let rest = PACKET_UNPACKED_MAX - 3 * ten;
    let three = [bomb(ten), bomb(ten), bomb(ten)];
    let with = |more: usize| exploded(&[&three[..], &[bomb(more)]].concat());
    assert_eq!(with(rest), (vec![ten, ten, ten, rest], 0));
    assert_eq!(with(rest + 1), (vec![ten, ten, ten], 1));
    let failing = [bomb(ten + 1), bomb(ten + 1), bomb(ten + 1), bomb(rest)];
    assert_eq!(exploded(&failing), (vec![], 4));
    let layers = [packed(&bomb(ten - 1_000)), bomb(ten), bomb(ten), bomb(rest)];
    assert_eq!(exploded(&layers).1, 1, "all levels count");
}

#[test]
fn gzip_is_looked_into_three_deep() {
    let three = packed(&packed(&packed(&echo(1))));
    assert_eq!(exploded(std::slice::from_ref(&three)), (vec![12], 0));
    assert_eq!(exploded(&[packed(&three)]), (vec![], 1));
}

#[test]
fn gzip_that_is_broken_fails_its_call_and_nothing_else() {
    let whole = packed(&echo(1));
    let broken = [
        object(id::GZIP_PACKED, |_| {}),
        object(id::GZIP_PACKED, |b| b.string(b"not packed at all")),
        object(id::GZIP_PACKED, |b| b.string(&[])),
        whole[..whole.len() / 2].to_vec(),
    ];
    for body in broken {
        let mut rig = Rig::new();
        let call = rig.send(body.clone());
        let error = object(id::RPC_RESULT, |b| {
            b.i64(call);
            b.u32(id::RPC_ERROR);
            b.i32(400);
            b.string(b"INPUT_REQUEST_INVALID");
        });
        assert_eq!(rig.bodies(id::RPC_RESULT), [error]);
        let even = rig.quiet(body);
        rig.give(even);
        assert_eq!(rig.sent(), [], "nobody asked");
        rig.send(echo(1));
        assert_eq!(bodies(&mut rig), [echo(1)]);
    }
}

/// What may happen to a session.
#[derive(Clone, Debug)]
enum Deed {
    Call,
    /// The call that waits for longest gets a result of this many words, or an error.
    Answer(Option<usize>),
    Push(usize),
    Ping,
    Service(prop::sample::Index),
    /// The clock goes on, or back.
    Wait(i64),
    Acknowledge,
    Reconnect,
    Transmit,
}

fn deed() -> impl Strategy<Value = Deed> {
    let words = || prop_oneof![4 => 0_usize..200, 1 => 30_000_usize..50_000];
    prop_oneof![
        4 => Just(Deed::Call),
        4 => prop::option::of(words()).prop_map(Deed::Answer),
        2 => words().prop_map(Deed::Push),
        2 => Just(Deed::Ping),
        1 => any::<prop::sample::Index>().prop_map(Deed::Service),
        2 => (-5_000_i64..200_000).prop_map(Deed::Wait),
        1 => Just(Deed::Acknowledge),
        1 => Just(Deed::Reconnect),
        3 => Just(Deed::Transmit),
    ]
}

const PUSH: u32 = 0x0900_0900;

/// A body that does not pack.
fn noise(constructor: u32, words: usize) -> Vec<u8> {
    let noise =
        (0..words as u64).flat_map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()[4..].to_vec());
    object(constructor, |b| b.extend(noise))
}

/// A session to which things happen, and every packet that it sent.
struct Life {
    rig: Rig,
    packets: Vec<Message>,
    running: Vec<i64>,
}

impl Life {
    fn live(deeds: &[Deed]) -> Self {
        let (packets, running) = (Vec::new(), Vec::new());
        let mut life = Self {
            rig: Rig::fresh(),
            packets,
            running,
        };
        deeds.iter().for_each(|deed| life.meet(deed));
        life.transmit();
        life
    }

    fn transmit(&mut self) {
        while let Some(packet) = self.rig.session.transmit(self.rig.now, CONNECTION) {
            self.packets.push(packet);
        }
    }

    fn messages(&self) -> Vec<Message> {
        self.packets.iter().cloned().flat_map(flat).collect()
    }

    fn meet(&mut self, deed: &Deed) {
        let rig = &mut self.rig;
        match deed {
            Deed::Call => {
                rig.send(echo(1));
                self.running.extend(rig.requests());
            }
            Deed::Answer(words) if !self.running.is_empty() => {
                let answer = match words {
                    Some(words) => Answer::Result(noise(id::ECHO, *words)),
                    None => Answer::Error(400, "FAILED".into()),
                };
                rig.session.answer(rig.now, self.running.remove(0), answer);
            }
            Deed::Push(words) => rig.session.push(rig.now, noise(PUSH, *words)),
            Deed::Ping => {
                let ping = rig.quiet(ping(1));
                rig.give(ping);
            }
            Deed::Service(index) => {
                rig.send(index.get(&services()).clone());
            }
            Deed::Wait(ms) => {
                // What was never sent may be forgotten meanwhile, and would be missed in the count.
                self.transmit();
                let rig = &mut self.rig;
                rig.wait(*ms);
                rig.session.handle_timeout(rig.now);
            }
            Deed::Acknowledge => {
                let ids: Vec<i64> = self.messages().iter().map(|m| m.msg_id).collect();
                let sent = self.rig.quiet(acks(&ids));
                self.rig.give(sent);
            }
            Deed::Reconnect => rig.session.connection_closed(CONNECTION),
            Deed::Transmit => self.transmit(),
            Deed::Answer(_) => {}
        }
    }
}

/// Whether the client is to acknowledge it.
fn is_content(message: &Message) -> bool {
    [id::RPC_RESULT, id::NEW_SESSION_CREATED, PUSH].contains(&constructor(&message.body))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn msg_ids_of_ours_are_1_for_answers_3_for_the_rest_and_name_one_message(
        deeds in prop::collection::vec(deed(), 1..60),
    ) {
        let life = Life::live(&deeds);
        let mut seen = std::collections::BTreeMap::new();
        for packet in &life.packets {
            let is_container = constructor(&packet.body) == id::MSG_CONTAINER;
            let outer = is_container.then(|| packet.clone());
            for sent in flat(packet.clone()).into_iter().chain(outer) {
                let low = match constructor(&sent.body) {
                    id::RPC_RESULT | id::PONG | id::FUTURE_SALTS => 1,
                    id::MSG_CONTAINER | id::MSGS_ACK | id::NEW_SESSION_CREATED | PUSH => 3,
                    _ => sent.msg_id & 3 | 1,
                };
                prop_assert_eq!(sent.msg_id & 3, low, "{:x?}", &sent.body[..4]);
                let first = seen.entry(sent.msg_id).or_insert_with(|| sent.clone());
                prop_assert_eq!(&*first, &sent, "what is sent again is the same");
            }
        }
    }

    #[test]
    fn msg_ids_of_ours_are_near_the_clock(deeds in prop::collection::vec(deed(), 1..60)) {
        let mut life = Life::live(&deeds);
        // What is the newest is not before now, and no further ahead than the clock went back.
        let newest = life.rig.send(ping(9));
        prop_assert!(newest > 0);
        let back: i64 = deeds.iter().map(|d| match d { Deed::Wait(ms) => (-ms).max(0), _ => 0 }).sum();
        for sent in life.rig.sent() {
            let ahead = Millis::of_msg_id(sent.msg_id).0 - life.rig.now.0;
            prop_assert!(constructor(&sent.body) != id::PONG || (-1..=back + 1_000).contains(&ahead), "{}", ahead);
        }
    }

    #[test]
    fn seq_no_of_ours_counts_what_is_to_be_acknowledged(deeds in prop::collection::vec(deed(), 1..60)) {
        let life = Life::live(&deeds);
        let containers = life.packets.iter().filter(|p| constructor(&p.body) == id::MSG_CONTAINER);
        let mut all: Vec<Message> = life.messages();
        all.extend(containers.cloned());
        all.sort_by_key(|m| m.msg_id);
        all.dedup_by_key(|m| m.msg_id);
        let mut content = 0;
        for sent in all {
            let is_content = is_content(&sent);
            prop_assert_eq!(sent.seq_no, content * 2 + i32::from(is_content), "{:x?}", &sent.body[..4]);
            content += i32::from(is_content);
        }
    }

    #[test]
    fn containers_of_ours_keep_the_rules(deeds in prop::collection::vec(deed(), 1..60)) {
        for packet in Life::live(&deeds).packets {
            let inner = flat(packet.clone());
            if constructor(&packet.body) != id::MSG_CONTAINER {
                continue;
            }
            prop_assert!((1..=CONTAINER_MESSAGES_MAX).contains(&inner.len()));
            prop_assert!(inner.is_sorted_by(|a, b| a.msg_id < b.msg_id));
            prop_assert!(inner.last().unwrap().msg_id < packet.msg_id);
            prop_assert!(inner.iter().all(|m| m.body.len() % 4 == 0));
            prop_assert!(inner.iter().all(|m| constructor(&m.body) != id::MSG_CONTAINER));
            prop_assert!(inner.len() == 1 || packet.body.len() <= CONTAINER_BYTES_MAX + 8);
        }
    }
}
