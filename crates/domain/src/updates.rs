//! A person's update sequence: counters and the log of events (UP-1 to UP-12). The log keeps the newest
//! [`EVENTS_KEPT_MAX`] events; whoever was away for longer starts again from the conversations (UP-11).

use havre_store::{Key, Order};
use serde::{Deserialize, Serialize};

use crate::ids::{AuthKeyId, ChannelId, ChatId, MessageId, Peer, Pts, Time, UserId};
use crate::keys::{self, Span};
use crate::limits::{EVENTS_FORGOTTEN_AT_ONCE, EVENTS_KEPT_MAX};
use crate::tx::{Fault, Tx};

/// The numbers of a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Id of the newest message ever; ids are never used again (UP-15).
    pub last_id: MessageId,
    /// One more than the sum of the counts of all events.
    pub pts: Pts,
    /// Events without pts since pts last moved.
    pub extra: i32,
    /// Secret-chat and bot events (UP-24).
    pub qts: i32,
    /// The log holds everything that happened after this pts; what was before may be forgotten.
    pub log_start: Pts,
    /// Events in the log.
    pub log_len: usize,
}

/// Of a box in which nothing has happened. Its pts is 1, for TDLib drops an event whose pts is not above its count.
impl Default for Counters {
    fn default() -> Self {
        Self {
            last_id: MessageId::default(),
            pts: Pts(1),
            extra: 0,
            qts: 0,
            log_start: Pts::default(),
            log_len: 0,
        }
    }
}

/// Something that happened in a box. Only names what changed: who asks later is told the newest state
/// (UP-9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A message came or was sent.
    Message(MessageId),
    /// A message was edited.
    Edited(MessageId),
    /// Messages were deleted; counts as many as it names.
    Deleted(Vec<MessageId>),
    /// Incoming messages were read.
    ReadInbox {
        /// The conversation.
        peer: Peer,
        /// Read up to here.
        max_id: MessageId,
        /// Left unread.
        unread: i32,
    },
    /// The other side read what was sent.
    ReadOutbox {
        /// The conversation.
        peer: Peer,
        /// Read up to here.
        max_id: MessageId,
    },
    /// Voice notes or mentions were consumed.
    ReadContents(Vec<MessageId>),
    /// Messages were pinned or unpinned.
    Pinned {
        /// The conversation.
        peer: Peer,
        /// Which.
        ids: Vec<MessageId>,
        /// Pinned or unpinned.
        pinned: bool,
    },
    /// Conversations moved to a folder.
    Folder {
        /// Which.
        peers: Vec<Peer>,
        /// Where: 0 or 1.
        folder: u8,
    },
    /// The draft of a conversation changed; no pts.
    Draft(Peer),
    /// A conversation was pinned or unpinned; no pts.
    DialogPinned {
        /// Which.
        peer: Peer,
        /// In which folder.
        folder: u8,
        /// Pinned or unpinned.
        pinned: bool,
    },
    /// The order of pinned conversations changed; no pts.
    PinnedOrder(u8),
    /// Notification settings of a conversation changed; no pts.
    NotifyPeer(Peer),
    /// Notification settings of a scope changed; no pts.
    NotifyScope(u8),
    /// A conversation was marked unread or not; no pts.
    MarkedUnread(Peer, bool),
    /// Somebody was blocked or unblocked; no pts.
    Blocked(UserId, bool),
    /// Rules of a privacy key changed; no pts.
    Privacy(u8),
    /// What this box's owner knows of a person changed (contact, name, photo); no pts.
    User(UserId),
    /// A basic group changed; no pts.
    Chat(ChatId),
    /// What members of a basic group may do changed; no pts.
    ChatRights(ChatId),
    /// What the bar above a conversation offers changed; no pts.
    PeerSettings(Peer),
    /// Somebody logged in on this key; no pts.
    NewLogin(AuthKeyId),
    /// The login on this key ended; no pts, and nothing that clients are told.
    LoggedOut(AuthKeyId),
    /// Nothing: moves pts, so that a difference gets past a run of events without pts (UP-8).
    Checkpoint,
    /// A channel changed, or how the box's owner stands to it; no pts.
    Channel(ChannelId),
    /// In a channel's log: what its members may not do changed; no pts.
    ChannelRights,
    /// The owner read a channel; no pts of this box.
    ReadChannel {
        /// Which.
        channel: ChannelId,
        /// Read up to here.
        max_id: MessageId,
        /// Left unread.
        unread: i32,
        /// Where the channel's own sequence was.
        pts: Pts,
    },
}

