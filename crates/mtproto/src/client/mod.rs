//! The client's end of a connection, and the session that it carries: for tests, the simulator and load.
//! After every call that changes it, drain [`ClientConnection::poll`].
//!
//! 1. [`ClientConnection::new`] makes a key; [`ClientConnection::resume`] has one.
//! 2. [`ClientConnection::call`] sends a call, at once or as soon as there is a key. It stays until it is
//!    answered, over [`ClientConnection::reconnect`] too.
//! 3. [`ClientConnection::receive`] takes bytes from the socket, [`ClientConnection::handle_timeout`] the
//!    time.

mod handshake;
mod session;

use std::collections::VecDeque;
use std::sync::Arc;

use rand_chacha::ChaCha12Rng;
use rand_core::{Rng as _, SeedableRng as _};

use crate::bytes::{Malformed, Writer as _};
use crate::crypto::keys::Direction;
use crate::crypto::{AuthKey, RsaKey};
use crate::packet;
use crate::service::{self, body};
use crate::time::Millis;
use crate::transport::{Framing, Transport};
use handshake::{ClientHandshake, Made, Step};
pub use handshake::{KeyRequest, RsaScheme};
use session::ClientSession;

/// What a client is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Write these bytes to the socket.
    Write(Vec<u8>),
    /// A key was made.
    KeyMade {
        /// The key.
        key: AuthKey,
        /// The first salt.
        salt: i64,
        /// When a temporary key ends.
        expires: Option<Millis>,
    },
    /// A call was answered.
    Result {
        /// What [`ClientConnection::call`] returned.
        msg_id: i64,
        /// The result, unpacked.
        body: Vec<u8>,
    },
    /// A call was answered with an error.
    Error {
        /// What [`ClientConnection::call`] returned.
        msg_id: i64,
        /// `error_code`.
        code: i32,
        /// `error_message`.
        text: String,
    },
    /// An API object that was not asked for. Repeats of a message are left out.
    Push {
        /// Its message.
        msg_id: i64,
        /// The object, unpacked.
        body: Vec<u8>,
    },
    /// A service message that the client itself has no use for, such as `pong`.
    Service {
        /// Its message id.
        msg_id: i64,
        /// Its sequence number.
        seq_no: i32,
        /// The message, unpacked.
        body: Vec<u8>,
    },
    /// The server began the session anew: what was pushed before may be lost.
    NewSession {
        /// The first message that it knows.
        first_msg_id: i64,
        /// Names this beginning.
        unique_id: i64,
    },
    /// The server refused a message (`bad_msg_notification`). Where the client can, it mends and sends
    /// again; else it closes.
    BadMessage {
        /// The message.
        msg_id: i64,
        /// Why.
        code: i32,
    },
    /// Write what was asked before, then close.
    Closed(ClosedBecause),
}

/// Why a client closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosedBecause {
    /// The server said so, by a transport error (TR-7).
    Told(i32),
    /// The handshake failed.
    Handshake(ClientError),
    /// What came breaks a rule, or the server says that what we sent does.
    BrokenRule,
}

impl From<Malformed> for ClosedBecause {
    fn from(_: Malformed) -> Self {
        Self::BrokenRule
    }
}

/// Why a handshake failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// Not the answer that was waited for, or not as the schema says.
    #[error("malformed handshake answer")]
    Malformed,
    /// Nonces that are not ours.
    #[error("foreign nonce")]
    Nonce,
    /// The server does not have the key that we know.
    #[error("the server has other keys")]
    UnknownKey,
    /// Not the well-known group, or a public value out of range.
    #[error("unsafe group")]
    Group,
    /// Data that do not open, or a wrong hash.
    #[error("data that do not open")]
    Sealed,
    /// The server gave up.
    #[error("the server refused the key")]
    Refused,
}

impl From<Malformed> for ClientError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// How to speak with a server.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// How packets are set apart.
    pub framing: Framing,
    /// Whether everything is hidden behind an obfuscation header; full cannot be.
    pub obfuscated: bool,
    /// The server's public key.
    pub server_key: Arc<RsaKey>,
    /// The key to make.
    pub key_request: KeyRequest,
}

