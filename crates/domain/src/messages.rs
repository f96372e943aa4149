//! A box's messages: arriving, editing, deleting, reading, paging. Every function changes one box; the
//! other side's box changes by an effect.

use havre_store::Order;
use serde::{Deserialize, Serialize};

use crate::dialogs;
use crate::ids::{MessageId, Origin, Peer, Pts, RandomId, Time, UserId};
use crate::keys;
use crate::limits::{DELETE_MAX, PURGE_SPAN_MAX};
use crate::search::{self, Content, Kind};
use crate::tx::{Fault, Tx};
use crate::updates::{self, Event};
use crate::users;

/// A message as one box holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who wrote it.
    pub from: UserId,
    /// Written by the owner of the box.
    pub out: bool,
    /// When.
    pub date: i32,
    /// When it was last edited.
    pub edit_date: Option<i32>,
    /// Its name across boxes.
    pub origin: Origin,
    /// The message it answers, in this box.
    pub reply: Option<MessageId>,
    /// Pinned in its conversation.
    pub pinned: bool,
    /// Mentions the owner.
    pub mentioned: bool,
    /// A mention, voice or video note that was not consumed.
    pub media_unread: bool,
    /// Random id of the sender, in the sender's box.
    pub random_id: Option<RandomId>,
    /// TL of the canonical layer (`message` or `messageService`); whatever differs between boxes (id,
    /// peer, direction, reply id, dates of edit) is not read from it.
    pub content: Vec<u8>,
}

/// A message that comes into a box.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// The conversation, as the receiver sees it.
    pub peer: Peer,
    /// Who wrote it.
    pub from: UserId,
    /// When.
    pub date: i32,
    /// Its name across boxes.
    pub origin: Origin,
    /// Name of the message that it answers.
    pub reply: Option<Origin>,
    /// Has something to be consumed: voice, video note.
    pub media_unread: bool,
    /// TL as in [`Message::content`].
    pub content: Vec<u8>,
}

/// The message with this id and the conversation it lies in.
///
/// # Errors
/// [`Fault`]; so for everything here.
pub async fn find(tx: &mut Tx, id: MessageId) -> Result<Option<(Peer, Message)>, Fault> {
    let Some(peer) = tx.get::<Peer>(&keys::place(id)).await? else {
        return Ok(None);
    };
    Ok(tx.get(&keys::message(peer, id)).await?.map(|m| (peer, m)))
}

/// The message with this id in this conversation.
///
/// # Errors
/// [`Fault`].
pub async fn find_in(tx: &mut Tx, peer: Peer, id: MessageId) -> Result<Option<Message>, Fault> {
    tx.get(&keys::message(peer, id)).await
}

/// This box's id of a message that it may know by another name.
///
/// # Errors
/// [`Fault`].
pub async fn local_id(tx: &mut Tx, owner: UserId, origin: Origin) -> Result<Option<MessageId>, Fault> {
    if origin.source == Peer::User(owner) {
        return Ok(tx.get::<Peer>(&keys::place(origin.id)).await?.map(|_| origin.id));
    }
    tx.get(&keys::origin(origin)).await
}

/// Adds a message of the box's owner; the id is taken before with [`updates::next_message_id`].
///
/// # Errors
/// [`Fault`].
pub async fn add_own(
    tx: &mut Tx,
    now: Time,
    peer: Peer,
    id: MessageId,
    message: Message,
) -> Result<Pts, Fault> {
    // What is sent to oneself is read at once.
    let content = Content::parse(&message.content);
    place(tx, peer, id, &message, &content).await?;
    dialogs::change(tx, peer, |d| {
        d.top = id;
        d.top_date = message.date;
        d.count += 1;
    })
    .await?;
    updates::append(tx, now, Event::Message(id)).await
}

async fn place(
    tx: &mut Tx,
    peer: Peer,
    id: MessageId,
    message: &Message,
    content: &Content,
) -> Result<(), Fault> {
    tx.put(keys::message(peer, id), message);
    tx.put(keys::place(id), &peer);
    search::index(tx, peer, id, content);
    Ok(())
}

