//! What a session knows of the client's messages, so that none is run twice (RP-2).

use std::collections::{BTreeMap, BTreeSet};

use super::Fate;
use crate::limits::{ACK_AFTER_MS, MSG_ID_PAST_MS, RUNNING_MAX, SEEN_MAX, SEEN_RECENT_MAX};
use crate::time::Millis;

/// A message that was taken, and is done with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Past {
    /// A container.
    Container,
    /// A service message.
    Service,
    /// A call: the message that answered it, and whether that was a result.
    Answered { answer: i64, succeeded: bool },
}

/// A call that was not answered yet.
struct Running {
    since: Millis,
    acknowledged: bool,
    dropped: bool,
}

#[derive(Default)]
pub(super) struct Memory {
    past: BTreeMap<i64, Past>,
    /// Ids below this were forgotten: nobody knows whether they came.
    floor: i64,
    running: BTreeMap<i64, Running>,
    /// Those of `running` that were not acknowledged, in the order in which they came.
    unacknowledged: BTreeSet<(Millis, i64)>,
}

impl Memory {
    /// What became of a message that was taken.
    pub(super) fn past(&self, id: i64) -> Option<Past> {
        self.past.get(&id).copied()
    }

    pub(super) fn is_running(&self, id: i64) -> bool {
        self.running.contains_key(&id)
    }

    pub(super) fn is_known(&self, id: i64) -> bool {
        self.past.contains_key(&id) || self.is_running(id)
    }

    /// Whether nobody can say if a message came.
    pub(super) fn is_forgotten(&self, id: i64) -> bool {
        id < self.floor && !self.is_known(id)
    }

    /// Remembers a message that is done with: the last ones, and as far as there is room all that may still
    /// come again as packets of their own.
    pub(super) fn remember(&mut self, now: Millis, id: i64, past: Past) {
        self.past.insert(id, past);
        while let Some((oldest, _)) = self.past.first_key_value()
            && self.past.len() > SEEN_MAX
            && (now > Millis::of_msg_id(*oldest).plus(MSG_ID_PAST_MS) || self.past.len() > SEEN_RECENT_MAX)
        {
            self.floor = self.floor.max(oldest + 1);
            self.past.pop_first();
        }
    }

    /// Remembers a call; false when too many are running.
    pub(super) fn begin(&mut self, now: Millis, id: i64) -> bool {
        if self.running.len() >= RUNNING_MAX {
            return false;
        }
        self.unacknowledged.insert((now, id));
        self.running.insert(
            id,
            Running {
                since: now,
                acknowledged: false,
                dropped: false,
            },
        );
        true
    }

    /// Nobody wants the answer of a running call; false when it is not running.
    pub(super) fn drop_answer(&mut self, id: i64) -> bool {
        let running = self.running.get_mut(&id);
        running.map(|running| running.dropped = true).is_some()
    }

    pub(super) fn is_dropped(&self, id: i64) -> bool {
        self.running.get(&id).is_some_and(|running| running.dropped)
    }

    /// A call was answered.
    pub(super) fn answered(&mut self, now: Millis, id: i64, answer: i64, succeeded: bool) {
        if let Some(running) = self.running.remove(&id) {
            self.unacknowledged.remove(&(running.since, id));
        }
        self.remember(now, id, Past::Answered { answer, succeeded });
    }

    /// When the next call is to be acknowledged.
    pub(super) fn timeout(&self) -> Option<Millis> {
        self.unacknowledged
            .first()
            .map(|(since, _)| since.plus(ACK_AFTER_MS))
    }

    /// The next call that is running for so long that it is to be acknowledged.
    pub(super) fn overdue(&mut self, now: Millis) -> Option<i64> {
        if self.timeout().is_none_or(|at| now < at) {
            return None;
        }
        let (_, id) = self.unacknowledged.pop_first()?;
        self.acknowledged(id);
        Some(id)
    }

    /// The client is told that a running call came.
    pub(super) fn acknowledged(&mut self, id: i64) {
        if let Some(running) = self.running.get_mut(&id) {
            running.acknowledged = true;
            self.unacknowledged.remove(&(running.since, id));
        }
    }

    pub(super) fn fate(&self, id: i64) -> Fate {
        match self.past(id) {
            Some(Past::Answered { succeeded: true, .. }) => Fate::Succeeded,
            Some(Past::Answered { .. }) => Fate::Failed,
            _ if self.is_running(id) => Fate::Running,
            _ => Fate::Unknown,
        }
    }

    /// The byte of `msgs_state_info` (SV-5).
    pub(super) fn state(&self, id: i64) -> u8 {
        const FORGOTTEN: u8 = 1;
        const NOT_RECEIVED: u8 = 2;
        const TOO_HIGH: u8 = 3;
        const RECEIVED: u8 = 4;
        const ACKNOWLEDGED: u8 = 8;
        const NEEDS_NO_ACK: u8 = 16;
        const PROCESSED: u8 = 32;
        const ANSWERED: u8 = 64;
        if let Some(running) = self.running.get(&id) {
            return RECEIVED + PROCESSED + if running.acknowledged { ACKNOWLEDGED } else { 0 };
        }
        match self.past(id) {
            Some(Past::Answered { .. }) => RECEIVED + ACKNOWLEDGED + PROCESSED + ANSWERED,
            Some(_) => RECEIVED + NEEDS_NO_ACK,
            None if id < self.floor.max(self.lowest()) => FORGOTTEN,
            None if id > self.highest() => TOO_HIGH,
            None => NOT_RECEIVED,
        }
    }

    /// Before the first message that is known, another server may have had the session.
    fn lowest(&self) -> i64 {
        let past = self.past.first_key_value().map(|(id, _)| *id);
        let running = self.running.first_key_value().map(|(id, _)| *id);
        past.into_iter().chain(running).min().unwrap_or(0)
    }

    fn highest(&self) -> i64 {
        let past = self.past.last_key_value().map(|(id, _)| *id);
        let running = self.running.last_key_value().map(|(id, _)| *id);
        past.max(running).unwrap_or(0)
    }
}
