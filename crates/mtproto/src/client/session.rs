//! A session, the client's side: calls until they are answered, acknowledgements, the server's clock.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{ClosedBecause, Output};
use crate::bytes::{Malformed, Reader, Writer as _};
use crate::limits::{CLIENT_ACK_AFTER_MS, CLIENT_ACKS_MAX, IDS_MAX, SEEN_MAX};
use crate::packet::Message;
use crate::service::{self, body, constructor};
use crate::time::Millis;
use crate::{container, gzip};

/// Differences of the clocks up to this do not matter, milliseconds.
const CLOCK_SLACK_MS: u64 = 5_000;

/// A call that was not answered yet.
struct Call {
    /// The message id that it had first: the caller's name for it.
    name: i64,
    seq_no: i32,
    body: Vec<u8>,
    /// The packet that carried it last.
    packet: Option<i64>,
    /// It was never sent: its message id is new.
    is_fresh: bool,
}

pub(super) struct ClientSession {
    pub(super) id: i64,
    pub(super) salt: i64,
    /// The server's clock less ours, milliseconds.
    ahead_ms: i64,
    last_id: i64,
    content_sent: i32,
    calls: BTreeMap<i64, Call>,
    unsent: BTreeSet<i64>,
    loose: VecDeque<Message>,
    acks: Vec<i64>,
    ack_at: Option<Millis>,
    /// The server's messages that came, as far as they are remembered.
    seen: BTreeSet<i64>,
    floor: i64,
    pub(super) outputs: VecDeque<Output>,
}

impl ClientSession {
    pub(super) fn new(id: i64) -> Self {
        Self {
            id,
            salt: 0,
            ahead_ms: 0,
            last_id: 0,
            content_sent: 0,
            calls: BTreeMap::new(),
            unsent: BTreeSet::new(),
            loose: VecDeque::new(),
            acks: Vec::new(),
            ack_at: None,
            seen: BTreeSet::new(),
            floor: 0,
            outputs: VecDeque::new(),
        }
    }

    /// Takes over the server's clock. Ids grow from there on, even when that is behind.
    fn set_time(&mut self, now: Millis, server: Millis) {
        self.ahead_ms = server.0 - now.0;
        self.last_id = 0;
        // What was not sent yet must not be newer than the packet that will carry it.
        let mut loose = std::mem::take(&mut self.loose);
        for message in &mut loose {
            message.msg_id = self.next_id(now);
        }
        self.loose = loose;
    }

    /// A key was made: this is its salt, and the server's time in whole seconds.
    pub(super) fn key_made(&mut self, now: Millis, salt: i64, server: Millis) {
        self.salt = salt;
        if server.0.abs_diff(now.0) > CLOCK_SLACK_MS {
            self.set_time(now, server);
            self.renumber(now, |_, _| true);
        }
    }

    fn next_id(&mut self, now: Millis) -> i64 {
        self.last_id = now.plus(self.ahead_ms).msg_id().max(self.last_id + 4);
        self.last_id
    }

    fn next_seq_no(&mut self, is_content: bool) -> i32 {
        let seq_no = self.content_sent.wrapping_mul(2);
        if is_content {
            self.content_sent = self.content_sent.wrapping_add(1);
        }
        seq_no | i32::from(is_content)
    }

    /// Adds a call, whose body may depend on its message id.
    pub(super) fn call(&mut self, now: Millis, body: impl FnOnce(i64) -> Vec<u8>) -> i64 {
        let (msg_id, seq_no) = (self.next_id(now), self.next_seq_no(true));
        self.add(
            msg_id,
            Call {
                name: msg_id,
                seq_no,
                body: body(msg_id),
                packet: None,
                is_fresh: true,
            },
        );
        msg_id
    }

    fn add(&mut self, msg_id: i64, call: Call) {
        self.unsent.insert(msg_id);
        self.calls.insert(msg_id, call);
    }

    /// Adds a service message, which is sent once.
    pub(super) fn say(&mut self, now: Millis, is_content: bool, body: Vec<u8>) -> i64 {
        let (msg_id, seq_no) = (self.next_id(now), self.next_seq_no(is_content));
        self.loose.push_back(Message { msg_id, seq_no, body });
        msg_id
    }

    pub(super) fn open_calls(&self) -> usize {
        self.calls.len()
    }

