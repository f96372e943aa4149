//! Rules SV-1 to SV-15: service messages.
#![allow(clippy::unwrap_used, reason = "a test that fails")]

mod common;

use common::*;
use havre_mtproto::bytes::{Reader, Writer as _};
use havre_mtproto::connection::{Connection, KeyLookup, Output as Ask};
use havre_mtproto::crypto::keys::Direction;
use havre_mtproto::limits::{
    ACK_AFTER_MS, ANSWER_RESEND_MAX, ANSWERED_BYTES_MAX, IDLE_MS, IDS_MAX, PUSHED_BYTES_MAX,
    PUSHED_MESSAGES_MAX, UNACKED_MS,
};
use havre_mtproto::packet::{self, Message};
use havre_mtproto::session::{Answer, Output as Wish};
use proptest::prelude::*;
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng as _;

/// An object of the API that a server pushes.
fn update(n: i64) -> Vec<u8> {
    object(0x0900_0900, |b| b.i64(n))
}

/// A result of this many bytes that does not pack.
fn noise(len: usize) -> Vec<u8> {
    let words =
        (0..len as u64 / 4).flat_map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()[4..].to_vec());
    words.collect()
}

/// A call that was answered; the answer is not sent yet.
fn answered(rig: &mut Rig, answer: Vec<u8>) -> i64 {
    let call = rig.send(echo(1));
    assert_eq!(rig.requests(), [call]);
    rig.session.answer(rig.now, call, Answer::Result(answer));
    call
}

fn result(call: i64, body: &[u8]) -> Vec<u8> {
    object(id::RPC_RESULT, |b| {
        b.i64(call);
        b.extend(body);
    })
}

/// What goes out again when the client comes back on another connection.
fn after_reconnecting(rig: &mut Rig) -> Vec<Message> {
    rig.session.connection_closed(CONNECTION);
    rig.sent()
}

/// Sends what nobody acknowledges.
fn tell(rig: &mut Rig, body: Vec<u8>) -> i64 {
    let sent = rig.quiet(body);
    let msg_id = sent.msg_id;
    rig.give(sent);
    msg_id
}

#[test]
fn sv_1_an_acknowledged_answer_is_let_go() {
    let mut rig = Rig::new();
    let call = answered(&mut rig, echo(1));
    let answers = rig.sent();
    assert_eq!(answers.len(), 1);
    let ids: Vec<i64> = after_reconnecting(&mut rig).iter().map(|m| m.msg_id).collect();
    assert!(ids.contains(&answers[0].msg_id), "kept until then");
    tell(&mut rig, acks(&ids));
    assert_eq!(after_reconnecting(&mut rig), []);
    rig.give(message(call, 1, echo(1)));
    assert_eq!(rig.requests(), [], "not run again");
}

#[test]
fn sv_1_up_to_8192_ids_are_acknowledged_at_once() {
    assert_eq!(IDS_MAX, 8192);
    for (count, is_taken) in [(8191, true), (8192, true), (8193, false)] {
        let mut rig = Rig::new();
        answered(&mut rig, echo(1));
        let mut ids: Vec<i64> = rig.sent().iter().map(|m| m.msg_id).collect();
        ids.extend(after_reconnecting(&mut rig).iter().map(|m| m.msg_id));
        // Unknown ids are passed over.
        ids.splice(0..0, (0..count - ids.len() as i64).map(|n| n * 4 + 1));
        tell(&mut rig, acks(&ids));
        assert_eq!(after_reconnecting(&mut rig).is_empty(), is_taken, "{count}");
        assert_eq!(rig.bad(), None);
    }
}

#[test]
fn sv_1_a_call_is_acknowledged_when_it_takes_over_a_second() {
    let mut rig = Rig::new();
    let call = rig.send(echo(1));
    assert_eq!(ACK_AFTER_MS, 1_000);
    let at = rig.now.plus(ACK_AFTER_MS);
    assert_eq!(rig.session.timeout(), Some(at));
    rig.wait(ACK_AFTER_MS - 1);
    rig.session.handle_timeout(rig.now);
    assert!(!rig.session.has_output());
    rig.wait(1);
    rig.session.handle_timeout(rig.now);
    assert_eq!(rig.bodies(id::MSGS_ACK), [acks(&[call])]);
    assert_eq!(rig.session.timeout(), None, "once");
}

#[test]
fn sv_1_an_answer_in_time_is_the_acknowledgement() {
    let mut rig = Rig::new();
    answered(&mut rig, echo(1));
    rig.wait(ACK_AFTER_MS * 2);
    assert_eq!(rig.session.timeout(), None);
    rig.session.handle_timeout(rig.now);
    assert_eq!(rig.bodies(id::MSGS_ACK), Vec::<Vec<u8>>::new());
}