/// One client: a connection at a time, and a session over all of them.
pub struct ClientConnection {
    config: ClientConfig,
    transport: Transport,
    handshake: Option<ClientHandshake>,
    key: Option<AuthKey>,
    session: ClientSession,
    outputs: VecDeque<Output>,
    rng: ChaCha12Rng,
    closed: bool,
}

impl ClientConnection {
    /// A client without key: it makes one. The seed must be fresh entropy where secrecy matters.
    #[must_use]
    pub fn new(now: Millis, config: ClientConfig, seed: [u8; 32]) -> Self {
        let mut client = Self::unconnected(config, seed);
        client.reconnect(now);
        client
    }

    /// A client with a key: a new session under it.
    #[must_use]
    pub fn resume(now: Millis, config: ClientConfig, key: AuthKey, salt: i64, seed: [u8; 32]) -> Self {
        let mut client = Self::unconnected(config, seed);
        (client.key, client.session.salt) = (Some(key), salt);
        client.reconnect(now);
        client
    }

    fn unconnected(config: ClientConfig, seed: [u8; 32]) -> Self {
        let mut rng = ChaCha12Rng::from_seed(seed);
        let session_id = rng.next_u64().cast_signed();
        Self {
            transport: Transport::client(config.framing, None),
            config,
            handshake: None,
            key: None,
            session: ClientSession::new(session_id),
            outputs: VecDeque::new(),
            rng,
            closed: true,
        }
    }

    /// Begins again on a new socket, with the same session: what was not answered is sent again under the
    /// same message ids; a handshake begins anew.
    pub fn reconnect(&mut self, now: Millis) {
        let mut random = [0; 64];
        self.rng.fill_bytes(&mut random);
        let obfuscate = self.config.obfuscated.then_some(random);
        self.transport = Transport::client(self.config.framing, obfuscate);
        self.closed = false;
        self.outputs.retain(|output| !matches!(output, Output::Write(_)));
        self.outputs.push_back(Output::Write(self.transport.take_own()));
        self.session.reconnected();
        if self.key.is_none() {
            let (handshake, body) = ClientHandshake::start(self.config.key_request, &mut self.rng);
            self.handshake = Some(handshake);
            self.write(&packet::plain(now.msg_id(), &body));
        }
        self.flush(now);
    }

    /// The next thing that the client has to say.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The id of the session.
    #[must_use]
    pub fn session_id(&self) -> i64 {
        self.session.id
    }

    /// The key, when there is one.
    #[must_use]
    pub fn key(&self) -> Option<&AuthKey> {
        self.key.as_ref()
    }

    /// The salt that the next packet will bear.
    #[must_use]
    pub fn salt(&self) -> i64 {
        self.session.salt
    }

    /// Calls that were not answered yet.
    #[must_use]
    pub fn open_calls(&self) -> usize {
        self.session.open_calls()
    }

    /// Whether the connection is over; [`Self::reconnect`] begins another.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Adds a call that leaves with the next [`Self::flush`]. The id names it when it is answered.
    pub fn queue(&mut self, now: Millis, body: Vec<u8>) -> i64 {
        self.session.call(now, |_| body)
    }

    /// Sends a call. The id names it when it is answered.
    pub fn call(&mut self, now: Millis, body: Vec<u8>) -> i64 {
        self.call_with(now, |_| body)
    }

    /// Sends a call whose body holds its own message id, as `auth.bindTempAuthKey` does.
    pub fn call_with(&mut self, now: Millis, body: impl FnOnce(i64) -> Vec<u8>) -> i64 {
        let msg_id = self.session.call(now, body);
        self.flush(now);
        msg_id
    }

    /// Sends a service message, once. What the server says to it comes as [`Output::Service`].
    pub fn service(&mut self, now: Millis, is_content: bool, body: Vec<u8>) -> i64 {
        let msg_id = self.session.say(now, is_content, body);
        self.flush(now);
        msg_id
    }

