//! Rules RP-1 to RP-10 as far as they concern this crate: calls, and the envelope that binds keys.
#![allow(clippy::unwrap_used, reason = "a test that fails")]

mod common;

use std::collections::BTreeMap;

use common::*;
use havre_mtproto::bind::{self, Binding};
use havre_mtproto::bytes::Writer as _;
use havre_mtproto::client::Output as Told;
use havre_mtproto::crypto::{AuthKey, sha1};
use havre_mtproto::limits::{ACK_AFTER_MS, RUNNING_MAX, UNACKED_MS};
use havre_mtproto::packet::Message;
use havre_mtproto::session::{Answer, Fate, Output as Wish};
use havre_mtproto::time::Millis;
use havre_mtproto::transport::Framing;
use proptest::prelude::*;

#[test]
fn rp_1_calls_run_at_once_and_are_answered_in_any_order() {
    let mut rig = Rig::new();
    let calls: Vec<i64> = (0..4).map(|n| rig.send(echo(n))).collect();
    assert_eq!(rig.requests(), calls, "none waits for another");
    for n in [2, 0, 3, 1] {
        rig.session
            .answer(rig.now, calls[n], Answer::Result(echo(n as i64)));
        let expected = object(id::RPC_RESULT, |b| {
            b.i64(calls[n]);
            b.extend(echo(n as i64));
        });
        assert_eq!(rig.bodies(id::RPC_RESULT), [expected]);
    }
}

#[test]
fn rp_1_how_a_call_fared_is_known_to_those_that_run_after_it() {
    let mut rig = Rig::new();
    let [good, bad, flood] = [1, 2, 3].map(|n| rig.send(echo(n)));
    for call in [good, bad, flood] {
        assert_eq!(rig.session.fate(call), Fate::Running);
    }
    rig.session.answer(rig.now, good, Answer::Result(echo(1)));
    rig.session
        .answer(rig.now, bad, Answer::Error(400, "FAILED".into()));
    rig.session
        .answer(rig.now, flood, Answer::Error(420, "FLOOD_WAIT_3".into()));
    assert_eq!(rig.session.fate(good), Fate::Succeeded);
    assert_eq!(rig.session.fate(bad), Fate::Failed);
    assert_eq!(rig.session.fate(flood), Fate::Failed);
    assert_eq!(rig.session.fate(flood + 400), Fate::Unknown);
    let pinged = rig.send(ping(1));
    assert_eq!(rig.session.fate(pinged), Fate::Unknown, "no call");
}

#[test]
fn rp_1_a_call_that_succeeded_has_succeeded_whatever_becomes_of_its_answer() {
    let mut rig = Rig::new();
    let call = rig.send(echo(1));
    rig.session.answer(rig.now, call, Answer::Result(echo(1)));
    let ids: Vec<i64> = rig.sent().iter().map(|m| m.msg_id).collect();
    rig.send(acks(&ids));
    rig.give(message(call, 1, echo(1)));
    assert_eq!(rig.session.fate(call), Fate::Succeeded);

    let dropped = rig.send(echo(2));
    rig.send(object(id::RPC_DROP_ANSWER, |b| b.i64(dropped)));
    rig.session.answer(rig.now, dropped, Answer::Result(echo(2)));
    assert_eq!(rig.session.fate(dropped), Fate::Succeeded);
}

/// How a call, or two, comes again.
#[derive(Clone, Copy, Debug)]
enum Delivery {
    Alone(prop::sample::Index),
    Together(prop::sample::Index, prop::sample::Index),
    Answer(prop::sample::Index),
    Drop(prop::sample::Index),
    AcknowledgeAll,
    Reconnect,
    Wait(i64),
}

fn delivery() -> impl Strategy<Value = Delivery> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        4 => index().prop_map(Delivery::Alone),
        4 => (index(), index()).prop_map(|(a, b)| Delivery::Together(a, b)),
        3 => index().prop_map(Delivery::Answer),
        1 => index().prop_map(Delivery::Drop),
        1 => Just(Delivery::AcknowledgeAll),
        1 => Just(Delivery::Reconnect),
        1 => (0..UNACKED_MS).prop_map(Delivery::Wait),
    ]
}

