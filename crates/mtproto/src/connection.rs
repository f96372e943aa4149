//! One connection, the server's end: transport, handshake, packets. After every call that changes it,
//! drain [`Connection::poll`].
//!
//! 1. [`Connection::receive`] takes bytes from the socket, [`Connection::handle_timeout`] the time.
//! 2. [`Connection::poll`] says what to do: write, look up a key, run [`Work`], keep a key, give a packet to
//!    its session, close.
//! 3. What came of it goes back in by [`Connection::key_found`], [`Connection::work_done`],
//!    [`Connection::key_stored`].
//! 4. Sessions' messages leave by [`Connection::send`].

use std::collections::VecDeque;

use rand_chacha::ChaCha12Rng;
use rand_core::{Rng as _, SeedableRng as _};

use crate::crypto::AuthKey;
use crate::crypto::keys::Direction;
use crate::handshake::{Handshake, HandshakeError, Identity, NewKey, Step, Stored, Work, WorkDone};
use crate::limits::{IDLE_MS, KEYS_PER_CONNECTION_MAX, SILENT_MS, WAITING_BYTES_MAX, WAITING_FRAMES_MAX};
use crate::packet::{self, Message, Opened};
use crate::tally::{Notice, Tally};
use crate::time::Millis;
use crate::transport::{Frame, Transport};

/// What a connection asks of the shell.
#[derive(Debug)]
pub enum Output {
    /// Write these bytes to the socket.
    Write(Vec<u8>),
    /// Look up a key and call [`Connection::key_found`].
    NeedKey(i64),
    /// Run this where nobody waits for it, and call [`Connection::work_done`].
    Work(Box<Work>),
    /// Keep this key durably and call [`Connection::key_stored`].
    StoreKey(NewKey),
    /// A message for its session.
    Packet(Packet),
    /// Write what was asked before, then close.
    Close,
}

/// A message that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The key that it came under.
    pub auth_key_id: i64,
    /// Its session.
    pub session_id: i64,
    /// Its salt.
    pub salt: i64,
    /// The handshake's salt, if the key was made on this connection.
    pub first_salt: Option<i64>,
    /// The message.
    pub message: Message,
}

/// What the key store said.
#[derive(Clone, Debug)]
pub enum KeyLookup {
    /// Here it is.
    Found(AuthKey),
    /// Here it is, a temporary one that ends at this instant.
    Temporary(AuthKey, Millis),
    /// There is no such key: the peer gets −404.
    NoSuchKey,
    /// The store cannot say: the connection is closed without a word (TR-8).
    Unavailable,
}

struct KnownKey {
    key: AuthKey,
    first_salt: Option<i64>,
    /// When a temporary key ends.
    expires: Option<Millis>,
}

/// One connection.
pub struct Connection {
    /// What was noticed.
    pub tally: Tally,
    transport: Transport,
    handshake: Option<Box<Handshake>>,
    identity: Identity,
    keys: Vec<KnownKey>,
    asked_key: Option<i64>,
    waiting: VecDeque<Frame>,
    waiting_bytes: usize,
    /// The key that is being kept.
    storing: Option<KnownKey>,
    outputs: VecDeque<Output>,
    rng: ChaCha12Rng,
    close_at: Millis,
    /// Set by `ping_delay_disconnect`; replaces the idle timer.
    close_timer: bool,
    closed: bool,
}

impl Connection {
    /// A connection that was just accepted. The seed must be fresh entropy.
    #[must_use]
    pub fn new(now: Millis, identity: Identity, seed: [u8; 32]) -> Self {
        Self {
            tally: Tally::default(),
            transport: Transport::server(),
            handshake: None,
            identity,
            keys: Vec::new(),
            asked_key: None,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            storing: None,
            outputs: VecDeque::new(),
            rng: ChaCha12Rng::from_seed(seed),
            close_at: now.plus(SILENT_MS),
            close_timer: false,
            closed: false,
        }
    }

    /// The next thing for the shell to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Self::handle_timeout`] is due.
    #[must_use]
    pub fn timeout(&self) -> Millis {
        self.close_at
    }

    /// Closes a connection that said nothing for too long.
    pub fn handle_timeout(&mut self, now: Millis) {
        if now >= self.close_at {
            self.close();
        }
    }

    /// Closes unless this is called again within `ms` (SV-8).
    pub fn close_after(&mut self, now: Millis, ms: i64) {
        self.close_timer = true;
        self.close_at = now.plus(ms);
    }