    pub(super) fn timeout(&self) -> Option<Millis> {
        self.ack_at
    }

    /// A new connection carries the session: all that was not answered is sent again.
    pub(super) fn reconnected(&mut self) {
        self.loose.clear();
        self.resend(|_, _| true);
    }

    fn resend(&mut self, which: impl Fn(i64, &Call) -> bool) {
        for (msg_id, call) in &mut self.calls {
            if which(*msg_id, call) {
                call.packet = None;
                self.unsent.insert(*msg_id);
            }
        }
    }

    /// Gives calls that the server never took new message ids, and sends them again.
    fn renumber(&mut self, now: Millis, which: impl Fn(i64, &Call) -> bool) {
        let chosen = self.calls.iter().filter(|(id, call)| which(**id, call));
        let chosen: Vec<i64> = chosen.map(|(id, _)| *id).collect();
        for old in chosen {
            let Some(mut call) = self.calls.remove(&old) else {
                continue;
            };
            self.unsent.remove(&old);
            call.seq_no = self.next_seq_no(true);
            (call.packet, call.is_fresh) = (None, true);
            let msg_id = self.next_id(now);
            self.add(msg_id, call);
        }
    }

    /// The next message to seal: acknowledgements only with something else, or when they are due.
    pub(super) fn transmit(&mut self, now: Millis) -> Option<Message> {
        let due = self.ack_at.is_some_and(|at| now >= at) || self.acks.len() >= CLIENT_ACKS_MAX;
        let any = !self.loose.is_empty() || !self.unsent.is_empty();
        if !self.acks.is_empty() && (any || due) {
            let rest = self.acks.split_off(self.acks.len().min(IDS_MAX));
            let ids = std::mem::replace(&mut self.acks, rest);
            self.ack_at = None;
            self.say(now, false, body(service::MSGS_ACK, |b| b.longs(&ids)));
        }
        let (mut batch, calls, is_fresh) = self.batch();
        if batch.is_empty() {
            return None;
        }
        // What is sent again goes in a fresh container: its own id may be too old by now.
        let packet = if batch.len() == 1 && is_fresh {
            batch.remove(0)
        } else {
            batch.sort_by_key(|m| m.msg_id);
            Message {
                msg_id: self.next_id(now),
                seq_no: self.next_seq_no(false),
                body: container::write(&batch),
            }
        };
        for msg_id in calls {
            if let Some(call) = self.calls.get_mut(&msg_id) {
                (call.packet, call.is_fresh) = (Some(packet.msg_id), false);
            }
        }
        Some(packet)
    }

    /// What fits into one container, the calls in it, and whether all of it is sent for the first time.
    fn batch(&mut self) -> (Vec<Message>, Vec<i64>, bool) {
        let mut room = container::Room::default();
        let (mut batch, mut calls, mut is_fresh) = (Vec::new(), Vec::new(), true);
        while let Some(message) = self.loose.pop_front_if(|m| room.take(m.body.len())) {
            batch.push(message);
        }
        while let Some(msg_id) = self.unsent.first().copied() {
            let Some(call) = self.calls.get(&msg_id) else {
                self.unsent.remove(&msg_id);
                continue;
            };
            if !room.take(call.body.len()) {
                break;
            }
            self.unsent.remove(&msg_id);
            is_fresh &= call.is_fresh;
            calls.push(msg_id);
            batch.push(Message {
                msg_id,
                seq_no: call.seq_no,
                body: call.body.clone(),
            });
        }
        (batch, calls, is_fresh)
    }

    /// Takes a message that was opened.
    pub(super) fn handle(&mut self, now: Millis, message: Message) -> Result<(), ClosedBecause> {
        if !container::is_container(&message) {
            return self.handle_one(now, message);
        }
        let messages = container::read(&message)?;
        messages.into_iter().try_for_each(|m| self.handle_one(now, m))
    }