/// Calls that a client sends again and again, each always under its own id.
struct Stubborn {
    rig: Rig,
    calls: Vec<Message>,
    sent: Vec<i64>,
    ran: Vec<i64>,
}

impl Stubborn {
    fn new() -> Self {
        let mut rig = Rig::new();
        let calls = (0..6).map(|n| rig.content(echo(n))).collect();
        let (sent, ran) = (Vec::new(), Vec::new());
        Self {
            rig,
            calls,
            sent,
            ran,
        }
    }

    fn deliver(&mut self, delivery: Delivery) {
        match delivery {
            // Under the time of its own id it may be refused: that is no run either.
            Delivery::Alone(at) => self.rig.give(at.get(&self.calls).clone()),
            Delivery::Together(a, b) => {
                let inner = [a.get(&self.calls).clone(), b.get(&self.calls).clone()];
                let whole = self.rig.container_of(&inner);
                self.rig.give(whole);
            }
            Delivery::Answer(at) if !self.ran.is_empty() => {
                let now = self.rig.now;
                self.rig
                    .session
                    .answer(now, *at.get(&self.ran), Answer::Result(echo(9)));
            }
            Delivery::Drop(at) => {
                let call = at.get(&self.calls).msg_id;
                self.rig.send(object(id::RPC_DROP_ANSWER, |b| b.i64(call)));
            }
            Delivery::AcknowledgeAll => {
                let body = acks(&self.sent);
                let sent = self.rig.quiet(body);
                self.rig.give(sent);
            }
            Delivery::Reconnect => self.rig.session.connection_closed(CONNECTION),
            Delivery::Wait(ms) => self.rig.wait(ms),
            Delivery::Answer(_) => {}
        }
        self.ran.extend(self.rig.requests());
        self.sent.extend(self.rig.sent().iter().map(|m| m.msg_id));
    }
}

proptest! {
    #[test]
    fn rp_2_a_call_runs_once_however_often_it_comes(
        deliveries in prop::collection::vec(delivery(), 1..60),
    ) {
        let mut client = Stubborn::new();
        let mut came = Vec::new();
        for delivery in deliveries {
            if let Delivery::Together(a, b) = delivery {
                came.extend([a, b].map(|at| at.get(&client.calls).msg_id));
            }
            client.deliver(delivery);
        }
        came.sort_unstable();
        came.dedup();
        prop_assert!(came.iter().all(|call| client.ran.contains(call)), "once in a container, each ran");
        client.ran.sort_unstable();
        prop_assert!(client.ran.is_sorted_by(|a, b| a < b), "{:?}", client.ran);
    }
}

#[test]
fn rp_2_a_call_too_many_is_not_taken_and_may_come_again() {
    let mut rig = Rig::new();
    let calls: Vec<Message> = (0..=RUNNING_MAX as i64).map(|n| rig.content(echo(n))).collect();
    calls.iter().cloned().for_each(|call| rig.give(call));
    let running = rig.requests();
    assert_eq!(running.len(), RUNNING_MAX);
    rig.session.answer(rig.now, running[0], Answer::Result(echo(1)));
    let last = calls[RUNNING_MAX].clone();
    rig.give(last.clone());
    assert_eq!(rig.requests(), [last.msg_id]);
}

proptest! {
    #[test]
    fn rp_4_a_call_is_handed_on_wrappers_and_all(
        first in 0x1000_0000_u32..0x1000_ffff, words in prop::collection::vec(any::<[u8; 4]>(), 0..400),
    ) {
        let body = object(first, |b| b.extend(words.concat()));
        let mut rig = Rig::new();
        let msg_id = rig.send(body.clone());
        prop_assert_eq!(rig.wishes(), [Wish::Request { msg_id, body }]);
    }
}

const PERMANENT: [u8; 256] = [9; 256];

