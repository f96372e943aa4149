//! A session: the pair of key and session id, whatever connections carry it (EN-5). The server's side.
//!
//! After every call that changes it, drain [`Session::poll`] and then [`Session::transmit`] for the
//! connection that is to carry its packets.

mod memory;
mod outbox;

use std::collections::VecDeque;

use crate::bytes::{Malformed, Reader, Writer as _};
use crate::limits::{ANSWER_RESEND_MAX, GZIP_DEPTH_MAX, IDS_MAX, MSG_ID_FUTURE_MS, MSG_ID_PAST_MS};
use crate::packet::Message;
use crate::salts::Salts;
use crate::service::{self, body, constructor};
use crate::tally::{Notice, Tally};
use crate::time::Millis;
use crate::{container, gzip};
use memory::{Memory, Past};
use outbox::{Kind, Outbox};

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
    /// So much waited for the client, or for so long, that it was let go: push one `updatesTooLong`.
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

/// The beginning that the client was told of.
struct Begun {
    first_msg_id: i64,
    unique_id: i64,
    /// The message that told it.
    notice: i64,
}

/// One session.
pub struct Session {
    /// What was noticed.
    pub tally: Tally,
    id: i64,
    key_id: i64,
    begun: Option<Begun>,
    memory: Memory,
    outbox: Outbox,
    outputs: VecDeque<Output>,
    overflowed: bool,
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

impl From<Bad> for Notice {
    fn from(bad: Bad) -> Self {
        match bad {
            Bad::TooLow | Bad::TooHigh | Bad::TooOld => Self::BadTime,
            Bad::NotDivisible | Bad::EvenExpected | Bad::OddExpected => Self::BadNumber,
            Bad::ContainerId | Bad::Container => Self::BadContainer,
        }
    }
}

impl Session {
    /// A session that was never heard of.
    #[must_use]
    pub fn new(key_id: i64, id: i64) -> Self {
        Self {
            tally: Tally::default(),
            id,
            key_id,
            begun: None,
            memory: Memory::default(),
            outbox: Outbox::default(),
            outputs: VecDeque::new(),
            overflowed: false,
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
        let next = self.outputs.pop_front();
        next.or_else(|| std::mem::take(&mut self.overflowed).then_some(Output::Overflowed))
    }

    /// Takes a message that a connection opened. `first_salt` is the handshake's, valid on its connection;
    /// `unique` is random: it names this beginning of the session to the client.
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
        if let Err(bad) = check_time(now, &message) {
            self.bad_message(now, &message, bad);
            return;
        }
        self.unpacking = gzip::Budget::default();
        self.take(now, salts, message, unique);
        self.overflowed |= self.outbox.forget_old(now);
    }

    /// A message or a container of messages.
    fn take(&mut self, now: Millis, salts: &Salts, message: Message, unique: i64) {
        let packet_id = message.msg_id;
        let messages = if container::is_container(&message) {
            match self.open_container(now, &message) {
                Ok(messages) => messages,
                Err(bad) => return self.bad_message(now, &message, bad),
            }
        } else {
            vec![message]
        };
        self.announce(now, salts, packet_id, &messages, unique);
        messages.into_iter().for_each(|m| self.take_one(now, salts, m));
    }

    /// The messages of a container. A container that was forgotten is taken: its messages are looked at
    /// one by one.
    fn open_container(&mut self, now: Millis, container: &Message) -> Result<Vec<Message>, Bad> {
        let id = container.msg_id;
        if self.memory.is_known(id) && self.memory.past(id) != Some(Past::Container) {
            return Err(Bad::ContainerId);
        }
        let messages = client_messages(container).map_err(|Malformed| Bad::Container)?;
        if container.seq_no & 1 != 0 {
            return Err(Bad::EvenExpected);
        }
        self.memory.remember(now, id, Past::Container);
        Ok(messages)
    }

    /// `new_session_created` before the first answer, and again when it turns out that the session knows
    /// a message from before the one that it named (SV-10).
    fn announce(&mut self, now: Millis, salts: &Salts, packet_id: i64, messages: &[Message], unique: i64) {
        let new = messages.iter().filter(|m| {
            let known = self.memory.is_known(m.msg_id) || self.memory.is_forgotten(m.msg_id);
            m.seq_no & 1 != 0 && !known
        });
        let lowest = new.map(|m| m.msg_id).min();
        let (lowest, unique_id) = match (&self.begun, lowest) {
            (None, _) => (lowest.unwrap_or(packet_id), unique),
            (Some(begun), Some(lowest)) if lowest < begun.first_msg_id => {
                self.outbox.remove(begun.notice);
                (lowest, begun.unique_id)
            }
            (Some(_), _) => return,
        };
        let salt = salts.current(self.key_id, now);
        let created = body(service::NEW_SESSION_CREATED, |b| {
            b.i64(lowest);
            b.i64(unique_id);
            b.i64(salt);
        });
        self.begun = Some(Begun {
            first_msg_id: lowest,
            unique_id,
            notice: self.outbox.content(now, Kind::Notice, created),
        });
    }