/// Longest run of events without pts.
const EXTRA_MAX: i32 = 200;

impl Event {
    /// By how much it moves pts.
    #[must_use]
    pub fn pts_count(&self) -> i32 {
        match self {
            Self::Message(_)
            | Self::Edited(_)
            | Self::ReadInbox { .. }
            | Self::ReadOutbox { .. }
            | Self::Checkpoint => 1,
            Self::Deleted(ids) | Self::ReadContents(ids) | Self::Pinned { ids, .. } => {
                i32::try_from(ids.len()).unwrap_or(i32::MAX)
            }
            Self::Folder { peers, .. } => i32::try_from(peers.len()).unwrap_or(i32::MAX),
            _ => 0,
        }
    }
}

/// An event with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Pts after it.
    pub pts: Pts,
    /// When it happened.
    pub date: i32,
    /// What it was.
    pub event: Event,
}

#[derive(Serialize, Deserialize)]
struct Logged {
    date: i32,
    event: Event,
}

/// The counters of a box.
///
/// # Errors
/// [`Fault`]; so for everything here.
pub async fn counters(tx: &mut Tx) -> Result<Counters, Fault> {
    Ok(tx.get(&keys::counters()).await?.unwrap_or_default())
}

/// Gives out the next message id.
///
/// # Errors
/// [`Fault`].
pub async fn next_message_id(tx: &mut Tx) -> Result<MessageId, Fault> {
    let mut counters = counters(tx).await?;
    let Some(next) = counters.last_id.0.checked_add(1) else {
        return Err(Fault::Defect("a box ran out of message ids"));
    };
    counters.last_id = MessageId(next);
    tx.put(keys::counters(), &counters);
    Ok(counters.last_id)
}

/// Writes an event to the log and moves pts by its count.
///
/// # Errors
/// [`Fault`].
pub async fn append(tx: &mut Tx, now: Time, event: Event) -> Result<Pts, Fault> {
    let mut counters = counters(tx).await?;
    if event.pts_count() == 0 && counters.extra >= EXTRA_MAX {
        write(tx, now, &mut counters, Event::Checkpoint)?;
    }
    write(tx, now, &mut counters, event)?;
    if counters.log_len >= EVENTS_KEPT_MAX + EVENTS_FORGOTTEN_AT_ONCE {
        forget_oldest(tx, &mut counters, EVENTS_FORGOTTEN_AT_ONCE).await?;
    }
    tx.put(keys::counters(), &counters);
    Ok(counters.pts)
}

/// Forgets all but about the newest `kept` events.
///
/// # Errors
/// [`Fault`].
pub async fn compact(tx: &mut Tx, kept: usize) -> Result<(), Fault> {
    let mut counters = counters(tx).await?;
    loop {
        let before = counters.log_len;
        let surplus = before.saturating_sub(kept).min(EVENTS_FORGOTTEN_AT_ONCE);
        forget_oldest(tx, &mut counters, surplus).await?;
        if counters.log_len == before {
            tx.put(keys::counters(), &counters);
            return Ok(());
        }
    }
}

/// Forgets fewer than `most` of the oldest events: always all of one pts, so that from `log_start` on
/// nothing is missing.
async fn forget_oldest(tx: &mut Tx, counters: &mut Counters, most: usize) -> Result<(), Fault> {
    let mut span = keys::events_after(counters.log_start);
    span.start = keys::event(counters.log_start, 0);
    let oldest: Vec<_> = tx.range(&span, Order::Ascending, most).await?;
    let Some((start, _)) = oldest.last().and_then(|(key, _)| keys::event_of(key)) else {
        return Ok(());
    };
    for (key, _) in oldest {
        if keys::event_of(&key).is_some_and(|(pts, _)| pts < start) {
            tx.delete(key);
            counters.log_len -= 1;
        }
    }
    counters.log_start = start;
    Ok(())
}