fn binding() -> Binding {
    Binding {
        msg_id: NOW.msg_id(),
        nonce: 5,
        temp_auth_key_id: auth_key().id(),
        perm_auth_key_id: AuthKey::new(PERMANENT).id(),
        temp_session_id: 77,
        expires_at: NOW.seconds() + 3600,
    }
}

/// The message of an envelope, by hand: `bind_auth_key_inner` of the documentation.
fn inner(binding: &Binding) -> Vec<u8> {
    object(0x75a3_f765, |b| {
        b.i64(binding.nonce);
        b.i64(binding.temp_auth_key_id);
        b.i64(binding.perm_auth_key_id);
        b.i64(binding.temp_session_id);
        b.i32(binding.expires_at);
    })
}

/// An envelope of MTProto 1 with this message, its length as said, and padding.
fn envelope(seq_no: i32, said_len: i32, body: &[u8], padding: usize) -> Vec<u8> {
    let key = AuthKey::new(PERMANENT);
    let mut plain = vec![0xab; 16];
    plain.i64(binding().msg_id);
    plain.i32(seq_no);
    plain.i32(said_len);
    plain.extend(body);
    let msg_key: [u8; 16] = sha1(&[&plain])[4..20].try_into().unwrap();
    plain.extend(vec![0xcd; padding]);
    key.cipher_v1(&msg_key).encrypt(&mut plain);
    [&key.id().to_le_bytes()[..], &msg_key, &plain].concat()
}

fn opened(envelope: &[u8]) -> Option<Binding> {
    bind::open(&AuthKey::new(PERMANENT), envelope)
}

#[test]
fn rp_6_the_envelope_is_a_packet_of_the_first_version() {
    let right = envelope(0, 40, &inner(&binding()), 8);
    assert_eq!(opened(&right), Some(binding()));
    let sealed = bind::seal(&AuthKey::new(PERMANENT), &binding(), &[3; 32]);
    assert_eq!(sealed.len(), right.len());
    assert_eq!(opened(&sealed), Some(binding()));
}

#[test]
fn rp_6_an_envelope_with_another_number_or_message_is_refused() {
    let right = inner(&binding());
    assert_eq!(opened(&envelope(1, 40, &right, 8)), None, "a number");
    let mut other = right.clone();
    other[0] ^= 1;
    assert_eq!(opened(&envelope(0, 40, &other, 8)), None, "another constructor");
    assert_eq!(opened(&envelope(0, 36, &right[..36], 12)), None, "too short");
    let long = [&right[..], &[0; 4]].concat();
    assert_eq!(opened(&envelope(0, 44, &long, 4)), None, "more behind it");
}

#[test]
fn rp_6_a_length_that_lies_is_refused() {
    let right = inner(&binding());
    for said in [-1, 0, 36, 39, 41, 44, 48, 56, i32::MIN, i32::MAX] {
        assert_eq!(opened(&envelope(0, said, &right, 8)), None, "{said}");
    }
}

#[test]
fn rp_6_padding_fills_one_block_and_no_more() {
    assert_eq!(opened(&envelope(0, 40, &inner(&binding()), 24)), None);
}

proptest! {
    #[test]
    fn rp_6_no_field_is_lost(
        msg_id: i64, nonce: i64, temp_auth_key_id: i64, temp_session_id: i64, expires_at: i32, random: [u8; 32],
    ) {
        let key = AuthKey::new(PERMANENT);
        let perm_auth_key_id = key.id();
        let binding =
            Binding { msg_id, nonce, temp_auth_key_id, perm_auth_key_id, temp_session_id, expires_at };
        let sealed = bind::seal(&key, &binding, &random);
        prop_assert_eq!(bind::open(&key, &sealed), Some(binding));
        prop_assert_eq!(bind::open(&auth_key(), &sealed), None, "another key");
    }

    #[test]
    fn rp_6_any_changed_bit_is_refused(at: prop::sample::Index, bit in 0..8_u32) {
        let mut changed = envelope(0, 40, &inner(&binding()), 8);
        let at = at.index(changed.len());
        changed[at] ^= 1_u8 << bit;
        prop_assert_eq!(opened(&changed), None);
    }

    #[test]
    fn rp_6_a_piece_of_an_envelope_is_refused(cut: prop::sample::Index, more in prop::collection::vec(any::<u8>(), 1..80)) {
        let right = envelope(0, 40, &inner(&binding()), 8);
        prop_assert_eq!(opened(&right[..cut.index(right.len())]), None);
        prop_assert_eq!(opened(&[&right[..], &more].concat()), None);
        prop_assert_eq!(opened(&[&right[..24], &more].concat()), None);
    }
}

