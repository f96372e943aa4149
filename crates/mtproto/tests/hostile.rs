//! Whatever comes under a key: nothing makes a session panic, and what it does and says is bounded by what
//! it got.
#![allow(clippy::unwrap_used, reason = "a test that fails")]

mod common;

use std::io::Write as _;

use common::*;
use havre_mtproto::bytes::Writer as _;
use havre_mtproto::limits::{CONTAINER_MESSAGES_MAX, GZIP_UNPACKED_MAX, IDS_MAX, PACKET_UNPACKED_MAX};
use havre_mtproto::packet::Message;
use havre_mtproto::session::{Answer, ConnectionId, Output as Wish};
use proptest::prelude::*;
use proptest::sample::Index;

const CONSTRUCTORS: [u32; 20] = [
    id::MSGS_ACK,
    id::MSG_CONTAINER,
    id::GZIP_PACKED,
    id::PING,
    id::PING_DELAY_DISCONNECT,
    id::GET_FUTURE_SALTS,
    id::MSGS_STATE_REQ,
    id::MSGS_STATE_INFO,
    id::MSG_DETAILED_INFO,
    id::MSG_RESEND_REQ,
    id::MSG_RESEND_ANS_REQ,
    id::RPC_DROP_ANSWER,
    id::DESTROY_SESSION,
    id::DESTROY_AUTH_KEY,
    id::RPC_RESULT,
    id::NEW_SESSION_CREATED,
    id::ECHO,
    0xe060_46b2, // msg_copy
    0x9299_359f, // http_wait
    0x8cc0_d131, // msgs_all_info
];

fn packed(unpacked: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(unpacked).unwrap();
    let bytes = encoder.finish().unwrap();
    object(id::GZIP_PACKED, |b| b.string(&bytes))
}

/// A well-formed body; ids in it are replaced by some that mean something.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let constructor = prop::sample::select(&CONSTRUCTORS[..]);
    let longs = prop::collection::vec(any::<i64>(), 0..20);
    let leaf = prop_oneof![
        (constructor.clone(), longs.clone()).prop_map(|(c, longs)| object(c, |b| b.longs(&longs))),
        (constructor.clone(), longs)
            .prop_map(|(c, longs)| object(c, |b| longs.iter().for_each(|n| b.i64(*n)))),
        (constructor, prop::collection::vec(any::<u8>(), 0..80))
            .prop_map(|(c, bytes)| object(c, |b| b.extend(bytes))),
        prop::collection::vec(any::<u8>(), 0..80),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        let part = (0_i64..1000, 0_i32..40, inner.clone());
        let messages = prop::collection::vec(part, 0..6);
        prop_oneof![
            inner.prop_map(|body| packed(&body)),
            messages.prop_map(|messages| {
                let messages = messages.into_iter();
                let inner = messages.map(|(n, seq_no, body)| message(NOW.msg_id() + n * 4, seq_no, body));
                container(&inner.collect::<Vec<Message>>())
            }),
        ]
    })
}

/// What is done to a body on its way.
#[derive(Clone, Debug)]
enum Harm {
    None,
    Flip(Index, u32),
    Cut(Index),
    /// The rest is that of another body.
    Splice(Index, Index),
    Overwrite(Index, [u8; 4]),
}

fn harm() -> impl Strategy<Value = Harm> {
    let index = any::<Index>;
    prop_oneof![
        2 => Just(Harm::None),
        2 => (index(), 0..8_u32).prop_map(|(at, bit)| Harm::Flip(at, bit)),
        1 => index().prop_map(Harm::Cut),
        2 => (index(), index()).prop_map(|(a, b)| Harm::Splice(a, b)),
        2 => (index(), any::<[u8; 4]>()).prop_map(|(at, word)| Harm::Overwrite(at, word)),
    ]
}

fn harmed(mut body: Vec<u8>, harm: &Harm, before: &[u8]) -> Vec<u8> {
    match harm {
        _ if body.is_empty() => {}
        Harm::None => {}
        Harm::Flip(at, bit) => *at.get_mut(&mut body) ^= 1_u8 << bit,
        Harm::Cut(at) => body.truncate(at.index(body.len())),
        Harm::Splice(at, from) if !before.is_empty() => {
            body.truncate(at.index(body.len()));
            body.extend(&before[from.index(before.len())..]);
        }
        Harm::Splice(..) => {}
        Harm::Overwrite(at, word) => {
            let at = at.index(body.len()) / 4 * 4;
            let end = body.len().min(at + 4);
            body[at..end].copy_from_slice(&word[..end - at]);
        }
    }
    body
}

/// What happens besides.
#[derive(Clone, Copy, Debug)]
enum Besides {
    Nothing,
    AnswerAll,
    Push,
    Reconnect,
    Wait(i64),
}

