//! Both roles over a link from a seed that splits, joins, delays, and breaks: every call runs once and is
//! answered, every push arrives.
#![allow(clippy::unwrap_used, reason = "a test that fails")]

mod common;

use std::collections::{BTreeMap, VecDeque};

use common::*;
use havre_mtproto::bytes::Reader;
use havre_mtproto::client::{ClientConfig, ClientConnection, KeyRequest, Output as Told, RsaScheme};
use havre_mtproto::limits::KEYS_PER_CONNECTION_MAX;
use havre_mtproto::time::Millis;
use havre_mtproto::transport::Framing;
use proptest::prelude::*;
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng as _;

/// One direction of a connection: bytes, and when they arrive.
#[derive(Default)]
struct Wire {
    pieces: VecDeque<(Millis, Vec<u8>)>,
}

impl Wire {
    /// Splits what is written, and delays each piece; pieces stay in order.
    fn write(&mut self, now: Millis, bytes: &[u8], rng: &mut ChaCha12Rng) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let len = 1 + below(rng, rest.len().min(700));
            let (piece, left) = rest.split_at(len);
            let earliest = self.pieces.back().map_or(now, |(at, _)| *at);
            let delay = if below(rng, 4) == 0 {
                below(rng, 900)
            } else {
                below(rng, 20)
            };
            let at = earliest.max(now.plus(delay as i64));
            self.pieces.push_back((at, piece.to_vec()));
            rest = left;
        }
    }

    /// Everything that has arrived, joined.
    fn read(&mut self, now: Millis) -> Vec<u8> {
        let mut bytes = Vec::new();
        while let Some((_, piece)) = self.pieces.pop_front_if(|(at, _)| *at <= now) {
            bytes.extend(piece);
        }
        bytes
    }
}

fn below(rng: &mut ChaCha12Rng, bound: usize) -> usize {
    rng.next_u32() as usize % bound
}

struct World {
    rng: ChaCha12Rng,
    now: Millis,
    /// The client's clock less the server's, milliseconds.
    skew: i64,
    server: Server,
    client: ClientConnection,
    at: u64,
    up: Wire,
    down: Wire,
    called: BTreeMap<i64, i64>,
    answered: BTreeMap<i64, i64>,
    pushed: i64,
    /// Message id of each push that arrived.
    arrived: BTreeMap<i64, i64>,
    beginnings: usize,
    cuts: usize,
    naps: usize,
}

impl World {
    fn new(seed: u64, config: ClientConfig) -> Self {
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        // Some clocks are right, some are wrong by less or more than message ids may be.
        let skew = if below(&mut rng, 2) == 0 {
            0
        } else {
            below(&mut rng, 1_000_000) as i64 - 500_000
        };
        let mut server = Server::new();
        // Some calls take long enough to be acknowledged first.
        server.delay_ms = |n| if n % 5 == 0 { 2_500 } else { n % 7 * 10 };
        let at = server.accept(NOW);
        Self {
            rng,
            now: NOW,
            skew,
            server,
            client: ClientConnection::new(NOW.plus(skew), config, [seed as u8; 32]),
            at,
            up: Wire::default(),
            down: Wire::default(),
            called: BTreeMap::new(),
            answered: BTreeMap::new(),
            pushed: 0,
            arrived: BTreeMap::new(),
            beginnings: 0,
            cuts: 0,
            naps: 0,
        }
    }

    fn clock(&self) -> Millis {
        self.now.plus(self.skew)
    }

    fn step(&mut self, is_bad: bool) {
        self.now = self.now.plus(1 + below(&mut self.rng, 60) as i64);
        let bytes = self.down.read(self.now);
        if !bytes.is_empty() {
            self.client.receive(self.clock(), &bytes);
        }
        if self.client.timeout().is_some_and(|at| at <= self.clock()) {
            self.client.handle_timeout(self.clock());
        }
        self.listen();
        let bytes = self.up.read(self.now);
        if !bytes.is_empty() {
            self.server.receive(self.now, self.at, &bytes);
        }
        let (bytes, closed) = self.server.drain(self.now, self.at);
        self.down.write(self.now, &bytes, &mut self.rng);
        assert!(!closed, "the server has no reason to close");
        if is_bad && below(&mut self.rng, 40) == 0 {
            self.cut();
        }
    }

