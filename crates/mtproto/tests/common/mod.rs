//! A server of nothing but this crate, for tests: connections, sessions, keys in memory, and an
//! application that answers calls.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a test that fails")]

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use havre_mtproto::bytes::{Reader, Writer as _};
use havre_mtproto::client::{ClientConfig, ClientConnection, KeyRequest, Output as Told};
use havre_mtproto::connection::{Connection, KeyLookup, Output as Ask, Packet};
use havre_mtproto::crypto::{AuthKey, RsaKey};
use havre_mtproto::handshake::{Identity, NewKey, Stored};
use havre_mtproto::packet::Message;
use havre_mtproto::salts::Salts;
use havre_mtproto::session::{Answer, ConnectionId, Output as Wish, Session};
use havre_mtproto::time::Millis;
use havre_mtproto::transport::Framing;

/// Constructor ids, written down a second time from the documentation.
pub mod id {
    pub const MSGS_ACK: u32 = 0x62d6_b459;
    pub const MSG_CONTAINER: u32 = 0x73f1_f8dc;
    pub const GZIP_PACKED: u32 = 0x3072_cfa1;
    pub const PING: u32 = 0x7abe_77ec;
    pub const PING_DELAY_DISCONNECT: u32 = 0xf342_7b8c;
    pub const PONG: u32 = 0x3477_73c5;
    pub const GET_FUTURE_SALTS: u32 = 0xb921_bd04;
    pub const FUTURE_SALTS: u32 = 0xae50_0895;
    pub const MSGS_STATE_REQ: u32 = 0xda69_fb52;
    pub const MSGS_STATE_INFO: u32 = 0x04de_b57d;
    pub const MSG_DETAILED_INFO: u32 = 0x276d_3ec6;
    pub const MSG_RESEND_REQ: u32 = 0x7d86_1a08;
    pub const MSG_RESEND_ANS_REQ: u32 = 0x8610_baeb;
    pub const RPC_RESULT: u32 = 0xf35c_6d01;
    pub const RPC_ERROR: u32 = 0x2144_ca19;
    pub const RPC_DROP_ANSWER: u32 = 0x58e4_a740;
    pub const RPC_ANSWER_UNKNOWN: u32 = 0x5e2a_d36e;
    pub const RPC_ANSWER_DROPPED_RUNNING: u32 = 0xcd78_e586;
    pub const RPC_ANSWER_DROPPED: u32 = 0xa43a_d8b7;
    pub const BAD_MSG_NOTIFICATION: u32 = 0xa7ef_f811;
    pub const BAD_SERVER_SALT: u32 = 0xedab_447b;
    pub const NEW_SESSION_CREATED: u32 = 0x9ec2_0908;
    pub const DESTROY_SESSION: u32 = 0xe751_2126;
    pub const DESTROY_SESSION_OK: u32 = 0xe220_45fc;
    pub const DESTROY_SESSION_NONE: u32 = 0x62d3_50c9;
    pub const DESTROY_AUTH_KEY: u32 = 0xd143_5160;
    pub const DESTROY_AUTH_KEY_OK: u32 = 0xf660_e1d4;
    pub const DESTROY_AUTH_KEY_NONE: u32 = 0x0a9f_2259;
    pub const DESTROY_AUTH_KEY_FAIL: u32 = 0xea10_9b13;
    pub const REQ_PQ: u32 = 0x6046_9778;
    pub const REQ_PQ_MULTI: u32 = 0xbe7e_8ef1;
    pub const RES_PQ: u32 = 0x0516_2463;
    /// A call of no meaning: what follows comes back.
    pub const ECHO: u32 = 0x0ec0_0ec0;
    /// A call that is answered with an error.
    pub const FAIL: u32 = 0x0bad_0bad;
}

pub const NOW: Millis = Millis(1_800_000_000_000);

pub fn private_key() -> RsaKey {
    RsaKey::from_private_der(include_bytes!("private.der")).unwrap()
}

pub fn public_key() -> Arc<RsaKey> {
    Arc::new(RsaKey::from_public_der(include_bytes!("public.der")).unwrap())
}

pub fn identity() -> Identity {
    Identity {
        keys: Arc::new([private_key()]),
        dc_id: 2,
    }
}

pub fn config(framing: Framing) -> ClientConfig {
    ClientConfig {
        framing,
        obfuscated: false,
        server_key: public_key(),
        key_request: KeyRequest::default(),
    }
}

pub fn auth_key() -> AuthKey {
    AuthKey::new(std::array::from_fn(|i| (i * 7 + 3) as u8))
}