#[test]
fn sv_1_what_wants_no_acknowledgement_gets_none_when_it_comes_again() {
    let mut rig = Rig::new();
    let sent = rig.quiet(acks(&[5]));
    rig.give(sent.clone());
    rig.give(sent);
    assert_eq!(rig.sent(), []);
}

#[test]
fn sv_2_what_was_not_acknowledged_goes_out_again_as_it_was_and_in_order() {
    let mut rig = Rig::fresh();
    answered(&mut rig, echo(1));
    for n in 0..5 {
        rig.session.push(rig.now, update(n));
    }
    let sent = rig.sent();
    let content: Vec<Message> = sent.into_iter().filter(|m| m.seq_no & 1 != 0).collect();
    assert_eq!(content.len(), 7);
    assert_eq!(rig.sent(), [], "once on one connection");
    rig.wait(UNACKED_MS / 2);
    assert_eq!(after_reconnecting(&mut rig), content);
    tell(&mut rig, acks(&[content[0].msg_id, content[3].msg_id]));
    let mut rest = content;
    rest.remove(3);
    rest.remove(0);
    assert_eq!(after_reconnecting(&mut rig), rest);
}

#[test]
fn sv_2_what_another_connection_carried_stays_there() {
    let mut rig = Rig::new();
    rig.session.push(rig.now, update(1));
    assert!(
        rig.session
            .transmit(rig.now, havre_mtproto::session::ConnectionId(2))
            .is_some()
    );
    rig.sent();
    let carried: Vec<u32> = after_reconnecting(&mut rig)
        .iter()
        .map(|m| constructor(&m.body))
        .collect();
    assert_eq!(
        carried,
        [id::NEW_SESSION_CREATED],
        "the first connection had no more"
    );
}

#[test]
fn sv_2_it_waits_for_ten_minutes() {
    assert_eq!(UNACKED_MS, 600_000);
    for (ms, waits) in [(UNACKED_MS, true), (UNACKED_MS + 1, false)] {
        let mut rig = Rig::new();
        answered(&mut rig, echo(1));
        rig.sent();
        rig.wait(ms);
        tell(&mut rig, acks(&[]));
        assert_eq!(!after_reconnecting(&mut rig).is_empty(), waits, "{ms}");
    }
}

#[test]
fn sv_2_a_push_that_nobody_acknowledged_in_time_is_said_to_be_missing() {
    let mut rig = Rig::new();
    rig.session.push(rig.now, update(1));
    rig.sent();
    rig.wait(UNACKED_MS + 1);
    tell(&mut rig, acks(&[]));
    assert!(rig.wishes().contains(&Wish::Overflowed));
}

#[test]
fn sv_2_what_no_connection_carries_is_kept_however_long() {
    let mut rig = Rig::new();
    answered(&mut rig, echo(1));
    rig.session.push(rig.now, update(1));
    rig.wait(UNACKED_MS + 1);
    tell(&mut rig, acks(&[]));
    assert!(!rig.wishes().contains(&Wish::Overflowed));
    let bodies: Vec<Vec<u8>> = rig.sent().into_iter().map(|m| m.body).collect();
    assert!(bodies.contains(&update(1)));
    assert!(bodies.iter().any(|body| constructor(body) == id::RPC_RESULT));
}

#[test]
fn sv_2_an_old_message_goes_in_a_container_of_now() {
    let mut rig = Rig::new();
    let call = answered(&mut rig, echo(1));
    rig.sent();
    // All but the answer are acknowledged.
    let before = after_reconnecting(&mut rig);
    let other: Vec<i64> = before
        .iter()
        .filter(|m| constructor(&m.body) != id::RPC_RESULT)
        .map(|m| m.msg_id)
        .collect();
    tell(&mut rig, acks(&other));
    rig.wait(UNACKED_MS / 2);
    rig.session.connection_closed(CONNECTION);
    let packet = rig.session.transmit(rig.now, CONNECTION).unwrap();
    assert_eq!(
        packet.msg_id >> 32,
        i64::from(rig.now.seconds()),
        "clients refuse packets of another time"
    );
    let inner = flat(packet);
    assert_eq!(inner[0].body, result(call, &echo(1)));
    assert_eq!(inner[0].msg_id >> 32, i64::from(NOW.seconds()));
}

#[test]
fn sv_2_pushes_that_wait_are_bounded_and_then_there_are_too_many() {
    for (len, most) in [(8, PUSHED_MESSAGES_MAX), (100_000, PUSHED_BYTES_MAX / 100_000)] {
        let mut rig = Rig::new();
        for _ in 0..most {
            rig.session.push(rig.now, noise(len));
        }
        assert!(!rig.wishes().contains(&Wish::Overflowed), "{most} of {len}");
        rig.session.push(rig.now, noise(len));
        assert_eq!(rig.wishes(), [Wish::Overflowed]);
        let (pushed, rest): (Vec<Message>, _) = rig.sent().into_iter().partition(|m| m.body == noise(len));
        assert_eq!((pushed.len(), rest.len()), (0, 0));
        rig.session.push(rig.now, update(1));
        assert_eq!(rig.sent().len(), 1, "and on it goes");
    }
}