/// The codes that clients know what to do with.
const CODES: [i32; 8] = [303, 400, 401, 403, 404, 406, 420, 500];

#[test]
fn rp_7_an_error_is_code_and_name() {
    for code in CODES {
        let mut rig = Rig::new();
        let call = rig.send(echo(1));
        rig.session
            .answer(rig.now, call, Answer::Error(code, "FLOOD_WAIT_17".into()));
        let sent = rig.sent();
        assert_eq!((sent.len(), sent[0].msg_id & 3, sent[0].seq_no & 1), (1, 1, 1));
        let expected = object(id::RPC_RESULT, |b| {
            b.i64(call);
            b.u32(id::RPC_ERROR);
            b.i32(code);
            b.string(b"FLOOD_WAIT_17");
        });
        assert_eq!(sent[0].body, expected);
    }
}

#[test]
fn rp_7_an_error_fails_its_call_and_no_other() {
    let mut pair = Pair::new(config(Framing::Intermediate));
    let bad = pair.client.queue(NOW, object(id::FAIL, |_| {}));
    let good = pair.client.queue(NOW, echo(1));
    pair.client.flush(NOW);
    let told = pair.run();
    let failed: Vec<&Told> = told.iter().filter(|t| matches!(t, Told::Error { .. })).collect();
    let text = "FAILED".to_owned();
    assert_eq!(
        failed,
        [&Told::Error {
            msg_id: bad,
            code: 400,
            text
        }]
    );
    assert_eq!(results(&told), [(good, echo(1))]);
}

proptest! {
    #[test]
    fn rp_10_each_call_is_answered_or_acknowledged_within_a_second(
        calls in prop::collection::vec((0_i64..400, 0_i64..5_000), 1..40),
    ) {
        let mut rig = Rig::new();
        let (mut begun, mut due, mut told) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
        for (pause, takes) in calls {
            rig.wait(pause);
            let call = rig.send(echo(1));
            begun.insert(call, rig.now);
            due.push((rig.now.plus(takes), call));
        }
        let end = rig.now.plus(6_000);
        // The shell wakes the session when it asks to be woken, and when an answer is there.
        rig.now = NOW;
        due.sort_unstable();
        while rig.now < end {
            let next = due.first().map(|(at, _)| *at);
            let wake = [next, rig.session.timeout(), Some(end)].into_iter().flatten().min().unwrap();
            rig.now = rig.now.max(wake);
            rig.session.handle_timeout(rig.now);
            while due.first().is_some_and(|(at, _)| *at <= rig.now) {
                let (_, call) = due.remove(0);
                rig.session.answer(rig.now, call, Answer::Result(echo(1)));
            }
            let now = rig.now;
            for sent in rig.sent() {
                let named = match constructor(&sent.body) {
                    id::MSGS_ACK => longs(&sent.body),
                    _ => vec![havre_mtproto::bytes::Reader(&sent.body[4..]).i64().unwrap()],
                };
                named.into_iter().for_each(|call| {
                    told.entry(call).or_insert(now);
                });
            }
        }
        for (call, since) in begun {
            let first: Option<&Millis> = told.get(&call);
            prop_assert!(first.is_some_and(|at| *at <= since.plus(ACK_AFTER_MS)), "{:?} {:?}", since, first);
        }
    }
}