/// The body of a constructor.
pub fn object(constructor: u32, fields: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut body = Vec::new();
    body.u32(constructor);
    fields(&mut body);
    body
}

pub fn echo(n: i64) -> Vec<u8> {
    object(id::ECHO, |b| b.i64(n))
}

pub fn constructor(body: &[u8]) -> u32 {
    Reader(body).u32().unwrap()
}

pub fn container(messages: &[Message]) -> Vec<u8> {
    object(id::MSG_CONTAINER, |b| {
        b.u32(messages.len() as u32);
        for message in messages {
            b.i64(message.msg_id);
            b.i32(message.seq_no);
            b.u32(message.body.len() as u32);
            b.extend(&message.body);
        }
    })
}

pub fn message(msg_id: i64, seq_no: i32, body: Vec<u8>) -> Message {
    Message { msg_id, seq_no, body }
}

/// The messages in a message: those of a container, or the one.
pub fn flat(message: Message) -> Vec<Message> {
    if constructor(&message.body) != id::MSG_CONTAINER {
        return vec![message];
    }
    let mut reader = Reader(&message.body[4..]);
    let count = reader.u32().unwrap();
    let messages = (0..count).map(|_| {
        let (msg_id, seq_no) = (reader.i64().unwrap(), reader.i32().unwrap());
        let len = reader.u32().unwrap() as usize;
        let body = reader.take(len).unwrap().to_vec();
        Message { msg_id, seq_no, body }
    });
    let messages = messages.collect();
    assert_eq!(reader.0, b"", "a container is exactly full");
    messages
}

pub const CONNECTION: ConnectionId = ConnectionId(1);

/// One session with its clock, fed with messages by hand.
pub struct Rig {
    pub session: Session,
    pub salts: Salts,
    pub now: Millis,
    last: i64,
    content: i32,
}

impl Rig {
    /// A session that has greeted already.
    pub fn new() -> Self {
        let mut rig = Self::fresh();
        rig.send(ping(0));
        rig.sent();
        rig
    }

    pub fn fresh() -> Self {
        Self {
            session: Session::new(auth_key().id(), 77),
            salts: Salts::new([5; 32]),
            now: NOW,
            last: 0,
            content: 0,
        }
    }

    pub fn salt(&self) -> i64 {
        self.salts.current(auth_key().id(), self.now)
    }

    /// The next id that a client would use.
    pub fn next_id(&mut self) -> i64 {
        self.last = self.now.msg_id().max(self.last + 4);
        self.last
    }

    pub fn content(&mut self, body: Vec<u8>) -> Message {
        let msg_id = self.next_id();
        self.content += 1;
        message(msg_id, self.content * 2 - 1, body)
    }

    pub fn quiet(&mut self, body: Vec<u8>) -> Message {
        let msg_id = self.next_id();
        message(msg_id, self.content * 2, body)
    }

    pub fn container_of(&mut self, messages: &[Message]) -> Message {
        self.quiet(container(messages))
    }

    pub fn give(&mut self, message: Message) {
        let salt = self.salt();
        self.session
            .handle(self.now, &self.salts, (salt, None), message, 4711);
    }

    /// Sends a content message and returns its id.
    pub fn send(&mut self, body: Vec<u8>) -> i64 {
        let message = self.content(body);
        let msg_id = message.msg_id;
        self.give(message);
        msg_id
    }

    /// What the session transmits now, containers unpacked.
    pub fn sent(&mut self) -> Vec<Message> {
        let mut all = Vec::new();
        while let Some(message) = self.session.transmit(self.now, CONNECTION) {
            all.extend(flat(message));
        }
        all
    }

    /// The bodies of what it transmits now that begin with this constructor.
    pub fn bodies(&mut self, wanted: u32) -> Vec<Vec<u8>> {
        let all = self.sent().into_iter().map(|m| m.body);
        all.filter(|body| constructor(body) == wanted).collect()
    }

    pub fn wishes(&mut self) -> Vec<Wish> {
        std::iter::from_fn(|| self.session.poll()).collect()
    }

    /// The calls that it wants run.
    pub fn requests(&mut self) -> Vec<i64> {
        let wishes = self.wishes().into_iter();
        let ids = wishes.filter_map(|wish| match wish {
            Wish::Request { msg_id, .. } => Some(msg_id),
            _ => None,
        });
        ids.collect()
    }