/// Takes a message into the box of `owner`.
///
/// # Errors
/// [`Fault`].
pub async fn receive(tx: &mut Tx, now: Time, owner: UserId, arrival: Arrival) -> Result<MessageId, Fault> {
    let id = updates::next_message_id(tx).await?;
    let reply = match arrival.reply {
        Some(origin) => local_id(tx, owner, origin).await?,
        None => None,
    };
    let out = arrival.from == owner;
    let content = Content::parse(&arrival.content);
    let mentioned = !out && is_mention(tx, owner, arrival.peer, reply, &content).await?;
    let message = Message {
        from: arrival.from,
        out,
        date: arrival.date,
        edit_date: None,
        origin: arrival.origin,
        reply,
        pinned: false,
        mentioned,
        media_unread: arrival.media_unread || mentioned,
        random_id: None,
        content: arrival.content,
    };
    place(tx, arrival.peer, id, &message, &content).await?;
    if mentioned {
        search::mark(tx, Kind::Mention, arrival.peer, id, true);
    }
    tx.put(keys::origin(arrival.origin), &id);
    dialogs::change(tx, arrival.peer, |d| {
        d.top = id;
        d.top_date = d.top_date.max(message.date);
        d.count += 1;
        if !out {
            d.unread += 1;
            d.mentions += i32::from(message.mentioned);
        }
    })
    .await?;
    updates::append(tx, now, Event::Message(id)).await?;
    Ok(id)
}

/// Whether a message is meant for the owner among the members of a group: it names them, or answers
/// something of theirs.
async fn is_mention(
    tx: &mut Tx,
    owner: UserId,
    peer: Peer,
    reply: Option<MessageId>,
    content: &Content,
) -> Result<bool, Fault> {
    if matches!(peer, Peer::User(_)) {
        return Ok(false);
    }
    let answered = match reply {
        Some(id) => find_in(tx, peer, id).await?,
        None => None,
    };
    if answered.is_some_and(|message| message.out) {
        return Ok(true);
    }
    let profile = users::profile(tx).await?;
    Ok(content.names(owner, profile.and_then(|p| p.username).as_deref()))
}

/// Puts new content into a message.
///
/// # Errors
/// [`Fault`].
pub async fn edit(
    tx: &mut Tx,
    now: Time,
    (peer, id): (Peer, MessageId),
    mut message: Message,
    content: Vec<u8>,
    edit_date: Option<i32>,
) -> Result<Pts, Fault> {
    search::forget(tx, peer, id, &Content::parse(&message.content));
    // Concurrent edits: the last committed wins, and the date never falls (UP-23).
    message.edit_date = edit_date
        .map(|d| message.edit_date.map_or(d, |old| old.max(d)))
        .or(message.edit_date);
    message.content = content;
    search::index(tx, peer, id, &Content::parse(&message.content));
    tx.put(keys::message(peer, id), &message);
    updates::append(tx, now, Event::Edited(id)).await
}

/// What deleting did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// The messages that were there, with their conversation.
    pub messages: Vec<(Peer, MessageId, Message)>,
    /// Pts afterwards.
    pub pts: Pts,
}

/// Deletes the messages that are there; ids that are not are passed over, so that repeating it changes
/// nothing (UP-22).
///
/// # Errors
/// [`Fault`].
pub async fn delete(tx: &mut Tx, now: Time, ids: &[MessageId]) -> Result<Deleted, Fault> {
    let mut deleted = Deleted {
        pts: updates::counters(tx).await?.pts,
        ..Deleted::default()
    };
    for &id in ids {
        if let Some((peer, message)) = find(tx, id).await? {
            remove(tx, peer, id, &message).await?;
            deleted.messages.push((peer, id, message));
        }
    }
    let mut peers: Vec<Peer> = deleted.messages.iter().map(|(peer, ..)| *peer).collect();
    peers.sort_unstable();
    peers.dedup();
    for peer in peers {
        settle_dialog(tx, peer, &deleted.messages).await?;
    }
    if !deleted.messages.is_empty() {
        let ids = deleted.messages.iter().map(|(_, id, _)| *id).collect();
        deleted.pts = updates::append(tx, now, Event::Deleted(ids)).await?;
    }
    Ok(deleted)
}