#[test]
fn sv_2_answers_that_were_sent_are_bounded_by_bytes() {
    let mut rig = Rig::new();
    let len = 1 << 20;
    for _ in 0..2 * ANSWERED_BYTES_MAX / len {
        answered(&mut rig, noise(len));
        rig.sent();
    }
    let kept = after_reconnecting(&mut rig);
    let bytes: usize = kept.iter().map(|m| m.body.len()).sum();
    assert!(
        (ANSWERED_BYTES_MAX / 2..=ANSWERED_BYTES_MAX).contains(&bytes),
        "{bytes}"
    );
}

#[test]
fn sv_2_answers_that_were_not_sent_are_not_let_go() {
    let mut rig = Rig::new();
    let len = 1 << 20;
    let count = 2 * ANSWERED_BYTES_MAX / len;
    let calls: Vec<i64> = (0..count).map(|_| answered(&mut rig, noise(len))).collect();
    let sent = rig.bodies(id::RPC_RESULT);
    let of: Vec<i64> = sent
        .iter()
        .map(|body| Reader(&body[4..]).i64().unwrap())
        .collect();
    assert_eq!(of, calls);
}

#[test]
fn sv_3_an_answer_is_packed_from_512_bytes_on_when_that_is_shorter() {
    for (answer, is_packed) in [(vec![0; 508], false), (vec![0; 512], true), (noise(4096), false)] {
        let mut rig = Rig::new();
        let call = answered(&mut rig, answer.clone());
        let sent = rig.bodies(id::RPC_RESULT).remove(0);
        let (head, said) = sent.split_at(12);
        assert_eq!(head, result(call, &[]));
        if !is_packed {
            assert_eq!(said, answer);
            continue;
        }
        assert!(said.len() < answer.len() && said.len() % 4 == 0);
        let mut reader = Reader(said);
        assert_eq!(reader.u32(), Ok(id::GZIP_PACKED));
        let mut unpacked = Vec::new();
        let mut decoder = flate2::read::GzDecoder::new(reader.string().unwrap());
        std::io::Read::read_to_end(&mut decoder, &mut unpacked).unwrap();
        assert_eq!(unpacked, answer);
    }
}

#[test]
fn sv_3_an_error_is_never_packed() {
    let mut rig = Rig::new();
    let call = rig.send(echo(1));
    let text = "A".repeat(4096);
    rig.session
        .answer(rig.now, call, Answer::Error(400, text.clone()));
    let error = object(id::RPC_ERROR, |b| {
        b.i32(400);
        b.string(text.as_bytes());
    });
    assert_eq!(rig.bodies(id::RPC_RESULT), [result(call, &error)]);
}

#[test]
fn sv_4_a_repeated_call_that_is_running_is_acknowledged() {
    let mut rig = Rig::new();
    let call = rig.content(echo(1));
    rig.give(call.clone());
    rig.give(call.clone());
    assert_eq!(rig.requests(), [call.msg_id], "run once");
    let sent: Vec<Vec<u8>> = rig.sent().into_iter().map(|m| m.body).collect();
    assert_eq!(sent, [acks(&[call.msg_id])]);
}

#[test]
fn sv_4_a_repeated_call_gets_the_same_answer_again() {
    for len in [8, ANSWER_RESEND_MAX - 12] {
        let mut rig = Rig::new();
        let call = answered(&mut rig, noise(len));
        let answer = rig.sent();
        assert_eq!(answer.len(), 1);
        for _ in 0..2 {
            rig.give(message(call, 1, echo(1)));
            assert_eq!(rig.sent(), answer);
        }
        assert_eq!(rig.requests(), []);
    }
}

#[test]
fn sv_4_a_repeated_call_with_a_big_answer_is_told_of_it() {
    let mut rig = Rig::new();
    let len = ANSWER_RESEND_MAX - 8;
    let call = answered(&mut rig, noise(len));
    let answer = rig.sent().remove(0);
    rig.give(message(call, 1, echo(1)));
    let sent = rig.sent();
    assert_eq!((sent.len(), sent[0].seq_no & 1), (1, 0));
    let info = object(id::MSG_DETAILED_INFO, |b| {
        b.i64(call);
        b.i64(answer.msg_id);
        b.u32(answer.body.len() as u32);
        b.i32(0);
    });
    assert_eq!(sent[0].body, info);
    tell(
        &mut rig,
        object(id::MSG_RESEND_REQ, |b| b.longs(&[answer.msg_id])),
    );
    assert_eq!(rig.sent(), [answer], "and may ask for it");
}