fn besides() -> impl Strategy<Value = Besides> {
    prop_oneof![
        3 => Just(Besides::Nothing),
        2 => Just(Besides::AnswerAll),
        1 => Just(Besides::Push),
        1 => Just(Besides::Reconnect),
        1 => (0_i64..400_000).prop_map(Besides::Wait),
    ]
}

/// A session, what it has running, and how many bytes it may have kept.
struct Target {
    rig: Rig,
    running: Vec<i64>,
    kept: usize,
}

impl Target {
    fn new() -> Self {
        Self {
            rig: Rig::fresh(),
            running: Vec::new(),
            kept: 0,
        }
    }

    fn besides(&mut self, besides: Besides) {
        let rig = &mut self.rig;
        match besides {
            Besides::Nothing => {}
            Besides::AnswerAll => {
                for call in self.running.drain(..) {
                    self.kept += 200;
                    rig.session.answer(rig.now, call, Answer::Result(echo(1)));
                }
            }
            Besides::Push => {
                self.kept += 200;
                rig.session.push(rig.now, echo(2));
            }
            Besides::Reconnect => rig.session.connection_closed(CONNECTION),
            Besides::Wait(ms) => {
                rig.wait(ms);
                rig.session.handle_timeout(rig.now);
            }
        }
    }

    /// Bytes that a packet made the session hand on, and say.
    fn take(&mut self, packet: Message) -> (usize, usize) {
        self.rig.give(packet);
        let mut handed = 0;
        while let Some(wish) = self.rig.session.poll() {
            if let Wish::Request { msg_id, body } = wish {
                handed += body.len();
                self.running.push(msg_id);
            }
        }
        let sent: usize = std::iter::from_fn(|| self.rig.session.transmit(self.rig.now, ConnectionId(1)))
            .map(|m| m.body.len())
            .sum();
        (handed, sent)
    }
}

/// Most bytes that a session says to one message besides what it kept: 64 salts, or a state for each id.
const SAID_MAX: usize = 2 * 1024;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_messages_make_a_session_panic_or_say_more_than_is_due(
        packets in prop::collection::vec((body(), harm(), -5_i64..3, any::<i32>(), besides()), 1..20),
    ) {
        let (mut target, mut before) = (Target::new(), Vec::new());
        for (body, harm, low_bits, seq_no, besides) in packets {
            let sent = harmed(body.clone(), &harm, &before);
            before = body;
            let msg_id = target.rig.next_id() + 4_000 + low_bits.max(0);
            let messages = 1 + sent.len() / 16;
            // The bodies here unpack to little.
            let (handed, said) = target.take(message(msg_id, seq_no, sent));
            prop_assert!(handed <= 64 << 10, "{}", handed);
            target.kept += messages * 200;
            prop_assert!(said <= target.kept + messages * SAID_MAX, "{} for {}", said, messages);
            target.besides(besides);
        }
    }

    #[test]
    fn no_bytes_make_a_session_panic(bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..10)) {
        let mut target = Target::new();
        for constructor in CONSTRUCTORS {
            for body in &bodies {
                let odd_id = i64::from_le_bytes(std::array::from_fn(|i| body.get(i).copied().unwrap_or(0)));
                target.take(message(odd_id, 1, object(constructor, |b| b.extend(body))));
                let msg_id = target.rig.next_id();
                let (_, said) = target.take(message(msg_id, 1, object(constructor, |b| b.extend(body))));
                prop_assert!(said <= 64 << 10);
            }
        }
    }
}

/// One container of these, as a packet with room for no more.
fn take_all(bodies: &[Vec<u8>]) -> (usize, usize) {
    let mut target = Target::new();
    let inner: Vec<Message> = bodies
        .iter()
        .map(|body| target.rig.content(body.clone()))
        .collect();
    let whole = target.rig.container_of(&inner);
    target.take(whole)
}

#[test]
fn the_most_that_one_packet_makes_a_session_unpack_is_bounded() {
    let bomb = packed(&vec![0; GZIP_UNPACKED_MAX]);
    let bombs = vec![bomb; CONTAINER_MESSAGES_MAX];
    let (handed, said) = take_all(&bombs);
    assert!(handed <= PACKET_UNPACKED_MAX);
    assert!(said <= CONTAINER_MESSAGES_MAX * 100, "{said}");
}

#[test]
fn the_most_that_one_packet_makes_a_session_say_is_bounded() {
    let salts = vec![object(id::GET_FUTURE_SALTS, |b| b.i32(64)); CONTAINER_MESSAGES_MAX];
    let (_, said) = take_all(&salts);
    assert!(said <= CONTAINER_MESSAGES_MAX * 1100, "{said}");
    let asks = packed(&object(id::MSGS_STATE_REQ, |b| b.longs(&[4; IDS_MAX])));
    let (_, said) = take_all(&vec![asks; CONTAINER_MESSAGES_MAX]);
    assert!(
        said <= PACKET_UNPACKED_MAX / 8 + CONTAINER_MESSAGES_MAX * 100,
        "{said}"
    );
}