/// Deletes what an author wrote in a conversation, as far back as [`PURGE_SPAN_MAX`] messages.
///
/// # Errors
/// [`Fault`].
pub async fn purge(tx: &mut Tx, now: Time, peer: Peer, author: UserId) -> Result<(), Fault> {
    let newest = page(
        tx,
        peer,
        MessageId(0),
        MessageId(i32::MAX),
        Order::Descending,
        PURGE_SPAN_MAX,
    )
    .await?;
    let ids: Vec<MessageId> = newest
        .iter()
        .filter(|(_, m)| m.from == author && matches!(m.origin.source, Peer::User(_)))
        .map(|(id, _)| *id)
        .take(DELETE_MAX)
        .collect();
    delete(tx, now, &ids).await.map(drop)
}

async fn remove(tx: &mut Tx, peer: Peer, id: MessageId, message: &Message) -> Result<(), Fault> {
    search::forget(tx, peer, id, &Content::parse(&message.content));
    for kind in [Kind::Pinned, Kind::Mention] {
        search::mark(tx, kind, peer, id, false);
    }
    tx.delete(keys::message(peer, id));
    tx.delete(keys::place(id));
    tx.delete(keys::origin(message.origin));
    Ok(())
}

/// Brings a conversation's numbers in line after some of its messages were deleted.
async fn settle_dialog(tx: &mut Tx, peer: Peer, gone: &[(Peer, MessageId, Message)]) -> Result<(), Fault> {
    let before = dialogs::dialog(tx, peer).await?;
    let gone = || gone.iter().filter(|(p, ..)| *p == peer);
    let unread = gone()
        .filter(|(_, id, m)| !m.out && *id > before.read_inbox)
        .count();
    let mentions = gone().filter(|(_, _, m)| m.mentioned && m.media_unread).count();
    let top = if gone().any(|(_, id, _)| *id == before.top) {
        newest(tx, peer).await?
    } else {
        None
    };
    let top_gone = gone().any(|(_, id, _)| *id == before.top);
    let pin_gone = gone().any(|(_, id, _)| *id == before.pinned_message);
    let pinned = if pin_gone {
        search::newest_pinned(tx, peer).await?
    } else {
        before.pinned_message
    };
    dialogs::change(tx, peer, |d| {
        d.count -= i32::try_from(gone().count()).unwrap_or(0);
        d.unread -= i32::try_from(unread).unwrap_or(0);
        d.mentions -= i32::try_from(mentions).unwrap_or(0);
        d.pinned_message = pinned;
        if top_gone {
            d.top = top.as_ref().map_or(MessageId(0), |(id, _)| *id);
            // An emptied conversation keeps its place by the date of what it last held.
            d.top_date = top.as_ref().map_or(d.top_date, |(_, m)| m.date);
        }
    })
    .await?;
    Ok(())
}

/// The newest message of a conversation.
///
/// # Errors
/// [`Fault`].
pub async fn newest(tx: &mut Tx, peer: Peer) -> Result<Option<(MessageId, Message)>, Fault> {
    Ok(
        page(tx, peer, MessageId(0), MessageId(i32::MAX), Order::Descending, 1)
            .await?
            .pop(),
    )
}

/// Messages of a conversation with `from <= id < to` in the given order, at most `limit`.
///
/// # Errors
/// [`Fault`].
pub async fn page(
    tx: &mut Tx,
    peer: Peer,
    from: MessageId,
    to: MessageId,
    order: Order,
    limit: usize,
) -> Result<Vec<(MessageId, Message)>, Fault> {
    if from >= to || limit == 0 {
        return Ok(Vec::new());
    }
    let records = tx
        .records::<Message>(&keys::history(peer, from, to), order, limit)
        .await?;
    Ok(records
        .into_iter()
        .filter_map(|(key, m)| Some((keys::message_id_of(&key)?, m)))
        .collect())
}