    fn handle_one(&mut self, now: Millis, mut message: Message) -> Result<(), ClosedBecause> {
        if message.msg_id & 1 == 0 {
            return Err(ClosedBecause::BrokenRule);
        }
        if message.seq_no & 1 == 1 {
            self.acks.push(message.msg_id);
            self.ack_at.get_or_insert(now.plus(CLIENT_ACK_AFTER_MS));
        }
        if message.msg_id < self.floor || !self.seen.insert(message.msg_id) {
            return Ok(());
        }
        if self.seen.len() > SEEN_MAX {
            self.floor = self.seen.pop_first().map_or(0, |id| id + 1);
        }
        if constructor(&message.body) == Some(service::GZIP_PACKED) {
            message.body = gzip::Budget::default().unpack(&message.body)?;
        }
        self.read(now, message)
    }

    fn read(&mut self, now: Millis, message: Message) -> Result<(), ClosedBecause> {
        let mut reader = Reader(&message.body);
        match reader.u32()? {
            service::RPC_RESULT => self.result(reader)?,
            service::NEW_SESSION_CREATED => self.new_session(now, reader)?,
            service::BAD_SERVER_SALT => {
                let bad = reader.i64()?;
                reader.take(8)?;
                self.salt = reader.i64()?;
                self.resend(|id, call| id == bad || call.packet == Some(bad));
            }
            service::BAD_MSG_NOTIFICATION => {
                let (bad, _, code) = (reader.i64()?, reader.i32()?, reader.i32()?);
                return self.bad_message(now, message.msg_id, bad, code);
            }
            service::MSG_DETAILED_INFO => {
                reader.i64()?;
                self.ask_for(now, reader.i64()?);
            }
            service::MSG_NEW_DETAILED_INFO => self.ask_for(now, reader.i64()?),
            // The request was taken; its answer will come.
            service::MSGS_ACK => {}
            _ => {
                let Message { msg_id, seq_no, body } = message;
                let is_service = service::is_from_servers(&body);
                self.outputs.push_back(if is_service {
                    Output::Service { msg_id, seq_no, body }
                } else {
                    Output::Push { msg_id, body }
                });
            }
        }
        Ok(())
    }

    fn result(&mut self, mut reader: Reader<'_>) -> Result<(), Malformed> {
        let request = reader.i64()?;
        let Some(call) = self.calls.remove(&request) else {
            return Ok(());
        };
        self.unsent.remove(&request);
        let msg_id = call.name;
        let output = match constructor(reader.0) {
            Some(service::RPC_ERROR) => {
                reader.u32()?;
                let code = reader.i32()?;
                let text = String::from_utf8_lossy(reader.string()?).into_owned();
                Output::Error { msg_id, code, text }
            }
            Some(service::GZIP_PACKED) => {
                let body = gzip::Budget::default().unpack(reader.0)?;
                Output::Result { msg_id, body }
            }
            _ => {
                let body = reader.0.to_vec();
                Output::Result { msg_id, body }
            }
        };
        self.outputs.push_back(output);
        Ok(())
    }

    /// The server knows nothing of packets before the first that it names (SV-10).
    fn new_session(&mut self, now: Millis, mut reader: Reader<'_>) -> Result<(), Malformed> {
        let (first_msg_id, unique_id) = (reader.i64()?, reader.i64()?);
        self.salt = reader.i64()?;
        self.renumber(now, |id, call| {
            id < first_msg_id && call.packet.is_some_and(|packet| packet < first_msg_id)
        });
        let created = Output::NewSession {
            first_msg_id,
            unique_id,
        };
        self.outputs.push_back(created);
        Ok(())
    }

    fn bad_message(&mut self, now: Millis, said_at: i64, bad: i64, code: i32) -> Result<(), ClosedBecause> {
        self.outputs.push_back(Output::BadMessage { msg_id: bad, code });
        let is_bad = move |id: i64, call: &Call| id == bad || call.packet == Some(bad);
        match code {
            16 => {
                self.set_time(now, Millis::of_msg_id(said_at));
                self.resend(is_bad);
            }
            17 => {
                self.set_time(now, Millis::of_msg_id(said_at));
                self.renumber(now, is_bad);
            }
            20 => self.renumber(now, is_bad),
            _ => return Err(ClosedBecause::BrokenRule),
        }
        Ok(())
    }

    /// Asks for a message that was only announced.
    fn ask_for(&mut self, now: Millis, msg_id: i64) {
        if self.seen.contains(&msg_id) {
            self.acks.push(msg_id);
        } else {
            let request = body(service::MSG_RESEND_REQ, |b| b.longs(&[msg_id]));
            self.say(now, false, request);
        }
    }
}