    fn listen(&mut self) {
        while let Some(told) = self.client.poll() {
            match told {
                Told::Write(bytes) => self.up.write(self.now, &bytes, &mut self.rng),
                Told::Result { msg_id, body } => {
                    let n = Reader(&body[4..]).i64().unwrap();
                    assert_eq!(self.called.get(&msg_id), Some(&n));
                    assert_eq!(self.answered.insert(msg_id, n), None, "answered twice");
                }
                Told::Push { msg_id, body } => {
                    let n = Reader(&body[4..]).i64().unwrap();
                    let before = self.arrived.insert(n, msg_id);
                    assert_eq!(before, None, "a repeat has the message id of the first");
                }
                Told::NewSession { .. } => self.beginnings += 1,
                Told::KeyMade { .. } | Told::Service { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The connection breaks; the rest of what was on its way is lost, in the middle of a packet maybe.
    fn cut(&mut self) {
        self.cuts += 1;
        self.server.hang_up(self.at);
        self.at = self.server.accept(self.now);
        self.up = Wire::default();
        self.down = Wire::default();
        self.client.reconnect(self.clock());
    }

    /// The client sleeps until its salt is one of the past: longer than the server keeps anything for it.
    fn nap(&mut self) {
        self.naps += 1;
        self.now = self.now.plus(45 * 60_000);
        self.cut();
    }

    fn act(&mut self) {
        match below(&mut self.rng, 6) {
            0 | 1 => {
                for _ in 0..=below(&mut self.rng, 3) {
                    let n = self.called.len() as i64;
                    let call = self.client.queue(self.clock(), echo(n));
                    self.called.insert(call, n);
                }
                self.client.flush(self.clock());
            }
            2 => {
                let sessions = self.server.sessions.values_mut();
                for session in sessions {
                    session.push(self.now, echo(self.pushed));
                    self.pushed += 1;
                }
            }
            3 => {
                self.client.ping(self.clock(), 1, Some(600));
            }
            _ => {}
        }
    }

    /// Waits on a good link until everything has arrived.
    fn calm_down(&mut self) {
        let mut steps = 0;
        while !self.is_done() {
            self.step(false);
            steps += 1;
            // Pings go on: a connection whose handshake is over may not be silent for ever.
            if steps % 500 == 0 {
                self.client.ping(self.clock(), 1, None);
            }
            let (open, lost) = (self.client.open_calls(), self.pushed - self.arrived.len() as i64);
            assert!(steps < 3_000, "{open} calls are open and {lost} pushes lost");
        }
    }

    fn is_done(&self) -> bool {
        self.answered.len() == self.called.len() && self.arrived.len() as i64 == self.pushed
    }
}

fn live(seed: u64, config: ClientConfig) -> World {
    let mut world = World::new(seed, config);
    for _ in 0..3 {
        for _ in 0..200 {
            world.act();
            world.step(true);
        }
        world.calm_down();
        world.nap();
    }
    world.calm_down();
    world
}

fn check(world: &World) {
    let mut ran: Vec<i64> = world
        .server
        .executed
        .iter()
        .map(|body| Reader(&body[4..]).i64().unwrap())
        .collect();
    ran.sort_unstable();
    let all: Vec<i64> = (0..world.called.len() as i64).collect();
    assert_eq!(ran, all, "each call once");
    assert_eq!(world.client.open_calls(), 0);
    assert_eq!(world.arrived.len() as i64, world.pushed);
    assert!(world.beginnings <= 1, "a session begins once");
    assert!(world.server.keys.len() <= world.cuts + 1);
    const { assert!(KEYS_PER_CONNECTION_MAX >= 2) }
}

#[test]
fn rp_2_sv_2_many_seeds_over_every_transport() {
    let framings = [
        Framing::Abridged,
        Framing::Intermediate,
        Framing::Padded,
        Framing::Full,
    ];
    let (mut calls, mut pushes, mut cuts, mut naps) = (0, 0, 0, 0);
    for seed in 0..48 {
        let framing = framings[seed as usize % 4];
        let scheme = if seed % 3 == 0 {
            RsaScheme::Sha1
        } else {
            RsaScheme::Padded
        };
        let config = ClientConfig {
            obfuscated: seed % 8 < 4 && framing != Framing::Full,
            key_request: KeyRequest {
                scheme,
                ..KeyRequest::default()
            },
            ..config(framing)
        };
        let world = live(seed, config);
        check(&world);
        calls += world.called.len();
        pushes += world.pushed;
        cuts += world.cuts;
        naps += world.naps;
    }
    let all = (calls, pushes, cuts, naps);
    assert!(
        calls > 5_000 && pushes > 1_000 && cuts > 200 && naps > 100,
        "{all:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn rp_2_any_seed(seed: u64) {
        check(&live(seed, config(Framing::Intermediate)));
    }

    #[test]
    fn arbitrary_bytes_into_a_client_never_panic(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..10),
        framing in prop::sample::select(&[Framing::Abridged, Framing::Intermediate, Framing::Full][..]),
        has_key: bool,
    ) {
        let mut client = if has_key {
            ClientConnection::resume(NOW, config(framing), auth_key(), 1, [1; 32])
        } else {
            ClientConnection::new(NOW, config(framing), [1; 32])
        };
        client.call(NOW, echo(1));
        for piece in &pieces {
            client.receive(NOW, piece);
        }
        while client.poll().is_some() {}
        prop_assert_eq!(client.open_calls(), 1);
    }
}
