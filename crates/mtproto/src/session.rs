//! A session: the pair of key and session id, whatever connections carry it (EN-5). The server's side.
//!
//! After every call that changes it, drain [`Session::poll`] and then [`Session::transmit`] for the
//! connection that is to carry its packets.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::bytes::{Malformed, Reader, Writer as _};
use crate::limits::{
    ACK_AFTER_MS, ANSWER_RESEND_MAX, IDS_MAX, MSG_ID_FUTURE_MS, MSG_ID_PAST_MS, SEEN_MAX, UNACKED_BYTES_MAX,
    UNACKED_MESSAGES_MAX, UNACKED_MS,
};
use crate::packet::Message;
use crate::salts::Salts;
use crate::service::{self, body, constructor};
use crate::time::Millis;
use crate::{container, gzip};

/// Names a connection to a session; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// What a session asks of the shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Run this call and give its answer to [`Session::answer`].
    Request {
        /// Its message.
        msg_id: i64,
        /// The call, wrappers and all.
        body: Vec<u8>,
    },
    /// Forget another session of this key; say with [`Session::session_destroyed`] whether there was one.
    DestroySession {
        /// Its message.
        msg_id: i64,
        /// Which.
        session_id: i64,
    },
    /// Destroy the key; say with [`Session::key_destroyed`] how it went.
    DestroyKey {
        /// Its message.
        msg_id: i64,
    },
    /// Close the connection that spoke last unless it pings again within this time.
    CloseAfter {
        /// Milliseconds.
        ms: i64,
    },
    /// So much waited for the client that it was let go: push one `updatesTooLong`.
    Overflowed,
}

/// An answer to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The result.
    Result(Vec<u8>),
    /// An error: code and name.
    Error(i32, String),
}

/// How a request fared, for those that are to run after it (RP-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Never seen, or forgotten.
    Unknown,
    /// Not answered yet.
    Running,
    /// Answered with a result.
    Succeeded,
    /// Answered with an error.
    Failed,
}

/// A message that waits for the client to acknowledge it.
struct Waiting {
    seq_no: i32,
    body: Vec<u8>,
    since: Millis,
    sent_on: Option<ConnectionId>,
    /// The request that it answers.
    answers: Option<i64>,
}

/// A request.
struct Asked {
    since: Millis,
    acknowledged: bool,
    /// The message that answered it, and whether that was a result.
    answer: Option<(i64, bool)>,
    dropped: bool,
}

/// One session.
pub struct Session {
    id: i64,
    key_id: i64,
    announced: bool,
    first_msg_id: i64,
    last_own_id: i64,
    content_sent: i32,
    seen: BTreeSet<i64>,
    /// Ids below this were forgotten: nobody knows whether they came.
    floor: i64,
    asked: BTreeMap<i64, Asked>,
    waiting: BTreeMap<i64, Waiting>,
    waiting_bytes: usize,
    acks: Vec<i64>,
    /// Messages that nobody acknowledges: sent once.
    loose: Vec<Message>,
    outputs: VecDeque<Output>,
    unpacking: gzip::Budget,
}

/// Why a message is refused, as `bad_msg_notification` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bad {
    TooLow = 16,
    TooHigh = 17,
    NotDivisible = 18,
    ContainerId = 19,
    TooOld = 20,
    EvenExpected = 34,
    OddExpected = 35,
    Container = 64,
}