    fn take_one(&mut self, now: Millis, salts: &Salts, mut message: Message) {
        if self.memory.is_known(message.msg_id) {
            self.repeat(now, salts, &message);
            return;
        }
        if self.memory.is_forgotten(message.msg_id) {
            self.bad_message(now, &message, Bad::TooOld);
            return;
        }
        if self.unpack(&mut message).is_err() {
            self.refuse_packed(now, &message);
            return;
        }
        if container::is_container(&message) {
            self.bad_message(now, &message, Bad::Container);
            return;
        }
        let constructor = constructor(&message.body).unwrap_or_default();
        let is_call = constructor != 0 && !service::is_service(constructor);
        let is_odd = message.seq_no & 1 != 0;
        match constructor {
            // An odd msgs_ack is against the rules, but mtcute sends it and gives its session up when told.
            service::MSG_COPY if is_odd => return self.bad_message(now, &message, Bad::EvenExpected),
            _ if is_call && !is_odd => return self.bad_message(now, &message, Bad::OddExpected),
            _ => {}
        }
        if is_call {
            self.request(now, message);
            return;
        }
        self.memory.remember(now, message.msg_id, Past::Service);
        if self.service(now, salts, constructor, &message).is_err() {
            // What cannot be read is acknowledged, so that the client does not send it for ever (SV-15).
            self.acknowledge(&message);
        }
    }

    /// Replaces `gzip_packed` by what is in it, unless that would be too much.
    fn unpack(&mut self, message: &mut Message) -> Result<(), Malformed> {
        let is_packed = |message: &Message| constructor(&message.body) == Some(service::GZIP_PACKED);
        for _ in 0..GZIP_DEPTH_MAX {
            if !is_packed(message) {
                break;
            }
            message.body = self.unpacking.unpack(&message.body)?;
        }
        if is_packed(message) {
            Err(Malformed)
        } else {
            Ok(())
        }
    }

    /// What does not unpack. `bad_msg_notification` would make clients send it again, or end the session; an
    /// error ends the call alone.
    fn refuse_packed(&mut self, now: Millis, message: &Message) {
        self.tally.note(Notice::BadPacked);
        if message.seq_no & 1 == 0 {
            return;
        }
        let error = Answer::Error(400, "INPUT_REQUEST_INVALID".to_owned());
        self.answer(now, message.msg_id, error);
    }

    /// A call. One too many is not taken at all: the client sends it again.
    fn request(&mut self, now: Millis, message: Message) {
        let Message { msg_id, body, .. } = message;
        if self.memory.begin(now, msg_id) {
            self.outputs.push_back(Output::Request { msg_id, body });
        }
    }

    /// A message that came before (SV-4): a call is not run again.
    fn repeat(&mut self, now: Millis, salts: &Salts, message: &Message) {
        match self.memory.past(message.msg_id) {
            Some(Past::Answered { answer, succeeded }) => {
                self.repeat_answer(now, message.msg_id, (answer, succeeded));
            }
            Some(Past::Service) if self.ask_again(now, salts, message).is_ok() => {}
            None => {
                self.memory.acknowledged(message.msg_id);
                self.outbox.acknowledge(message.msg_id);
            }
            _ => self.acknowledge(message),
        }
    }

    /// Questions whose answers nobody acknowledges are answered again: the answer may have been lost.
    fn ask_again(&mut self, now: Millis, salts: &Salts, message: &Message) -> Result<(), Malformed> {
        let constructor = constructor(&message.body).ok_or(Malformed)?;
        if service::QUESTIONS.contains(&constructor) {
            self.service(now, salts, constructor, message)
        } else {
            Err(Malformed)
        }
    }

    fn repeat_answer(&mut self, now: Millis, request: i64, (answer, succeeded): (i64, bool)) {
        let Some(waiting) = self.outbox.get(answer) else {
            // It was let go, and the call must not run again: the client asks under a new id.
            let lost = self.result(now, request, &rpc_error(500, "ANSWER_LOST"));
            self.memory.answered(now, request, lost, succeeded);
            return;
        };
        let len = waiting.body.len();
        if len <= ANSWER_RESEND_MAX {
            self.outbox.resend(answer);
            return;
        }
        let info = body(service::MSG_DETAILED_INFO, |b| {
            b.i64(request);
            b.i64(answer);
            b.i32(i32::try_from(len).unwrap_or(i32::MAX));
            b.i32(0);
        });
        self.outbox.loose(now, false, info);
    }