#[test]
fn sv_4_a_repeated_call_whose_answer_was_let_go_is_not_run_again() {
    let mut rig = Rig::new();
    let call = answered(&mut rig, echo(1));
    rig.sent();
    rig.wait(UNACKED_MS + 1);
    tell(&mut rig, acks(&[]));
    let repeated = message(call, 1, echo(1));
    let whole = rig.container_of(&[repeated]);
    rig.give(whole);
    assert_eq!(rig.requests(), []);
    let sent = rig.bodies(id::RPC_RESULT);
    assert_eq!(
        sent[0][..16],
        [&result(call, &[])[..], &id::RPC_ERROR.to_le_bytes()].concat()
    );
}

/// The states of these messages.
fn states(rig: &mut Rig, ids: &[i64]) -> Vec<u8> {
    let asked = tell(rig, object(id::MSGS_STATE_REQ, |b| b.longs(ids)));
    let infos = rig
        .sent()
        .into_iter()
        .filter(|m| constructor(&m.body) == id::MSGS_STATE_INFO);
    let infos: Vec<Message> = infos.collect();
    assert_eq!((infos.len(), infos[0].seq_no & 1), (1, 0));
    let mut reader = Reader(&infos[0].body[4..]);
    assert_eq!(reader.i64(), Ok(asked));
    let states = reader.string().unwrap().to_vec();
    assert!(reader.0.is_empty());
    states
}

#[test]
fn sv_5_each_id_has_its_state() {
    let mut rig = Rig::new();
    let first = rig.content(ping(1)).msg_id;
    rig.give(message(first, 1, ping(1)));
    let lost = rig.next_id();
    let pinged = tell(&mut rig, ping(2));
    let done = answered(&mut rig, echo(1));
    let long = rig.send(echo(2));
    rig.wait(ACK_AFTER_MS);
    rig.session.handle_timeout(rig.now);
    let running = rig.send(echo(3));
    let inner = rig.quiet(ping(3));
    let inner_id = inner.msg_id;
    let whole = rig.container_of(&[inner]);
    let whole_id = whole.msg_id;
    rig.give(whole);
    let high = rig.now.plus(60_000).msg_id();
    let ids = [
        first - 400,
        lost,
        high,
        pinged,
        done,
        long,
        running,
        inner_id,
        whole_id,
    ];
    let (answered, processed, acknowledged, no_ack) = (64, 32, 8, 16);
    let expected = [
        1,
        2,
        3,
        4 + no_ack,
        4 + acknowledged + processed + answered,
        4 + acknowledged + processed,
        4 + processed,
        4 + no_ack,
        4 + no_ack,
    ];
    assert_eq!(states(&mut rig, &ids), expected);
}

#[test]
fn sv_5_a_call_that_was_acknowledged_because_it_came_again_is() {
    let mut rig = Rig::new();
    let call = rig.send(echo(1));
    assert_eq!(states(&mut rig, &[call]), [4 + 32]);
    rig.give(message(call, 1, echo(1)));
    rig.sent();
    assert_eq!(states(&mut rig, &[call]), [4 + 32 + 8]);
    assert_eq!(rig.session.timeout(), None, "once is enough");
}

#[test]
fn sv_5_what_came_before_the_session_began_is_not_known() {
    // The server may have been another one then, and may have run it.
    let mut rig = Rig::fresh();
    let before = rig.next_id();
    rig.wait(1_000);
    rig.send(echo(1));
    assert_eq!(states(&mut rig, &[before]), [1]);
}

#[test]
fn sv_5_no_call_is_said_to_be_unknown_that_is_only_not_there_yet() {
    let mut rig = Rig::fresh();
    let after = rig.now.plus(10_000).msg_id();
    assert_eq!(states(&mut rig, &[after]), [3]);
}

proptest! {
    #[test]
    fn sv_5_there_is_a_state_for_each_id(ids in prop::collection::vec(any::<i64>(), 0..300)) {
        let mut rig = Rig::new();
        let states = states(&mut rig, &ids);
        prop_assert_eq!(states.len(), ids.len());
        prop_assert!(states.iter().all(|state| (1..=4).contains(&(state & 7))));
    }
}

#[test]
fn sv_6_messages_are_sent_again_at_once() {
    let mut rig = Rig::new();
    for n in 0..3 {
        rig.session.push(rig.now, update(n));
    }
    let pushed = rig.sent();
    let wanted = [pushed[0].msg_id, pushed[2].msg_id];
    tell(&mut rig, object(id::MSG_RESEND_REQ, |b| b.longs(&wanted)));
    assert_eq!(rig.sent(), [pushed[0].clone(), pushed[2].clone()]);
}