    /// The code of the one `bad_msg_notification` that it transmits, and of which message.
    pub fn bad(&mut self) -> Option<(i64, i32)> {
        let bad = self.bodies(id::BAD_MSG_NOTIFICATION);
        assert!(bad.len() <= 1);
        bad.first().map(|body| {
            let mut reader = Reader(&body[4..]);
            let (msg_id, _, code) = (
                reader.i64().unwrap(),
                reader.i32().unwrap(),
                reader.i32().unwrap(),
            );
            (msg_id, code)
        })
    }

    pub fn wait(&mut self, ms: i64) {
        self.now = self.now.plus(ms);
    }
}

pub fn ping(ping_id: i64) -> Vec<u8> {
    object(id::PING, |b| b.i64(ping_id))
}

pub fn acks(ids: &[i64]) -> Vec<u8> {
    object(id::MSGS_ACK, |b| b.longs(ids))
}

/// Vector<long> at the end of a body.
pub fn longs(body: &[u8]) -> Vec<i64> {
    Reader(&body[4..]).longs(10_000).unwrap()
}

struct Running {
    due: Millis,
    session: (i64, i64),
    msg_id: i64,
    answer: Answer,
}

/// A server.
pub struct Server {
    pub identity: Identity,
    pub salts: Salts,
    pub keys: HashMap<i64, AuthKey>,
    pub made: Vec<NewKey>,
    pub connections: BTreeMap<u64, (Connection, bool)>,
    pub sessions: BTreeMap<(i64, i64), Session>,
    pub carriers: BTreeMap<(i64, i64), u64>,
    /// Every call that was run.
    pub executed: Vec<Vec<u8>>,
    /// How long calls take, by their number; milliseconds.
    pub delay_ms: fn(i64) -> i64,
    running: Vec<Running>,
    next: u64,
}

impl Server {
    pub fn new() -> Self {
        Self {
            identity: identity(),
            salts: Salts::new([5; 32]),
            keys: HashMap::new(),
            made: Vec::new(),
            connections: BTreeMap::new(),
            sessions: BTreeMap::new(),
            carriers: BTreeMap::new(),
            executed: Vec::new(),
            delay_ms: |_| 0,
            running: Vec::new(),
            next: 0,
        }
    }

    pub fn accept(&mut self, now: Millis) -> u64 {
        self.next += 1;
        let seed = [self.next as u8; 32];
        let connection = Connection::new(now, self.identity.clone(), seed);
        self.connections.insert(self.next, (connection, false));
        self.next
    }

    /// Bytes from a client; what the server writes to it and whether it closes.
    pub fn receive(&mut self, now: Millis, at: u64, bytes: &[u8]) {
        if let Some((connection, _)) = self.connections.get_mut(&at) {
            connection.receive(now, bytes);
        }
    }

    /// Everything that is to be written to a connection, and whether it is to be closed then.
    pub fn drain(&mut self, now: Millis, at: u64) -> (Vec<u8>, bool) {
        let mut written = Vec::new();
        loop {
            self.run_due(now);
            self.transmit(now);
            let Some((connection, closed)) = self.connections.get_mut(&at) else {
                return (written, true);
            };
            let Some(ask) = connection.poll() else {
                return (written, *closed);
            };
            match ask {
                Ask::Write(bytes) => written.extend(bytes),
                Ask::NeedKey(id) => {
                    let lookup = self.keys.get(&id).cloned();
                    connection.key_found(now, lookup.map_or(KeyLookup::NoSuchKey, KeyLookup::Found));
                }
                Ask::Work(work) => connection.work_done(now, Some(work.run())),
                Ask::StoreKey(new) => {
                    self.keys.insert(new.key.id(), new.key.clone());
                    self.made.push(new);
                    connection.key_stored(now, Some(Stored::Kept));
                }
                Ask::Packet(packet) => self.packet(now, at, packet),
                Ask::Close => *closed = true,
            }
        }
    }

    fn packet(&mut self, now: Millis, at: u64, packet: Packet) {
        let name = (packet.auth_key_id, packet.session_id);
        let session = self
            .sessions
            .entry(name)
            .or_insert_with(|| Session::new(name.0, name.1));
        if let Some(before) = self.carriers.insert(name, at)
            && before != at
        {
            session.connection_closed(ConnectionId(before));
        }
        session.handle(
            now,
            &self.salts,
            (packet.salt, packet.first_salt),
            packet.message,
            9,
        );
        self.wishes(now, name, at);
    }