    fn close(&mut self) {
        if !std::mem::replace(&mut self.closed, true) {
            self.outputs.push_back(Output::Close);
        }
    }

    /// Whether the peer has begun to make a key on this connection.
    #[must_use]
    pub fn is_making_key(&self) -> bool {
        self.handshake.is_some()
    }

    /// The data centre that the peer means to talk to, from 1 to 5, where its transport says so.
    #[must_use]
    pub fn dc_id(&self) -> Option<i32> {
        self.transport.dc_id()
    }

    /// Bytes that are held for packets that are not whole, or wait for a key.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.transport.buffered() + self.waiting_bytes
    }

    /// Takes bytes from the socket.
    pub fn receive(&mut self, now: Millis, bytes: &[u8]) {
        if self.closed {
            return;
        }
        if !self.close_timer && !self.keys.is_empty() {
            self.close_at = now.plus(IDLE_MS);
        }
        let received = self.transport.receive(bytes);
        self.say_own();
        while !self.closed {
            match self.transport.next_frame() {
                Ok(Some(frame)) => self.frame(now, frame),
                Ok(None) if received.is_ok() => return,
                _ => {
                    self.tally.note(Notice::BadFraming);
                    self.close();
                }
            }
        }
    }

    fn say_own(&mut self) {
        let own = self.transport.take_own();
        if !own.is_empty() {
            self.outputs.push_back(Output::Write(own));
        }
    }

    fn frame(&mut self, now: Millis, frame: Frame) {
        if self.asked_key.is_some() {
            return self.keep_waiting(frame);
        }
        // A key that has ended is asked for again, and is not found (RP-5).
        self.keys.retain(|known| known.expires.is_none_or(|at| now < at));
        match packet::auth_key_id(&frame.payload) {
            Some(0) => self.plain(now, &frame.payload),
            Some(id) => match self.keys.iter().position(|k| k.key.id() == id) {
                Some(at) => self.encrypted(now, at, frame),
                None => {
                    self.asked_key = Some(id);
                    self.keep_waiting(frame);
                    self.outputs.push_back(Output::NeedKey(id));
                }
            },
            None => self.refuse_plain(),
        }
    }

    fn refuse_plain(&mut self) {
        self.tally.note(Notice::BadPlain);
        self.refuse(-404);
    }

    /// Keeps a packet until a key was looked up.
    fn keep_waiting(&mut self, frame: Frame) {
        self.waiting_bytes += frame.payload.len();
        self.waiting.push_back(frame);
        if self.waiting.len() > WAITING_FRAMES_MAX || self.waiting_bytes > WAITING_BYTES_MAX {
            self.close();
        }
    }

    fn encrypted(&mut self, now: Millis, at: usize, frame: Frame) {
        let known = &self.keys[at];
        let Some(opened) = packet::open(&known.key, Direction::ToServer, frame.payload) else {
            // Every cause looks the same from outside (EN-2).
            self.tally.note(Notice::BadSealed);
            return self.close();
        };
        let Opened {
            salt,
            session_id,
            message,
            quick_ack,
        } = opened;
        let (auth_key_id, first_salt) = (known.key.id(), known.first_salt);
        if frame.quick_ack {
            let mut out = Vec::new();
            self.transport.send_quick_ack(quick_ack, &mut self.rng, &mut out);
            self.outputs.push_back(Output::Write(out));
        }
        if !self.close_timer {
            self.close_at = now.plus(IDLE_MS);
        }
        let packet = Packet {
            auth_key_id,
            session_id,
            salt,
            first_salt,
            message,
        };
        self.outputs.push_back(Output::Packet(packet));
    }

    fn plain(&mut self, now: Millis, payload: &[u8]) {
        let Some(body) = packet::open_plain(payload) else {
            return self.refuse_plain();
        };
        let handshake = self.handshake.get_or_insert_default();
        let (begun, repeat) = (handshake.begun(), handshake.is_repeat(body));
        let step = handshake.handle(now, &self.identity, body, &mut self.rng);
        if repeat {
            self.tally.note(Notice::HandshakeReplayed);
        } else if handshake.begun() > begun {
            self.tally.note(Notice::HandshakeBegun);
        }
        self.step(now, step);
    }

    fn step(&mut self, now: Millis, step: Result<Step, HandshakeError>) {
        match step {
            Ok(Step::Nothing) => {}
            Ok(Step::Reply(body)) => self.say_plain(now, &body),
            Ok(Step::Work(work)) => {
                // Who has come so far has worked for it; slow arithmetic, here or there, costs no connection.
                self.close_at = self.close_at.max(now.plus(SILENT_MS));
                self.outputs.push_back(Output::Work(work));
            }
            Ok(Step::Store(new)) => {
                self.storing = Some(KnownKey {
                    key: new.key.clone(),
                    first_salt: Some(new.salt),
                    expires: new.expires,
                });
                self.outputs.push_back(Output::StoreKey(new));
            }
            Err(error) => {
                self.tally.note(error.into());
                self.refuse(error.code());
            }
        }
    }

    fn say_plain(&mut self, now: Millis, body: &[u8]) {
        let packet = packet::plain(now.msg_id() | 1, body);
        self.write(&packet);
    }

    /// Tells the peer that what it sent led nowhere (TR-7).
    fn refuse(&mut self, code: i32) {
        self.write(&packet::transport_error(code));
        if code == -429 {
            self.close();
        }
    }

    fn write(&mut self, packet: &[u8]) {
        let mut out = Vec::with_capacity(packet.len() + 24);
        self.transport.send(packet, false, &mut self.rng, &mut out);
        self.outputs.push_back(Output::Write(out));
    }

    fn know(&mut self, known: KnownKey) {
        if self.keys.len() >= KEYS_PER_CONNECTION_MAX {
            self.keys.remove(0);
        }
        self.keys.push(known);
    }

    /// Says what the key store said of the key that was asked for.
    pub fn key_found(&mut self, now: Millis, lookup: KeyLookup) {
        let Some(id) = self.asked_key.take() else { return };
        let frames = std::mem::take(&mut self.waiting);
        self.waiting_bytes = 0;
        let (key, expires) = match lookup {
            KeyLookup::Found(key) => (key, None),
            KeyLookup::Temporary(key, at) => (key, Some(at)),
            KeyLookup::Unavailable => return self.close(),
            KeyLookup::NoSuchKey => {
                // The frames of that key are lost; a handshake on this connection may follow.
                self.refuse(-404);
                let others = frames
                    .into_iter()
                    .filter(|f| packet::auth_key_id(&f.payload) != Some(id));
                return others.for_each(|frame| self.frame(now, frame));
            }
        };
        if key.id() != id {
            return self.close();
        }
        self.know(KnownKey {
            key,
            first_salt: None,
            expires,
        });
        frames.into_iter().for_each(|frame| self.frame(now, frame));
    }

    /// Gives back what came of work; nothing when no place was free for it: the peer gets −429 (HS-15).
    pub fn work_done(&mut self, now: Millis, done: Option<WorkDone>) {
        let Some(handshake) = &mut self.handshake else {
            return;
        };
        match done {
            Some(done) => {
                let step = handshake.handle_done(done);
                self.close_at = self.close_at.max(now.plus(SILENT_MS));
                self.step(now, step);
            }
            None => {
                handshake.handle_refused();
                self.refuse(-429);
            }
        }
    }

    /// Says how keeping a key went; nothing when the store failed: the connection is closed.
    pub fn key_stored(&mut self, now: Millis, stored: Option<Stored>) {
        let Some(stored) = stored else { return self.close() };
        if let Some(known) = self.storing.take()
            && stored == Stored::Kept
        {
            self.know(known);
        }
        if let Some(handshake) = &mut self.handshake {
            let step = handshake.stored(stored);
            self.step(now, Ok(step));
        }
    }

    /// Forgets a key that was destroyed: what comes under it gets −404.
    pub fn forget_key(&mut self, auth_key_id: i64) {
        self.keys.retain(|known| known.key.id() != auth_key_id);
    }

    /// Seals and writes a session's message. False when this connection does not know the key.
    pub fn send(&mut self, auth_key_id: i64, salt: i64, session_id: i64, message: &Message) -> bool {
        let Some(at) = self.keys.iter().position(|k| k.key.id() == auth_key_id) else {
            return false;
        };
        let key = &self.keys[at].key;
        let sealed = packet::seal(
            key,
            Direction::ToClient,
            (salt, session_id),
            message,
            &mut self.rng,
        );
        self.write(&sealed);
        true
    }

    /// A random number of the connection's own.
    pub fn random_i64(&mut self) -> i64 {
        self.rng.next_u64().cast_signed()
    }
}
