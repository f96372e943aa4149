//! What a session has to say, until it is said or, where it matters, acknowledged.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::ConnectionId;
use crate::bytes::Writer as _;
use crate::container;
use crate::limits::{
    ALONE_MS, ANSWERED_BYTES_MAX, IDS_MAX, PUSHED_BYTES_MAX, PUSHED_MESSAGES_MAX, UNACKED_MS,
};
use crate::packet::Message;
use crate::service::{self, body};
use crate::time::Millis;

/// What a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It answers a call.
    Answer,
    /// An object of the API that nobody asked for.
    Push,
    /// A notice of the session itself.
    Notice,
}

/// A message that waits for the client to acknowledge it.
pub(super) struct Waiting {
    pub(super) seq_no: i32,
    pub(super) body: Vec<u8>,
    kind: Kind,
    sent: Option<(Millis, ConnectionId)>,
}

/// What keeping a message costs besides its body, bytes.
const OVERHEAD: usize = 128;

/// How much of one kind waits.
#[derive(Default)]
struct Held {
    messages: usize,
    bytes: usize,
}

/// Everything on its way to the client.
#[derive(Default)]
pub(super) struct Outbox {
    last_id: i64,
    content_sent: i32,
    waiting: BTreeMap<i64, Waiting>,
    /// Those of `waiting` that no connection carries.
    unsent: BTreeSet<i64>,
    /// The others, in the order in which they were sent.
    sent: BTreeSet<(Millis, i64)>,
    pushed: Held,
    answered: Held,
    /// Messages that nobody acknowledges: sent once.
    loose: VecDeque<Message>,
    acks: Vec<i64>,
}

impl Outbox {
    /// Ids grow, with 1 in the lowest bits for an answer and 3 for the rest.
    fn next_id(&mut self, now: Millis, is_answer: bool) -> i64 {
        let low = if is_answer { 1 } else { 3 };
        let mut id = now.msg_id() | low;
        if id <= self.last_id {
            id = ((self.last_id >> 2) + 1) << 2 | low;
        }
        self.last_id = id;
        id
    }

    fn held(&mut self, kind: Kind) -> Option<&mut Held> {
        match kind {
            Kind::Answer => Some(&mut self.answered),
            Kind::Push => Some(&mut self.pushed),
            Kind::Notice => None,
        }
    }

    /// Sends something that the client will acknowledge; kept until then (SV-2).
    pub(super) fn content(&mut self, now: Millis, kind: Kind, body: Vec<u8>) -> i64 {
        let msg_id = self.next_id(now, kind == Kind::Answer);
        let seq_no = self.content_sent.wrapping_mul(2) | 1;
        self.content_sent = self.content_sent.wrapping_add(1);
        if let Some(held) = self.held(kind) {
            held.messages += 1;
            held.bytes += body.len() + OVERHEAD;
        }
        self.unsent.insert(msg_id);
        self.waiting.insert(
            msg_id,
            Waiting {
                seq_no,
                body,
                kind,
                sent: None,
            },
        );
        if kind == Kind::Answer {
            self.let_sent_answers_go();
        }
        msg_id
    }

    /// Answers that were sent are kept only as far as there is room: a client may acknowledge as late as it
    /// likes.
    fn let_sent_answers_go(&mut self) {
        while self.answered.bytes > ANSWERED_BYTES_MAX {
            let mut sent = self.waiting.iter();
            let oldest = sent.find(|(_, w)| w.kind == Kind::Answer && w.sent.is_some());
            let Some(id) = oldest.map(|(id, _)| *id) else {
                return;
            };
            self.remove(id);
        }
    }

    /// Sends something that nobody acknowledges.
    pub(super) fn loose(&mut self, now: Millis, is_answer: bool, body: Vec<u8>) {
        let msg_id = self.next_id(now, is_answer);
        let seq_no = self.content_sent.wrapping_mul(2);
        self.loose.push_back(Message { msg_id, seq_no, body });
    }

    /// Acknowledges a client's message.
    pub(super) fn acknowledge(&mut self, id: i64) {
        self.acks.push(id);
    }

    /// Whether a push of this length may wait.
    pub(super) fn has_room(&self, len: usize) -> bool {
        self.pushed.bytes + len + OVERHEAD <= PUSHED_BYTES_MAX && self.pushed.messages < PUSHED_MESSAGES_MAX
    }