    /// Sends a ping; with `close_after_s` the server closes when no other comes in that many seconds.
    pub fn ping(&mut self, now: Millis, ping_id: i64, close_after_s: Option<i32>) -> i64 {
        let ping = match close_after_s {
            None => body(service::PING, |b| b.i64(ping_id)),
            Some(seconds) => body(service::PING_DELAY_DISCONNECT, |b| {
                b.i64(ping_id);
                b.i32(seconds);
            }),
        };
        self.service(now, true, ping)
    }

    /// When [`Self::handle_timeout`] is due: to acknowledge what came.
    #[must_use]
    pub fn timeout(&self) -> Option<Millis> {
        self.session.timeout()
    }

    /// Acknowledges what came, if that is due.
    pub fn handle_timeout(&mut self, now: Millis) {
        self.flush(now);
    }

    /// Sends what waits.
    pub fn flush(&mut self, now: Millis) {
        let Some(key) = self.key.clone().filter(|_| !self.closed) else {
            return;
        };
        while let Some(message) = self.session.transmit(now) {
            let head = (self.session.salt, self.session.id);
            let sealed = packet::seal(&key, Direction::ToServer, head, &message, &mut self.rng);
            self.write(&sealed);
        }
    }

    fn write(&mut self, packet: &[u8]) {
        let mut out = Vec::with_capacity(packet.len() + 24);
        self.transport.send(packet, false, &mut self.rng, &mut out);
        self.outputs.push_back(Output::Write(out));
    }

    fn close(&mut self, because: ClosedBecause) {
        if !std::mem::replace(&mut self.closed, true) {
            self.outputs.push_back(Output::Closed(because));
        }
    }

    /// Takes bytes from the socket.
    pub fn receive(&mut self, now: Millis, bytes: &[u8]) {
        if self.closed {
            return;
        }
        let mut done = self
            .transport
            .receive(bytes)
            .map_err(|_| ClosedBecause::BrokenRule);
        while done.is_ok() {
            done = match self.transport.next_frame() {
                Ok(Some(frame)) => self.packet(now, frame.payload),
                Ok(None) => break,
                Err(_) => Err(ClosedBecause::BrokenRule),
            };
        }
        self.outputs.append(&mut self.session.outputs);
        match done {
            Ok(()) => self.flush(now),
            Err(because) => self.close(because),
        }
    }

    fn packet(&mut self, now: Millis, payload: Vec<u8>) -> Result<(), ClosedBecause> {
        if payload.len() < 20 {
            let code = payload.first_chunk::<4>().ok_or(ClosedBecause::BrokenRule)?;
            return Err(ClosedBecause::Told(i32::from_le_bytes(*code)));
        }
        if packet::auth_key_id(&payload) == Some(0) {
            let body = packet::open_plain(&payload).ok_or(ClosedBecause::BrokenRule)?;
            return self.handshake_answer(now, body);
        }
        let key = self.key.as_ref().ok_or(ClosedBecause::BrokenRule)?;
        let opened = packet::open(key, Direction::ToClient, payload).ok_or(ClosedBecause::BrokenRule)?;
        if opened.session_id != self.session.id {
            return Err(ClosedBecause::BrokenRule);
        }
        self.session.handle(now, opened.message)
    }

    fn handshake_answer(&mut self, now: Millis, body: &[u8]) -> Result<(), ClosedBecause> {
        let handshake = self.handshake.as_mut().ok_or(ClosedBecause::BrokenRule)?;
        let step = handshake
            .handle(now, &self.config.server_key, body, &mut self.rng)
            .map_err(ClosedBecause::Handshake)?;
        match step {
            Step::Say(body) => self.write(&packet::plain(now.msg_id(), &body)),
            Step::Made(made) => self.made(now, made),
        }
        Ok(())
    }

    fn made(&mut self, now: Millis, made: Made) {
        self.handshake = None;
        self.session.key_made(now, made.salt, made.server_time);
        self.key = Some(made.key.clone());
        self.outputs.push_back(Output::KeyMade {
            key: made.key,
            salt: made.salt,
            expires: made.expires,
        });
    }
}