    fn service(
        &mut self,
        now: Millis,
        salts: &Salts,
        constructor: u32,
        message: &Message,
    ) -> Result<(), Malformed> {
        let mut reader = Reader(message.body.get(4..).unwrap_or_default());
        let msg_id = message.msg_id;
        match constructor {
            service::MSGS_ACK => reader.longs(IDS_MAX)?.into_iter().for_each(|id| {
                self.outbox.remove(id);
            }),
            service::PING => self.ping(now, msg_id, reader.i64()?),
            service::PING_DELAY_DISCONNECT => {
                let (ping_id, delay) = (reader.i64()?, reader.i32()?);
                self.ping(now, msg_id, ping_id);
                let ms = i64::from(delay.max(0)) * 1000;
                self.outputs.push_back(Output::CloseAfter { ms });
            }
            service::GET_FUTURE_SALTS => self.future_salts(now, salts, msg_id, reader.i32()?),
            service::MSGS_STATE_REQ => self.state_info(now, msg_id, &reader.longs(IDS_MAX)?),
            service::MSG_RESEND_REQ => self.resend(now, msg_id, &reader.longs(IDS_MAX)?),
            service::MSG_RESEND_ANS_REQ => self.resend_answers(now, msg_id, &reader.longs(IDS_MAX)?),
            service::RPC_DROP_ANSWER => self.drop_answer(now, msg_id, reader.i64()?),
            service::DESTROY_SESSION => self.destroy_session(now, msg_id, reader.i64()?),
            service::DESTROY_AUTH_KEY => self.outputs.push_back(Output::DestroyKey { msg_id }),
            // Infos about our messages need no answer; waiting is for HTTP.
            _ => self.acknowledge(message),
        }
        Ok(())
    }

    fn acknowledge(&mut self, message: &Message) {
        if message.seq_no & 1 != 0 {
            self.outbox.acknowledge(message.msg_id);
        }
    }

    fn ping(&mut self, now: Millis, msg_id: i64, ping_id: i64) {
        let pong = body(service::PONG, |b| {
            b.i64(msg_id);
            b.i64(ping_id);
        });
        self.outbox.loose(now, true, pong);
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
        self.outbox.loose(now, true, answer);
    }

    /// One byte for each id, in order (SV-5).
    fn state_info(&mut self, now: Millis, msg_id: i64, ids: &[i64]) {
        let states: Vec<u8> = ids.iter().map(|id| self.memory.state(*id)).collect();
        let info = body(service::MSGS_STATE_INFO, |b| {
            b.i64(msg_id);
            b.string(&states);
        });
        self.outbox.loose(now, true, info);
    }

    /// Sends messages again at once; when some are gone, says what is known of all (SV-6).
    fn resend(&mut self, now: Millis, msg_id: i64, ids: &[i64]) {
        let found = ids.iter().filter(|id| self.outbox.resend(**id)).count();
        if found < ids.len() {
            self.state_info(now, msg_id, ids);
        }
    }

    fn resend_answers(&mut self, now: Millis, msg_id: i64, ids: &[i64]) {
        let answers = ids.iter().filter_map(|id| match self.memory.past(*id)? {
            Past::Answered { answer, .. } => Some(answer),
            _ => None,
        });
        let found = answers.filter(|answer| self.outbox.resend(*answer)).count();
        if found < ids.len() {
            self.state_info(now, msg_id, ids);
        }
    }

    /// The query still runs to its end (SV-7).
    fn drop_answer(&mut self, now: Millis, msg_id: i64, request: i64) {
        let dropped = if self.memory.drop_answer(request) {
            body(service::RPC_ANSWER_DROPPED_RUNNING, |_| {})
        } else {
            self.drop_waiting(request)
                .unwrap_or_else(|| body(service::RPC_ANSWER_UNKNOWN, |_| {}))
        };
        self.result(now, msg_id, &dropped);
    }

    fn drop_waiting(&mut self, request: i64) -> Option<Vec<u8>> {
        let Some(Past::Answered { answer, .. }) = self.memory.past(request) else {
            return None;
        };
        let waiting = self.outbox.remove(answer)?;
        Some(body(service::RPC_ANSWER_DROPPED, |b| {
            b.i64(answer);
            b.i32(waiting.seq_no);
            b.i32(i32::try_from(waiting.body.len()).unwrap_or(i32::MAX));
        }))
    }

    /// This session itself stays (SV-9).
    fn destroy_session(&mut self, now: Millis, msg_id: i64, session_id: i64) {
        if session_id == self.id {
            self.session_destroyed(now, session_id, false);
        } else {
            let wish = Output::DestroySession { msg_id, session_id };
            self.outputs.push_back(wish);
        }
    }