    /// Lets everything pushed go.
    pub(super) fn forget_pushes(&mut self) {
        self.waiting.retain(|_, waiting| waiting.kind != Kind::Push);
        self.unsent.retain(|id| self.waiting.contains_key(id));
        self.sent.retain(|(_, id)| self.waiting.contains_key(id));
        self.pushed = Held::default();
    }

    /// What waits under this id.
    pub(super) fn get(&self, id: i64) -> Option<&Waiting> {
        self.waiting.get(&id)
    }

    /// Takes a message out: it was acknowledged, or nobody wants it any more.
    pub(super) fn remove(&mut self, id: i64) -> Option<Waiting> {
        let gone = self.waiting.remove(&id)?;
        match gone.sent {
            Some((at, _)) => self.sent.remove(&(at, id)),
            None => self.unsent.remove(&id),
        };
        if let Some(held) = self.held(gone.kind) {
            held.messages -= 1;
            held.bytes -= gone.body.len() + OVERHEAD;
        }
        Some(gone)
    }

    /// Sends a message again; false when it does not wait any more.
    pub(super) fn resend(&mut self, id: i64) -> bool {
        let Some(waiting) = self.waiting.get_mut(&id) else {
            return false;
        };
        if let Some((at, _)) = waiting.sent.take() {
            self.sent.remove(&(at, id));
            self.unsent.insert(id);
        }
        true
    }

    /// A connection is gone: what it carried goes out again on the next (SV-2).
    pub(super) fn connection_closed(&mut self, connection: ConnectionId) {
        for (id, waiting) in &mut self.waiting {
            if let Some((at, _)) = waiting.sent.take_if(|(_, on)| *on == connection) {
                self.sent.remove(&(at, *id));
                self.unsent.insert(*id);
            }
        }
    }

    /// Lets go of what was sent too long ago; true when a push was among it. What no connection carries is
    /// kept: the client does not know of it yet, or asked for it again.
    pub(super) fn forget_old(&mut self, now: Millis) -> bool {
        let mut any_push = false;
        while let Some((at, id)) = self.sent.first().copied()
            && now > at.plus(UNACKED_MS)
        {
            let gone = self.remove(id);
            any_push |= gone.is_some_and(|waiting| waiting.kind == Kind::Push);
        }
        any_push
    }

    /// Whether anything is to be sent now.
    pub(super) fn has_output(&self) -> bool {
        !self.loose.is_empty() || !self.acks.is_empty() || !self.unsent.is_empty()
    }

    /// The next message to seal: one, or a container of what waits.
    pub(super) fn transmit(&mut self, now: Millis, connection: ConnectionId) -> Option<Message> {
        if !self.acks.is_empty() {
            let rest = self.acks.split_off(self.acks.len().min(IDS_MAX));
            let ids = std::mem::replace(&mut self.acks, rest);
            self.loose(now, false, body(service::MSGS_ACK, |b| b.longs(&ids)));
        }
        let mut batch = self.batch(now, connection);
        // Clients refuse a packet whose id is old; inside a container an old id is what it should be.
        let may_stand_alone = |m: &Message| now <= Millis::of_msg_id(m.msg_id).plus(ALONE_MS);
        if batch.len() <= 1 && batch.first().is_none_or(may_stand_alone) {
            return batch.pop();
        }
        batch.sort_by_key(|m| m.msg_id);
        let msg_id = self.next_id(now, false);
        Some(Message {
            msg_id,
            seq_no: self.content_sent.wrapping_mul(2),
            body: container::write(&batch),
        })
    }

    /// Messages for one container: within its bounds, but at least one.
    fn batch(&mut self, now: Millis, connection: ConnectionId) -> Vec<Message> {
        let mut room = container::Room::default();
        let mut batch = Vec::new();
        while let Some(message) = self.loose.pop_front_if(|m| room.take(m.body.len())) {
            batch.push(message);
        }
        while let Some(msg_id) = self.unsent.first().copied() {
            let Some(waiting) = self.waiting.get_mut(&msg_id) else {
                self.unsent.remove(&msg_id);
                continue;
            };
            if !room.take(waiting.body.len()) {
                break;
            }
            self.unsent.remove(&msg_id);
            waiting.sent = Some((now, connection));
            self.sent.insert((now, msg_id));
            batch.push(Message {
                msg_id,
                seq_no: waiting.seq_no,
                body: waiting.body.clone(),
            });
        }
        batch
    }
}