fn write(tx: &mut Tx, now: Time, counters: &mut Counters, event: Event) -> Result<(), Fault> {
    let count = event.pts_count();
    let key = if count > 0 {
        counters.pts = Pts(counters
            .pts
            .0
            .checked_add(count)
            .ok_or(Fault::Defect("a box ran out of pts"))?);
        counters.extra = 0;
        keys::event(counters.pts, 0)
    } else {
        counters.extra += 1;
        keys::event(counters.pts, counters.extra)
    };
    counters.log_len += 1;
    tx.put(
        key,
        &Logged {
            date: now.date(),
            event,
        },
    );
    Ok(())
}

/// The newest event that moved pts; nothing when there never was one.
///
/// # Errors
/// [`Fault`].
pub async fn newest(tx: &mut Tx) -> Result<Option<Placed>, Fault> {
    let pts = counters(tx).await?.pts;
    let logged = tx.get::<Logged>(&keys::event(pts, 0)).await?;
    Ok(logged.map(|Logged { date, event }| Placed { pts, date, event }))
}

/// How many log entries to read so that they hold `limit` events with pts and at least one.
#[must_use]
pub fn entries_for(limit: usize) -> usize {
    2 * limit + 2 * usize::try_from(EXTRA_MAX).unwrap_or(0)
}

/// Events after `pts` in order, of at most `limit` log entries; true when there may be more. Events without
/// pts only when they are not older than `since`: who knows an instant knows what came before it.
///
/// # Errors
/// [`Fault`].
pub async fn after(tx: &mut Tx, pts: Pts, since: i32, limit: usize) -> Result<(Vec<Placed>, bool), Fault> {
    let logged = tx
        .records::<Logged>(&keys::events_after(pts), Order::Ascending, limit)
        .await?;
    let more = logged.len() == limit;
    let mut placed = Vec::with_capacity(logged.len());
    for (key, Logged { date, event }) in logged {
        let Some((at, n)) = keys::event_of(&key) else {
            return Err(Fault::Corrupt("event key".into()));
        };
        let old = n > 0 && date < since;
        if !old {
            placed.push(Placed { pts: at, date, event });
        }
    }
    Ok((placed, more))
}

/// The place in the log after which nothing has happened: pts and the number of events without pts.
///
/// # Errors
/// [`Fault`].
pub async fn cursor(tx: &mut Tx) -> Result<Cursor, Fault> {
    let counters = counters(tx).await?;
    Ok(Cursor {
        pts: counters.pts,
        extra: counters.extra,
    })
}

/// A place in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// Pts.
    pub pts: Pts,
    /// Events without pts at that pts.
    pub extra: i32,
}

/// Events after a place in the log, at most `limit`, and the place after them.
///
/// # Errors
/// [`Fault`].
pub async fn beyond(tx: &mut Tx, from: Cursor, limit: usize) -> Result<(Vec<Placed>, Cursor), Fault> {
    let logged = tx.records(&span_beyond(from), Order::Ascending, limit).await?;
    place(from, logged)
}

/// As [`beyond`], of the events that this deed itself has made: all of them, when `from` is where the log
/// ended before it.
///
/// # Errors
/// [`Fault::Corrupt`].
pub fn made_beyond(tx: &Tx, from: Cursor) -> Result<(Vec<Placed>, Cursor), Fault> {
    place(from, tx.staged_records(&span_beyond(from))?)
}

fn span_beyond(from: Cursor) -> Span {
    Span {
        start: keys::event(from.pts, from.extra + 1),
        ..keys::events_after(from.pts)
    }
}

fn place(from: Cursor, logged: Vec<(Key, Logged)>) -> Result<(Vec<Placed>, Cursor), Fault> {
    let mut last = from;
    let mut placed = Vec::with_capacity(logged.len());
    for (key, Logged { date, event }) in logged {
        let Some((pts, extra)) = keys::event_of(&key) else {
            return Err(Fault::Corrupt("event key".into()));
        };
        last = Cursor { pts, extra };
        placed.push(Placed { pts, date, event });
    }
    Ok((placed, last))
}