    /// Says how destroying another session went (SV-9).
    pub fn session_destroyed(&mut self, now: Millis, session_id: i64, existed: bool) {
        let constructor = if existed {
            service::DESTROY_SESSION_OK
        } else {
            service::DESTROY_SESSION_NONE
        };
        self.outbox
            .loose(now, true, body(constructor, |b| b.i64(session_id)));
    }

    /// Says how destroying the key went (SV-12): `None` when it could not be done now.
    pub fn key_destroyed(&mut self, now: Millis, existed: Option<bool>) {
        let constructor = match existed {
            Some(true) => service::DESTROY_AUTH_KEY_OK,
            Some(false) => service::DESTROY_AUTH_KEY_NONE,
            None => service::DESTROY_AUTH_KEY_FAIL,
        };
        self.outbox.loose(now, true, body(constructor, |_| {}));
    }

    /// Gives the answer to a call (SV-3). Answers wait until they are sent, however many there are: the shell
    /// bounds how many calls of a session run at once. Once sent they are kept for the case that they are
    /// lost, as far as there is room.
    pub fn answer(&mut self, now: Millis, request: i64, answer: Answer) {
        let succeeded = matches!(answer, Answer::Result(_));
        let result = match answer {
            _ if self.memory.is_dropped(request) => body(service::RPC_ANSWER_DROPPED_RUNNING, |_| {}),
            Answer::Result(bytes) => gzip::packed(bytes),
            Answer::Error(code, text) => rpc_error(code, &text),
        };
        let id = self.result(now, request, &result);
        self.memory.answered(now, request, id, succeeded);
    }

    fn result(&mut self, now: Millis, request: i64, result: &[u8]) -> i64 {
        let answer = body(service::RPC_RESULT, |b| {
            b.i64(request);
            b.extend(result);
        });
        self.outbox.content(now, Kind::Answer, answer)
    }

    /// Pushes an API object. Beyond what may wait, everything pushed is let go at once (UP-31).
    pub fn push(&mut self, now: Millis, object: Vec<u8>) {
        let object = gzip::packed(object);
        if self.outbox.has_room(object.len()) {
            self.outbox.content(now, Kind::Push, object);
        } else {
            self.outbox.forget_pushes();
            self.overflowed = true;
        }
    }

    /// How a request fared.
    #[must_use]
    pub fn fate(&self, msg_id: i64) -> Fate {
        self.memory.fate(msg_id)
    }

    fn bad_message(&mut self, now: Millis, message: &Message, bad: Bad) {
        self.tally.note(bad.into());
        let notification = body(service::BAD_MSG_NOTIFICATION, |b| {
            b.i64(message.msg_id);
            b.i32(message.seq_no);
            b.i32(bad as i32);
        });
        self.outbox.loose(now, true, notification);
    }

    fn bad_salt(&mut self, now: Millis, salts: &Salts, message: &Message) {
        self.tally.note(Notice::BadSalt);
        let salt = salts.current(self.key_id, now);
        let notification = body(service::BAD_SERVER_SALT, |b| {
            b.i64(message.msg_id);
            b.i32(message.seq_no);
            b.i32(48);
            b.i64(salt);
        });
        self.outbox.loose(now, true, notification);
    }

    /// A connection is gone: what it carried goes out again on the next (SV-2).
    pub fn connection_closed(&mut self, connection: ConnectionId) {
        self.outbox.connection_closed(connection);
    }

    /// Whether anything is to be sent now.
    #[must_use]
    pub fn has_output(&self) -> bool {
        self.outbox.has_output()
    }

    /// When the session wants [`Self::handle_timeout`]: to acknowledge a request that takes long.
    #[must_use]
    pub fn timeout(&self) -> Option<Millis> {
        self.memory.timeout()
    }

    /// Acknowledges requests that take long (SV-1).
    pub fn handle_timeout(&mut self, now: Millis) {
        while let Some(id) = self.memory.overdue(now) {
            self.outbox.acknowledge(id);
        }
    }

    /// The next message to seal for `connection`: one, or a container of what waits. Nothing when nothing
    /// does.
    pub fn transmit(&mut self, now: Millis, connection: ConnectionId) -> Option<Message> {
        self.outbox.transmit(now, connection)
    }
}

fn rpc_error(code: i32, text: &str) -> Vec<u8> {
    body(service::RPC_ERROR, |b| {
        b.i32(code);
        b.string(text.as_bytes());
    })
}

fn check_time(now: Millis, message: &Message) -> Result<(), Bad> {
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

/// The messages of a client's container.
fn client_messages(container: &Message) -> Result<Vec<Message>, Malformed> {
    let messages = container::read(container)?;
    if messages.iter().all(|m| m.msg_id & 3 == 0) {
        Ok(messages)
    } else {
        Err(Malformed)
    }
}