#[test]
fn sv_6_when_some_are_gone_the_state_of_all_is_told_besides() {
    let mut rig = Rig::new();
    rig.session.push(rig.now, update(1));
    let pushed = rig.sent().remove(0);
    let call = rig.send(echo(1));
    let wanted = [pushed.msg_id, 5, call];
    let asked = tell(&mut rig, object(id::MSG_RESEND_REQ, |b| b.longs(&wanted)));
    let (infos, again): (Vec<Message>, _) = rig
        .sent()
        .into_iter()
        .partition(|m| constructor(&m.body) == id::MSGS_STATE_INFO);
    assert_eq!(again, [pushed]);
    let mut reader = Reader(&infos[0].body[4..]);
    assert_eq!(reader.i64(), Ok(asked));
    let states = reader.string().unwrap();
    assert_eq!((states.len(), states[1], states[2]), (3, 1, 4 + 32));
}

#[test]
fn sv_6_the_answers_to_requests_are_sent_again() {
    let mut rig = Rig::new();
    let calls = [
        answered(&mut rig, noise(8)),
        answered(&mut rig, noise(ANSWER_RESEND_MAX * 2)),
    ];
    let answers = rig.sent();
    tell(&mut rig, object(id::MSG_RESEND_ANS_REQ, |b| b.longs(&calls)));
    assert_eq!(rig.sent(), answers);

    let running = rig.send(echo(1));
    tell(
        &mut rig,
        object(id::MSG_RESEND_ANS_REQ, |b| b.longs(&[calls[0], running])),
    );
    let (infos, again): (Vec<Message>, _) = rig
        .sent()
        .into_iter()
        .partition(|m| constructor(&m.body) == id::MSGS_STATE_INFO);
    assert_eq!((infos.len(), again), (1, vec![answers[0].clone()]));
}

#[test]
fn sv_6_up_to_8192_ids_are_asked_for_at_once() {
    for (count, is_answered) in [(8192, true), (8193, false)] {
        for asks in [id::MSG_RESEND_REQ, id::MSG_RESEND_ANS_REQ, id::MSGS_STATE_REQ] {
            let mut rig = Rig::new();
            tell(&mut rig, object(asks, |b| b.longs(&vec![5; count])));
            assert_eq!(
                !rig.bodies(id::MSGS_STATE_INFO).is_empty(),
                is_answered,
                "{count}"
            );
        }
    }
}

/// Asks for the answer of a call to be dropped; what comes of it.
fn drop_answer(rig: &mut Rig, call: i64) -> Message {
    let asked = rig.send(object(id::RPC_DROP_ANSWER, |b| b.i64(call)));
    let mut sent: Vec<Message> = rig.sent();
    sent.retain(|m| m.body.starts_with(&result(asked, &[])));
    assert_eq!(
        (sent.len(), sent[0].seq_no & 1, sent[0].msg_id & 3),
        (1, 1, 1),
        "content, an answer"
    );
    let mut dropped = sent.remove(0);
    dropped.body.drain(..12);
    dropped
}

#[test]
fn sv_7_the_answer_of_an_unknown_call_is_unknown() {
    let mut rig = Rig::new();
    let unknown = object(id::RPC_ANSWER_UNKNOWN, |_| {});
    assert_eq!(drop_answer(&mut rig, 4).body, unknown);
    let call = answered(&mut rig, echo(1));
    let ids: Vec<i64> = rig.sent().iter().map(|m| m.msg_id).collect();
    tell(&mut rig, acks(&ids));
    assert_eq!(drop_answer(&mut rig, call).body, unknown, "it was acknowledged");
}

#[test]
fn sv_7_a_running_call_runs_to_its_end_and_its_answer_is_that_it_was_dropped() {
    let mut rig = Rig::new();
    let call = rig.send(echo(1));
    let dropped = object(id::RPC_ANSWER_DROPPED_RUNNING, |_| {});
    for _ in 0..2 {
        assert_eq!(drop_answer(&mut rig, call).body, dropped);
    }
    assert_eq!(rig.requests(), [call]);
    rig.session.answer(rig.now, call, Answer::Result(echo(1)));
    assert_eq!(rig.bodies(id::RPC_RESULT), [result(call, &dropped)]);
}

#[test]
fn sv_7_an_answer_that_waits_is_dropped() {
    let mut rig = Rig::new();
    let call = answered(&mut rig, echo(1));
    let answer = rig.sent().remove(0);
    let dropped = object(id::RPC_ANSWER_DROPPED, |b| {
        b.i64(answer.msg_id);
        b.i32(answer.seq_no);
        b.u32(answer.body.len() as u32);
    });
    assert_eq!(drop_answer(&mut rig, call).body, dropped);
    let again = after_reconnecting(&mut rig);
    assert!(!again.contains(&answer));
}