impl Session {
    /// A session that was never heard of. `unique` is random: it names this beginning to the client.
    #[must_use]
    pub fn new(key_id: i64, id: i64) -> Self {
        Self {
            id,
            key_id,
            announced: false,
            first_msg_id: 0,
            last_own_id: 0,
            content_sent: 0,
            seen: BTreeSet::new(),
            floor: 0,
            asked: BTreeMap::new(),
            waiting: BTreeMap::new(),
            waiting_bytes: 0,
            acks: Vec::new(),
            loose: Vec::new(),
            outputs: VecDeque::new(),
            unpacking: gzip::Budget::default(),
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> i64 {
        self.id
    }

    /// The next thing for the shell to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Takes a message that a connection opened. `first_salt` is the handshake's, valid on its connection;
    /// `unique` is random.
    pub fn handle(
        &mut self,
        now: Millis,
        salts: &Salts,
        (salt, first_salt): (i64, Option<i64>),
        message: Message,
        unique: i64,
    ) {
        if !salts.is_valid(self.key_id, now, salt) && first_salt != Some(salt) {
            self.bad_salt(now, salts, &message);
            return;
        }
        if let Err(bad) = self.check_time(now, &message) {
            self.bad_message(now, &message, bad);
            return;
        }
        self.announce(now, salts, message.msg_id, unique);
        self.unpacking = gzip::Budget::default();
        self.take(now, salts, message);
        self.forget_old(now);
    }

    fn check_time(&self, now: Millis, message: &Message) -> Result<(), Bad> {
        let at = Millis::of_msg_id(message.msg_id);
        if message.msg_id & 3 != 0 {
            Err(Bad::NotDivisible)
        } else if at > now.plus(MSG_ID_FUTURE_MS) {
            Err(Bad::TooHigh)
        } else if now > at.plus(MSG_ID_PAST_MS) {
            Err(Bad::TooLow)
        } else {
            Ok(())
        }
    }

    /// `new_session_created` once, before the first answer (SV-10).
    fn announce(&mut self, now: Millis, salts: &Salts, msg_id: i64, unique: i64) {
        if self.announced {
            return;
        }
        self.announced = true;
        self.first_msg_id = msg_id;
        let salt = salts.current(self.key_id, now);
        let created = body(service::NEW_SESSION_CREATED, |b| {
            b.i64(msg_id);
            b.i64(unique);
            b.i64(salt);
        });
        self.send_content(now, created, None);
    }

    /// A message or a container of messages.
    fn take(&mut self, now: Millis, salts: &Salts, message: Message) {
        if !container::is_container(&message) {
            self.take_one(now, salts, message, false);
            return;
        }
        if message.seq_no & 1 != 0 {
            self.bad_message(now, &message, Bad::EvenExpected);
        } else if self.seen.contains(&message.msg_id) {
            // A repeated container: its messages were taken, and their answers will be asked for.
            self.repeat_container(now, salts, &message);
        } else if self.is_forgotten(message.msg_id) {
            self.bad_message(now, &message, Bad::TooOld);
        } else {
            match client_messages(&message) {
                Ok(inner) => {
                    self.remember(message.msg_id);
                    inner.into_iter().for_each(|m| self.take_one(now, salts, m, true));
                }
                Err(Malformed) => self.bad_message(now, &message, Bad::Container),
            }
        }
    }

    fn repeat_container(&mut self, now: Millis, salts: &Salts, message: &Message) {
        match client_messages(message) {
            Ok(inner) if inner.iter().all(|m| self.seen.contains(&m.msg_id)) => {
                inner.into_iter().for_each(|m| self.take_one(now, salts, m, true));
            }
            _ => self.bad_message(now, message, Bad::ContainerId),
        }
    }

    fn take_one(&mut self, now: Millis, salts: &Salts, mut message: Message, in_container: bool) {
        if self.seen.contains(&message.msg_id) {
            self.repeat(now, message.msg_id);
            return;
        }
        // The window of time holds for the packet; an old message in a fresh container is how clients
        // send again.
        if !in_container && self.is_forgotten(message.msg_id) {
            self.bad_message(now, &message, Bad::TooOld);
            return;
        }
        if self.unpack(&mut message).is_err() || container::is_container(&message) {
            self.bad_message(now, &message, Bad::Container);
            return;
        }
        let Some(constructor) = constructor(&message.body) else {
            return;
        };
        let is_call = !service::FROM_CLIENTS.contains(&constructor);
        match constructor {
            // An odd msgs_ack is against the rules, but mtcute sends it and gives its session up when told.
            service::MSG_COPY if message.seq_no & 1 != 0 => {
                return self.bad_message(now, &message, Bad::EvenExpected);
            }
            _ if is_call && message.seq_no & 1 == 0 => {
                return self.bad_message(now, &message, Bad::OddExpected);
            }
            _ => {}
        }
        self.remember(message.msg_id);
        if is_call {
            self.request(now, message);
        } else if self.service(now, salts, constructor, &message).is_err() {
            // What cannot be read is acknowledged, so that the client does not send it for ever (SV-15).
            self.acknowledge(&message);
        }
    }

    /// Replaces `gzip_packed` by what is in it, unless that would be too much.
    fn unpack(&mut self, message: &mut Message) -> Result<(), Malformed> {
        if constructor(&message.body) == Some(service::GZIP_PACKED) {
            message.body = self.unpacking.unpack(&message.body)?;
        }
        Ok(())
    }

    fn request(&mut self, now: Millis, message: Message) {
        let asked = Asked {
            since: now,
            acknowledged: false,
            answer: None,
            dropped: false,
        };
        self.asked.insert(message.msg_id, asked);
        self.outputs.push_back(Output::Request {
            msg_id: message.msg_id,
            body: message.body,
        });
    }

    /// A message that came before (SV-4): it is not run again.
    fn repeat(&mut self, now: Millis, msg_id: i64) {
        let answer = self.asked.get(&msg_id).and_then(|asked| asked.answer);
        let Some((answer_id, _)) = answer else {
            self.acks.push(msg_id);
            return;
        };
        let Some(waiting) = self.waiting.get_mut(&answer_id) else {
            self.acks.push(msg_id);
            return;
        };
        if waiting.body.len() <= ANSWER_RESEND_MAX {
            waiting.sent_on = None;
        } else {
            let bytes = i32::try_from(waiting.body.len()).unwrap_or(i32::MAX);
            let info = body(service::MSG_DETAILED_INFO, |b| {
                b.i64(msg_id);
                b.i64(answer_id);
                b.i32(bytes);
                b.i32(0);
            });
            self.send_loose(now, info, false);
        }
    }

    fn service(
        &mut self,
        now: Millis,
        salts: &Salts,
        constructor: u32,
        message: &Message,
    ) -> Result<(), Malformed> {
        let mut reader = Reader(&message.body[4..]);
        match constructor {
            service::MSGS_ACK => reader
                .longs(IDS_MAX)?
                .into_iter()
                .for_each(|id| self.acknowledged(id)),
            service::PING => self.ping(now, message.msg_id, reader.i64()?),
            service::PING_DELAY_DISCONNECT => {
                self.ping(now, message.msg_id, reader.i64()?);
                let ms = i64::from(reader.i32()?.max(0)) * 1000;
                self.outputs.push_back(Output::CloseAfter { ms });
            }
            service::GET_FUTURE_SALTS => self.future_salts(now, salts, message.msg_id, reader.i32()?),
            service::MSGS_STATE_REQ => {
                let ids = reader.longs(IDS_MAX)?;
                self.state_info(now, message.msg_id, &ids);
            }
            service::MSG_RESEND_REQ => {
                let ids = reader.longs(IDS_MAX)?;
                self.resend(now, message.msg_id, &ids);
            }
            service::MSG_RESEND_ANS_REQ => {
                let ids = reader.longs(IDS_MAX)?;
                self.resend_answers(now, message.msg_id, &ids);
            }
            service::RPC_DROP_ANSWER => self.drop_answer(now, message.msg_id, reader.i64()?),
            service::DESTROY_SESSION => {
                let (msg_id, session_id) = (message.msg_id, reader.i64()?);
                self.outputs
                    .push_back(Output::DestroySession { msg_id, session_id });
            }
            service::DESTROY_AUTH_KEY => {
                self.outputs.push_back(Output::DestroyKey {
                    msg_id: message.msg_id,
                });
            }
            // Infos about our messages need no answer; waiting is for HTTP.
            _ => self.acknowledge(message),
        }
        Ok(())
    }

    fn acknowledge(&mut self, message: &Message) {
        if message.seq_no & 1 != 0 {
            self.acks.push(message.msg_id);
        }
    }

    fn acknowledged(&mut self, id: i64) {
        if let Some(gone) = self.waiting.remove(&id) {
            self.waiting_bytes -= gone.body.len();
        }
    }

    fn ping(&mut self, now: Millis, msg_id: i64, ping_id: i64) {
        let pong = body(service::PONG, |b| {
            b.i64(msg_id);
            b.i64(ping_id);
        });
        self.send_loose(now, pong, true);
    }

    fn future_salts(&mut self, now: Millis, salts: &Salts, msg_id: i64, count: i32) {
        let count = usize::try_from(count).unwrap_or(1).clamp(1, 64);
        let list = salts.future(self.key_id, now, count);
        let answer = body(service::FUTURE_SALTS, |b| {
            b.i64(msg_id);
            b.i32(now.seconds());
            b.u32(u32::try_from(list.len()).unwrap_or(0));
            for (since, until, salt) in list {
                b.i32(since);
                b.i32(until);
                b.i64(salt);
            }
        });
        self.send_loose(now, answer, true);
    }

    /// One byte for each id, in order (SV-5).
    fn state_info(&mut self, now: Millis, msg_id: i64, ids: &[i64]) {
        let states: Vec<u8> = ids.iter().map(|id| self.state_of(*id)).collect();
        let info = body(service::MSGS_STATE_INFO, |b| {
            b.i64(msg_id);
            b.string(&states);
        });
        self.send_loose(now, info, true);
    }

    fn state_of(&self, id: i64) -> u8 {
        match self.asked.get(&id) {
            Some(asked) => {
                let acknowledged = if asked.acknowledged || asked.answer.is_some() {
                    8
                } else {
                    0
                };
                let answered = if asked.answer.is_some() { 64 } else { 0 };
                4 + acknowledged + 32 + answered
            }
            None if self.seen.contains(&id) => 4 + 16,
            None if self.is_forgotten(id) => 1,
            None if self.seen.last().is_some_and(|last| id > *last) => 3,
            None => 2,
        }
    }

    /// Sends messages again at once; when some are gone, says what is known of all (SV-6).
    fn resend(&mut self, now: Millis, msg_id: i64, ids: &[i64]) {
        for id in ids {
            if let Some(waiting) = self.waiting.get_mut(id) {
                waiting.sent_on = None;
            }
        }
        if ids.iter().any(|id| !self.waiting.contains_key(id)) {
            self.state_info(now, msg_id, ids);
        }
    }

    fn resend_answers(&mut self, now: Millis, msg_id: i64, ids: &[i64]) {
        let answers: Vec<i64> = ids
            .iter()
            .filter_map(|id| Some(self.asked.get(id)?.answer?.0))
            .collect();
        for id in &answers {
            if let Some(waiting) = self.waiting.get_mut(id) {
                waiting.sent_on = None;
            }
        }
        if answers.len() < ids.len() {
            self.state_info(now, msg_id, ids);
        }
    }

    /// The query still runs to its end (SV-7).
    fn drop_answer(&mut self, now: Millis, msg_id: i64, request: i64) {
        let dropped = match self.asked.get_mut(&request) {
            None => body(service::RPC_ANSWER_UNKNOWN, |_| {}),
            Some(asked) => match asked.answer {
                None => {
                    asked.dropped = true;
                    body(service::RPC_ANSWER_DROPPED_RUNNING, |_| {})
                }
                Some((answer, _)) => match self.waiting.remove(&answer) {
                    None => body(service::RPC_ANSWER_UNKNOWN, |_| {}),
                    Some(waiting) => {
                        self.waiting_bytes -= waiting.body.len();
                        body(service::RPC_ANSWER_DROPPED, |b| {
                            b.i64(answer);
                            b.i32(waiting.seq_no);
                            b.i32(i32::try_from(waiting.body.len()).unwrap_or(i32::MAX));
                        })
                    }
                },
            },
        };
        self.send_result(now, msg_id, &dropped);
    }

    /// Says how destroying another session went (SV-9).
    pub fn session_destroyed(&mut self, now: Millis, session_id: i64, existed: bool) {
        let constructor = if existed {
            service::DESTROY_SESSION_OK
        } else {
            service::DESTROY_SESSION_NONE
        };
        self.send_loose(now, body(constructor, |b| b.i64(session_id)), true);
    }

    /// Says how destroying the key went (SV-12): `None` when it could not be done now.
    pub fn key_destroyed(&mut self, now: Millis, existed: Option<bool>) {
        let constructor = match existed {
            Some(true) => service::DESTROY_AUTH_KEY_OK,
            Some(false) => service::DESTROY_AUTH_KEY_NONE,
            None => service::DESTROY_AUTH_KEY_FAIL,
        };
        self.send_loose(now, body(constructor, |_| {}), true);
    }

    /// Gives the answer to a call (SV-3).
    pub fn answer(&mut self, now: Millis, request: i64, answer: Answer) {
        let succeeded = matches!(answer, Answer::Result(_));
        let dropped = self.asked.get(&request).is_some_and(|asked| asked.dropped);
        let result = match answer {
            _ if dropped => body(service::RPC_ANSWER_DROPPED_RUNNING, |_| {}),
            Answer::Result(bytes) => gzip::packed(bytes),
            Answer::Error(code, text) => body(service::RPC_ERROR, |b| {
                b.i32(code);
                b.string(text.as_bytes());
            }),
        };
        let id = self.send_result(now, request, &result);
        if let Some(asked) = self.asked.get_mut(&request) {
            asked.answer = Some((id, succeeded));
        }
    }

    fn send_result(&mut self, now: Millis, request: i64, result: &[u8]) -> i64 {
        let answer = body(service::RPC_RESULT, |b| {
            b.i64(request);
            b.extend(result);
        });
        self.send_content(now, answer, Some(request))
    }

    /// Pushes an API object. Beyond what may wait, everything pushed is let go at once (UP-31).
    pub fn push(&mut self, now: Millis, object: Vec<u8>) {
        let full = self.waiting_bytes + object.len() > UNACKED_BYTES_MAX
            || self.waiting.len() >= UNACKED_MESSAGES_MAX;
        if !full {
            self.send_content(now, gzip::packed(object), None);
            return;
        }
        self.waiting.retain(|_, waiting| waiting.answers.is_some());
        self.waiting_bytes = self.waiting.values().map(|w| w.body.len()).sum();
        if self.waiting_bytes <= UNACKED_BYTES_MAX && !self.outputs.contains(&Output::Overflowed) {
            self.outputs.push_back(Output::Overflowed);
        }
    }

    /// How a request fared.
    #[must_use]
    pub fn fate(&self, msg_id: i64) -> Fate {
        match self.asked.get(&msg_id).map(|asked| asked.answer) {
            None => Fate::Unknown,
            Some(None) => Fate::Running,
            Some(Some((_, true))) => Fate::Succeeded,
            Some(Some((_, false))) => Fate::Failed,
        }
    }

    fn bad_message(&mut self, now: Millis, message: &Message, bad: Bad) {
        let notification = body(service::BAD_MSG_NOTIFICATION, |b| {
            b.i64(message.msg_id);
            b.i32(message.seq_no);
            b.i32(bad as i32);
        });
        self.send_loose(now, notification, true);
    }

    fn bad_salt(&mut self, now: Millis, salts: &Salts, message: &Message) {
        let salt = salts.current(self.key_id, now);
        let notification = body(service::BAD_SERVER_SALT, |b| {
            b.i64(message.msg_id);
            b.i32(message.seq_no);
            b.i32(48);
            b.i64(salt);
        });
        self.send_loose(now, notification, true);
    }

    fn is_forgotten(&self, id: i64) -> bool {
        id < self.floor
    }

    fn remember(&mut self, id: i64) {
        self.seen.insert(id);
        while self.seen.len() > SEEN_MAX {
            if let Some(oldest) = self.seen.pop_first() {
                self.floor = oldest + 1;
                self.asked.remove(&oldest);
            }
        }
    }

    /// Ids grow, with 1 in the lowest bits for an answer and 3 for the rest.
    fn next_id(&mut self, now: Millis, is_answer: bool) -> i64 {
        let low = if is_answer { 1 } else { 3 };
        let mut id = now.msg_id() | low;
        if id <= self.last_own_id {
            id = ((self.last_own_id >> 2) + 1) << 2 | low;
        }
        self.last_own_id = id;
        id
    }

    /// Sends something that the client will acknowledge; kept until then (SV-2).
    fn send_content(&mut self, now: Millis, body: Vec<u8>, answers: Option<i64>) -> i64 {
        let msg_id = self.next_id(now, answers.is_some());
        let seq_no = self.content_sent.wrapping_mul(2) | 1;
        self.content_sent = self.content_sent.wrapping_add(1);
        self.waiting_bytes += body.len();
        self.waiting.insert(
            msg_id,
            Waiting {
                seq_no,
                body,
                since: now,
                sent_on: None,
                answers,
            },
        );
        msg_id
    }

    fn send_loose(&mut self, now: Millis, body: Vec<u8>, is_answer: bool) {
        let msg_id = self.next_id(now, is_answer);
        self.loose.push(Message {
            msg_id,
            seq_no: self.content_sent.wrapping_mul(2),
            body,
        });
    }

    /// Lets go of what waited too long.
    fn forget_old(&mut self, now: Millis) {
        while let Some(first) = self.waiting.first_entry() {
            if now <= first.get().since.plus(UNACKED_MS) {
                break;
            }
            self.waiting_bytes -= first.remove().body.len();
        }
    }

    /// A connection is gone: what it carried goes out again on the next (SV-2).
    pub fn connection_closed(&mut self, connection: ConnectionId) {
        for waiting in self
            .waiting
            .values_mut()
            .filter(|w| w.sent_on == Some(connection))
        {
            waiting.sent_on = None;
        }
    }

    /// Whether anything is to be sent now.
    #[must_use]
    pub fn has_output(&self) -> bool {
        !self.loose.is_empty() || !self.acks.is_empty() || self.waiting.values().any(|w| w.sent_on.is_none())
    }

    /// When the session wants [`Self::handle_timeout`]: to acknowledge a request that takes long.
    #[must_use]
    pub fn timeout(&self) -> Option<Millis> {
        let open = self
            .asked
            .values()
            .filter(|a| a.answer.is_none() && !a.acknowledged);
        open.map(|a| a.since.plus(ACK_AFTER_MS)).min()
    }

    /// Acknowledges requests that take long (SV-1).
    pub fn handle_timeout(&mut self, now: Millis) {
        for (id, asked) in &mut self.asked {
            if asked.answer.is_none() && !asked.acknowledged && now >= asked.since.plus(ACK_AFTER_MS) {
                asked.acknowledged = true;
                self.acks.push(*id);
            }
        }
    }

    /// The next message to seal for `connection`: one, or a container of what waits. Nothing when nothing
    /// does.
    pub fn transmit(&mut self, now: Millis, connection: ConnectionId) -> Option<Message> {
        if !self.acks.is_empty() {
            let ids = std::mem::take(&mut self.acks);
            self.send_loose(now, body(service::MSGS_ACK, |b| b.longs(&ids)), false);
        }
        let mut batch = self.batch(connection);
        batch.sort_by_key(|m| m.msg_id);
        if batch.len() <= 1 {
            return batch.pop();
        }
        let msg_id = self.next_id(now, false);
        Some(Message {
            msg_id,
            seq_no: self.content_sent.wrapping_mul(2),
            body: container::write(&batch),
        })
    }

    /// Messages for one container: within its bounds, but at least one.
    fn batch(&mut self, connection: ConnectionId) -> Vec<Message> {
        let mut room = container::Room::default();
        let mut batch: Vec<Message> = Vec::new();
        while let Some(message) = self.loose.first() {
            if !room.take(message.body.len()) {
                return batch;
            }
            batch.push(self.loose.remove(0));
        }
        for (msg_id, waiting) in self.waiting.iter_mut().filter(|(_, w)| w.sent_on.is_none()) {
            if !room.take(waiting.body.len()) {
                break;
            }
            waiting.sent_on = Some(connection);
            batch.push(Message {
                msg_id: *msg_id,
                seq_no: waiting.seq_no,
                body: waiting.body.clone(),
            });
        }
        batch
    }
}

/// The messages of a client's container.
fn client_messages(container: &Message) -> Result<Vec<Message>, Malformed> {
    let messages = container::read(container)?;
    if messages.iter().all(|m| m.msg_id & 3 == 0) {
        Ok(messages)
    } else {
        Err(Malformed)
    }
}