/// What reading did: the newest message that became read, and the names of the newest read message of
/// each author, so that their boxes can be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Whether the mark moved.
    pub advanced: bool,
    /// Pts afterwards.
    pub pts: Pts,
    /// For each author whose messages became read: the newest of them.
    pub told: Vec<Origin>,
}

/// Most messages looked at when a read mark moves; a mark further ahead than this leaves the authors of
/// older messages untold, which their next message mends.
const READ_SPAN_MAX: usize = 5_000;

/// Moves the read mark of incoming messages up to `max_id` (UP-21).
///
/// # Errors
/// [`Fault`].
pub async fn read(tx: &mut Tx, now: Time, peer: Peer, max_id: MessageId) -> Result<Read, Fault> {
    let before = dialogs::dialog(tx, peer).await?;
    let max_id = if max_id.0 <= 0 {
        before.top
    } else {
        max_id.min(before.top)
    };
    let pts = updates::counters(tx).await?.pts;
    if max_id <= before.read_inbox {
        return Ok(Read {
            advanced: false,
            pts,
            told: Vec::new(),
        });
    }
    let from = MessageId(before.read_inbox.0 + 1);
    let to = MessageId(max_id.0.saturating_add(1));
    let newly = page(tx, peer, from, to, Order::Descending, READ_SPAN_MAX).await?;
    let incoming: Vec<&Message> = newly.iter().map(|(_, m)| m).filter(|m| !m.out).collect();
    let read = i32::try_from(incoming.len()).unwrap_or(0);
    let mut told: Vec<Origin> = Vec::new();
    for message in incoming {
        let known = told.iter().any(|o| o.source == message.origin.source);
        if !known && message.origin.source == Peer::User(message.from) {
            told.push(message.origin);
        }
    }
    let dialog = dialogs::change(tx, peer, |d| {
        d.read_inbox = max_id;
        d.unread = if max_id >= d.top {
            0
        } else {
            (d.unread - read).max(0)
        };
        d.marked_unread = false;
    })
    .await?;
    let event = Event::ReadInbox {
        peer,
        max_id,
        unread: dialog.unread,
    };
    let pts = updates::append(tx, now, event).await?;
    if before.marked_unread {
        updates::append(tx, now, Event::MarkedUnread(peer, false)).await?;
    }
    Ok(Read {
        advanced: true,
        pts,
        told,
    })
}

/// Notes that the other side read the owner's messages up to `max_id`. True when the mark moved.
///
/// # Errors
/// [`Fault`].
pub async fn was_read(tx: &mut Tx, now: Time, peer: Peer, max_id: MessageId) -> Result<bool, Fault> {
    let before = dialogs::dialog(tx, peer).await?;
    let max_id = max_id.min(before.top);
    if max_id <= before.read_outbox {
        return Ok(false);
    }
    dialogs::change(tx, peer, |d| d.read_outbox = max_id).await?;
    updates::append(tx, now, Event::ReadOutbox { peer, max_id }).await?;
    Ok(true)
}

/// Marks voice notes, video notes and mentions as consumed. Returns those that were not before.
///
/// # Errors
/// [`Fault`].
pub async fn consume(tx: &mut Tx, now: Time, ids: &[MessageId]) -> Result<Vec<Message>, Fault> {
    let (mut consumed, mut events) = (Vec::new(), Vec::new());
    for &id in ids {
        let Some((peer, mut message)) = find(tx, id).await? else {
            continue;
        };
        if !std::mem::take(&mut message.media_unread) {
            continue;
        }
        tx.put(keys::message(peer, id), &message);
        if message.mentioned {
            dialogs::change(tx, peer, |d| d.mentions -= 1).await?;
        }
        events.push(id);
        consumed.push(message);
    }
    if !events.is_empty() {
        updates::append(tx, now, Event::ReadContents(events)).await?;
    }
    Ok(consumed)
}