#[test]
fn sv_8_a_ping_is_answered_odd_or_even_and_again_when_it_comes_again() {
    let mut rig = Rig::new();
    let delay = object(id::PING_DELAY_DISCONNECT, |b| {
        b.i64(7);
        b.i32(75);
    });
    for body in [ping(7), delay] {
        for sent in [rig.content(body.clone()), rig.quiet(body)] {
            let pong = object(id::PONG, |b| {
                b.i64(sent.msg_id);
                b.i64(7);
            });
            for _ in 0..2 {
                rig.give(sent.clone());
                let pongs = rig.sent();
                assert_eq!(pongs.len(), 1, "and no acknowledgement");
                assert_eq!((pongs[0].seq_no & 1, &pongs[0].body), (0, &pong));
            }
        }
    }
    assert_eq!(rig.wishes(), vec![Wish::CloseAfter { ms: 75_000 }; 4]);
}

#[test]
fn sv_8_no_delay_is_below_nothing() {
    let mut rig = Rig::new();
    for (delay, ms) in [(-1, 0), (i32::MIN, 0), (i32::MAX, i64::from(i32::MAX) * 1000)] {
        tell(
            &mut rig,
            object(id::PING_DELAY_DISCONNECT, |b| {
                b.i64(1);
                b.i32(delay);
            }),
        );
        assert_eq!(rig.wishes(), [Wish::CloseAfter { ms }]);
    }
}

/// A packet of a client, as a stream of the intermediate transport.
fn stream(msg_id: i64, body: Vec<u8>) -> Vec<u8> {
    let mut rng = ChaCha12Rng::from_seed([1; 32]);
    let sent = message(msg_id, 0, body);
    let packet = packet::seal(&auth_key(), Direction::ToServer, (0, 1), &sent, &mut rng);
    let mut stream = Vec::new();
    stream.u32(packet.len() as u32);
    stream.extend(packet);
    stream
}

/// A connection that has taken a packet.
fn connection() -> Connection {
    let mut connection = Connection::new(NOW, identity(), [1; 32]);
    connection.receive(NOW, &[0xee; 4]);
    connection.receive(NOW, &stream(4, ping(1)));
    assert!(matches!(connection.poll(), Some(Ask::NeedKey(_))));
    connection.key_found(NOW, KeyLookup::Found(auth_key()));
    assert!(matches!(connection.poll(), Some(Ask::Packet(_))));
    connection
}

#[test]
fn sv_8_the_close_timer_is_set_by_pings_and_by_nothing_else() {
    let mut connection = connection();
    assert_eq!(connection.timeout(), NOW.plus(IDLE_MS));
    connection.close_after(NOW, 75_000);
    let then = NOW.plus(40_000);
    connection.receive(then, &stream(8, ping(2)));
    assert!(matches!(connection.poll(), Some(Ask::Packet(_))));
    assert_eq!(connection.timeout(), NOW.plus(75_000), "no packet resets it");
    connection.close_after(then, 75_000);
    connection.handle_timeout(then.plus(74_999));
    assert!(connection.poll().is_none());
    connection.handle_timeout(then.plus(75_000));
    assert!(matches!(connection.poll(), Some(Ask::Close)));
}

#[test]
fn sv_9_another_session_is_destroyed_or_was_not_there() {
    for (existed, constructor) in [(true, id::DESTROY_SESSION_OK), (false, id::DESTROY_SESSION_NONE)] {
        let mut rig = Rig::new();
        let msg_id = tell(&mut rig, object(id::DESTROY_SESSION, |b| b.i64(78)));
        let wish = Wish::DestroySession {
            msg_id,
            session_id: 78,
        };
        assert_eq!(rig.wishes(), [wish]);
        rig.session.session_destroyed(rig.now, 78, existed);
        let sent: Vec<Vec<u8>> = rig.sent().into_iter().map(|m| m.body).collect();
        assert_eq!(sent, [object(constructor, |b| b.i64(78))]);
    }
}

#[test]
fn sv_9_a_session_does_not_destroy_itself() {
    let mut rig = Rig::new();
    let own = rig.session.id();
    tell(&mut rig, object(id::DESTROY_SESSION, |b| b.i64(own)));
    assert_eq!(rig.wishes(), []);
    let none = object(id::DESTROY_SESSION_NONE, |b| b.i64(own));
    assert_eq!(rig.bodies(id::DESTROY_SESSION_NONE), [none]);
}

/// First message, name of the beginning, salt.
fn greetings(rig: &mut Rig) -> Vec<(i64, i64, i64)> {
    let bodies = rig.bodies(id::NEW_SESSION_CREATED).into_iter();
    let fields = bodies.map(|body| {
        let mut reader = Reader(&body[4..]);
        let fields = (
            reader.i64().unwrap(),
            reader.i64().unwrap(),
            reader.i64().unwrap(),
        );
        assert!(reader.0.is_empty());
        fields
    });
    fields.collect()
}