    fn wishes(&mut self, now: Millis, name: (i64, i64), at: u64) {
        let session = self.sessions.get_mut(&name).unwrap();
        let wishes: Vec<Wish> = std::iter::from_fn(|| session.poll()).collect();
        for wish in wishes {
            match wish {
                Wish::Request { msg_id, body } => self.request(now, name, msg_id, body),
                Wish::DestroySession { session_id, .. } => {
                    let existed = self.sessions.remove(&(name.0, session_id)).is_some();
                    let session = self.sessions.get_mut(&name).unwrap();
                    session.session_destroyed(now, session_id, existed);
                }
                Wish::DestroyKey { .. } => {
                    let existed = self.keys.remove(&name.0).is_some();
                    self.sessions
                        .get_mut(&name)
                        .unwrap()
                        .key_destroyed(now, Some(existed));
                }
                Wish::CloseAfter { ms } => self.connections.get_mut(&at).unwrap().0.close_after(now, ms),
                Wish::Overflowed => {}
            }
        }
    }

    fn request(&mut self, now: Millis, session: (i64, i64), msg_id: i64, body: Vec<u8>) {
        let answer = match constructor(&body) {
            id::FAIL => Answer::Error(400, "FAILED".into()),
            _ => Answer::Result(body.clone()),
        };
        let n = Reader(&body[4..]).i64().unwrap_or(0);
        self.executed.push(body);
        self.running.push(Running {
            due: now.plus((self.delay_ms)(n)),
            session,
            msg_id,
            answer,
        });
    }

    fn run_due(&mut self, now: Millis) {
        let (due, later) = std::mem::take(&mut self.running)
            .into_iter()
            .partition(|r| r.due <= now);
        self.running = later;
        let due: Vec<Running> = due;
        for done in due {
            if let Some(session) = self.sessions.get_mut(&done.session) {
                session.answer(now, done.msg_id, done.answer);
            }
        }
    }

    /// Seals what the sessions have to say for the connections that carry them.
    pub fn transmit(&mut self, now: Millis) {
        for (name, session) in &mut self.sessions {
            if session.timeout().is_some_and(|at| at <= now) {
                session.handle_timeout(now);
            }
            let Some(at) = self.carriers.get(name) else {
                continue;
            };
            let Some((connection, false)) = self.connections.get_mut(at) else {
                continue;
            };
            let salt = self.salts.current(name.0, now);
            while let Some(message) = session.transmit(now, ConnectionId(*at)) {
                assert!(connection.send(name.0, salt, name.1, &message));
            }
        }
    }

    pub fn hang_up(&mut self, at: u64) {
        self.connections.remove(&at);
        let carried = self.carriers.iter().filter(|(_, carrier)| **carrier == at);
        let carried: Vec<(i64, i64)> = carried.map(|(name, _)| *name).collect();
        for name in carried {
            self.carriers.remove(&name);
            if let Some(session) = self.sessions.get_mut(&name) {
                session.connection_closed(ConnectionId(at));
            }
        }
    }
}

/// A client and a server with a link that loses nothing.
pub struct Pair {
    pub server: Server,
    pub client: ClientConnection,
    pub at: u64,
    pub now: Millis,
}

impl Pair {
    pub fn new(config: ClientConfig) -> Self {
        let mut server = Server::new();
        let at = server.accept(NOW);
        let client = ClientConnection::new(NOW, config, [42; 32]);
        Self {
            server,
            client,
            at,
            now: NOW,
        }
    }

    /// Lets both speak until neither has anything to say; what the client was told.
    pub fn run(&mut self) -> Vec<Told> {
        let mut told = Vec::new();
        loop {
            let mut quiet = true;
            while let Some(output) = self.client.poll() {
                quiet = false;
                match output {
                    Told::Write(bytes) => self.server.receive(self.now, self.at, &bytes),
                    other => told.push(other),
                }
            }
            let (bytes, _) = self.server.drain(self.now, self.at);
            if !bytes.is_empty() {
                quiet = false;
                self.client.receive(self.now, &bytes);
            }
            if quiet {
                return told;
            }
        }
    }

    pub fn reconnect(&mut self) {
        self.server.hang_up(self.at);
        self.at = self.server.accept(self.now);
        self.client.reconnect(self.now);
    }
}

/// The results among what a client was told.
pub fn results(told: &[Told]) -> Vec<(i64, Vec<u8>)> {
    let results = told.iter().filter_map(|output| match output {
        Told::Result { msg_id, body } => Some((*msg_id, body.clone())),
        _ => None,
    });
    results.collect()
}