#[test]
fn sv_10_a_new_session_is_told_once_before_the_first_answer() {
    let mut rig = Rig::fresh();
    let call = answered(&mut rig, echo(1));
    let sent = rig.sent();
    let kinds: Vec<u32> = sent.iter().map(|m| constructor(&m.body)).collect();
    assert_eq!(kinds, [id::NEW_SESSION_CREATED, id::RPC_RESULT]);
    assert_eq!((sent[0].seq_no, sent[0].msg_id & 3), (1, 3));
    let created = object(id::NEW_SESSION_CREATED, |b| {
        b.i64(call);
        b.i64(4711);
        b.i64(rig.salt());
    });
    assert_eq!(sent[0].body, created);

    rig.give(message(call, 1, echo(1)));
    rig.send(echo(2));
    tell(&mut rig, ping(1));
    let whole = rig.container_of(&[]);
    rig.give(whole);
    assert_eq!(greetings(&mut rig), []);
}

#[test]
fn sv_10_it_names_the_lowest_call_of_the_first_packet() {
    let mut rig = Rig::fresh();
    let old = rig.now.plus(-900_000).msg_id();
    let inner = [
        rig.quiet(ping(1)),
        message(old + 4, 3, echo(1)),
        message(old, 1, echo(2)),
    ];
    let whole = rig.container_of(&inner);
    rig.give(whole);
    assert_eq!(greetings(&mut rig), [(old, 4711, rig.salt())]);

    let mut rig = Rig::fresh();
    let pinged = tell(&mut rig, ping(1));
    assert_eq!(greetings(&mut rig), [(pinged, 4711, rig.salt())]);
}

#[test]
fn sv_10_it_is_told_again_when_a_lower_call_comes_and_is_the_same_beginning() {
    let mut rig = Rig::fresh();
    let first = rig.next_id();
    rig.wait(1_000);
    rig.send(echo(1));
    assert_eq!(greetings(&mut rig).len(), 1);
    rig.give(message(first, 1, echo(2)));
    let again = (first, 4711, rig.salt());
    assert_eq!(greetings(&mut rig), [again]);
    rig.give(message(first, 1, echo(2)));
    assert_eq!(greetings(&mut rig), [], "known by now");
    rig.session.connection_closed(CONNECTION);
    assert_eq!(
        greetings(&mut rig),
        [again],
        "the first one is of no use any more"
    );
}

#[test]
fn sv_10_a_lower_id_of_what_wants_no_answer_is_no_need() {
    // Each costs the client a getDifference.
    let mut rig = Rig::fresh();
    let lower = rig.quiet(ping(1));
    rig.wait(1_000);
    rig.send(echo(1));
    assert_eq!(greetings(&mut rig).len(), 1);
    rig.give(lower);
    assert_eq!(greetings(&mut rig), []);
}

#[test]
fn sv_10_what_was_forgotten_begins_nothing() {
    let mut rig = Rig::fresh();
    let first = rig.send(echo(1));
    rig.session.answer(rig.now, first, Answer::Result(echo(1)));
    rig.wait(1_000_000);
    for _ in 0..havre_mtproto::limits::SEEN_MAX {
        tell(&mut rig, ping(1));
    }
    rig.sent();
    let whole = rig.container_of(&[message(first, 1, echo(1)), message(first - 4, 1, echo(1))]);
    rig.give(whole);
    assert_eq!(greetings(&mut rig), []);
}

#[test]
fn sv_10_a_broken_container_begins_nothing() {
    let mut rig = Rig::fresh();
    tell(&mut rig, object(id::MSG_CONTAINER, |b| b.i32(1)));
    assert_eq!(greetings(&mut rig), []);
}

#[test]
fn sv_11_future_salts_are_told_for_the_time_of_the_server() {
    for (asked, told) in [(1, 1), (64, 64), (65, 64), (0, 1), (-1, 1), (i32::MAX, 64)] {
        let mut rig = Rig::new();
        let sent = rig.content(object(id::GET_FUTURE_SALTS, |b| b.i32(asked)));
        rig.give(sent.clone());
        let salts = rig.sent();
        assert_eq!(
            (salts.len(), salts[0].seq_no & 1),
            (1, 0),
            "its own acknowledgement"
        );
        let mut reader = Reader(&salts[0].body);
        assert_eq!(reader.u32(), Ok(id::FUTURE_SALTS));
        assert_eq!(reader.i64(), Ok(sent.msg_id));
        assert_eq!(reader.i32(), Ok(rig.now.seconds()));
        assert_eq!(
            reader.u32(),
            Ok(told),
            "a bare vector: no constructor before the count"
        );
        let expected = rig.salts.future(auth_key().id(), rig.now, told as usize);
        for (since, until, salt) in expected {
            assert_eq!(
                (reader.i32(), reader.i32(), reader.i64()),
                (Ok(since), Ok(until), Ok(salt))
            );
        }
        assert!(reader.0.is_empty());
    }
}

#[test]
fn sv_12_destroying_the_key_is_answered_as_it_went() {
    let outcomes = [
        (Some(true), id::DESTROY_AUTH_KEY_OK),
        (Some(false), id::DESTROY_AUTH_KEY_NONE),
        (None, id::DESTROY_AUTH_KEY_FAIL),
    ];
    for (outcome, constructor) in outcomes {
        let mut rig = Rig::new();
        let msg_id = tell(&mut rig, object(id::DESTROY_AUTH_KEY, |_| {}));
        assert_eq!(rig.wishes(), [Wish::DestroyKey { msg_id }]);
        rig.session.key_destroyed(rig.now, outcome);
        let sent: Vec<Vec<u8>> = rig.sent().into_iter().map(|m| m.body).collect();
        assert_eq!(sent, [object(constructor, |_| {})]);
    }
}

#[test]
fn sv_12_after_that_packets_of_the_key_get_404() {
    let mut connection = connection();
    connection.forget_key(auth_key().id());
    connection.receive(NOW, &stream(8, ping(1)));
    let Some(Ask::NeedKey(id)) = connection.poll() else {
        panic!("it is looked up again")
    };
    assert_eq!(id, auth_key().id());
    connection.key_found(NOW, KeyLookup::NoSuchKey);
    let Some(Ask::Write(error)) = connection.poll() else {
        panic!("nothing said")
    };
    assert_eq!(
        error,
        [&4_u32.to_le_bytes()[..], &(-404_i32).to_le_bytes()].concat()
    );
    assert!(connection.poll().is_none(), "a handshake may follow");
}

#[test]
fn sv_13_big_pushes_are_sent_again_whole() {
    // The server may announce them instead; no client needs that.
    let mut rig = Rig::new();
    rig.session.push(rig.now, noise(ANSWER_RESEND_MAX * 2));
    let pushed = rig.sent();
    let again = after_reconnecting(&mut rig);
    assert!(again.contains(&pushed[0]));
}

#[test]
fn sv_14_waiting_is_for_http_and_gets_no_acknowledgement() {
    let mut rig = Rig::new();
    tell(&mut rig, object(0x9299_359f, |b| b.extend([0; 12])));
    assert_eq!((rig.sent(), rig.wishes()), (vec![], vec![]));
}

/// What only a server says.
const FROM_SERVERS: [u32; 13] = [
    id::RPC_RESULT,
    id::PONG,
    id::FUTURE_SALTS,
    id::MSGS_STATE_INFO,
    0x8cc0_d131, // msgs_all_info
    id::DESTROY_SESSION_OK,
    id::DESTROY_SESSION_NONE,
    id::DESTROY_AUTH_KEY_OK,
    id::DESTROY_AUTH_KEY_NONE,
    id::DESTROY_AUTH_KEY_FAIL,
    id::BAD_MSG_NOTIFICATION,
    id::BAD_SERVER_SALT,
    id::NEW_SESSION_CREATED,
];

#[test]
fn sv_15_what_no_client_says_is_acknowledged_when_odd_and_else_ignored() {
    for constructor in FROM_SERVERS {
        let mut rig = Rig::new();
        tell(&mut rig, object(constructor, |b| b.i64(1)));
        assert_eq!(rig.sent(), [], "{constructor:08x}");
        let odd = rig.send(object(constructor, |b| b.i64(1)));
        assert_eq!(rig.bodies(id::MSGS_ACK), [acks(&[odd])], "{constructor:08x}");
        assert_eq!(rig.wishes(), []);
    }
}

#[test]
fn sv_15_what_cannot_be_read_is_acknowledged_when_odd_and_else_ignored() {
    let whole = [
        acks(&[4, 8]),
        ping(1),
        object(id::PING_DELAY_DISCONNECT, |b| b.extend([0; 12])),
        object(id::GET_FUTURE_SALTS, |b| b.i32(1)),
        object(id::MSGS_STATE_REQ, |b| b.longs(&[4])),
        object(id::MSG_RESEND_REQ, |b| b.longs(&[4])),
        object(id::MSG_RESEND_ANS_REQ, |b| b.longs(&[4])),
        object(id::RPC_DROP_ANSWER, |b| b.i64(4)),
        object(id::DESTROY_SESSION, |b| b.i64(4)),
    ];
    for body in whole {
        for len in (4..body.len()).step_by(4) {
            let mut rig = Rig::new();
            tell(&mut rig, body[..len].to_vec());
            assert_eq!(rig.sent(), []);
            let odd = rig.send(body[..len].to_vec());
            assert_eq!(rig.bodies(id::MSGS_ACK), [acks(&[odd])], "{len} of {body:x?}");
            assert_eq!(rig.wishes(), []);
        }
    }
}
