//! What is said in a channel: one commit in the channel's partition, whoever reads it.

use havre_store::Order;

use crate::ids::{ChannelId, MessageId, Origin, Peer, RandomId, Time, UserId};
use crate::keys;
use crate::limits::UNREAD_COUNTED_MAX;
use crate::messages::{self, Deleted, Message};
use crate::random_ids;
use crate::tx::{Fault, Tx};
use crate::updates;

/// Something to post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// Makes it idempotent for its author; nothing for what the channel itself says.
    pub random_id: Option<RandomId>,
    /// The message it answers.
    pub reply: Option<MessageId>,
    /// TL of the canonical layer (`message` or `messageService`).
    pub content: Vec<u8>,
}

/// The message that an earlier post of this author with this random id made.
///
/// # Errors
/// [`Fault`]; so for everything here.
pub async fn posted_before(
    tx: &mut Tx,
    author: UserId,
    random_id: RandomId,
) -> Result<Option<MessageId>, Fault> {
    random_ids::sent_before(tx, Peer::User(author), random_id).await
}

/// Posts a message.
///
/// # Errors
/// [`Fault`].
pub async fn post(
    tx: &mut Tx,
    now: Time,
    channel: ChannelId,
    author: UserId,
    post: Post,
) -> Result<MessageId, Fault> {
    let peer = Peer::Channel(channel);
    let reply = match post.reply {
        Some(id) => messages::find_in(tx, peer, id).await?.map(|_| id),
        None => None,
    };
    let id = updates::next_message_id(tx).await?;
    let message = Message {
        from: author,
        // A channel's box is its own: what is said in it is not unread there.
        out: true,
        date: now.date(),
        edit_date: None,
        origin: Origin { source: peer, id },
        reply,
        pinned: false,
        mentioned: false,
        media_unread: false,
        random_id: post.random_id,
        content: post.content,
    };
    if let Some(random_id) = post.random_id {
        random_ids::remember(tx, Peer::User(author), random_id, id).await?;
    }
    tx.put(keys::author(author, id), &());
    messages::add_own(tx, now, peer, id, message).await?;
    Ok(id)
}

/// Deletes messages of a channel.
///
/// # Errors
/// [`Fault`].
pub async fn delete(tx: &mut Tx, now: Time, ids: &[MessageId]) -> Result<Deleted, Fault> {
    let deleted = messages::delete(tx, now, ids).await?;
    for (_, id, message) in &deleted.messages {
        tx.delete(keys::author(message.from, *id));
    }
    Ok(deleted)
}

/// The newest messages of an author, at most `limit`.
///
/// # Errors
/// [`Fault`].
pub async fn newest_of(tx: &mut Tx, author: UserId, limit: usize) -> Result<Vec<MessageId>, Fault> {
    let all = keys::written(author, MessageId(0), MessageId(i32::MAX));
    let found = tx.range(&all, Order::Descending, limit).await?;
    Ok(found
        .iter()
        .filter_map(|(key, _)| keys::message_id_of(key))
        .collect())
}

/// A message as one of its readers has it: their own went out.
#[must_use]
pub fn seen_by(message: Message, viewer: UserId) -> Message {
    Message {
        out: message.from == viewer,
        ..message
    }
}

/// How many messages after `read` others wrote than `reader`, counted up to [`UNREAD_COUNTED_MAX`].
///
/// # Errors
/// [`Fault`].
pub async fn unread(tx: &mut Tx, reader: UserId, read: MessageId) -> Result<i32, Fault> {
    let (from, to) = (MessageId(read.0.saturating_add(1)), MessageId(i32::MAX));
    if from > updates::counters(tx).await?.last_id {
        return Ok(0);
    }
    let all = keys::places(from, to);
    let all = tx.range(&all, Order::Ascending, UNREAD_COUNTED_MAX).await?.len();
    if all == UNREAD_COUNTED_MAX {
        return Ok(i32::try_from(all).unwrap_or(i32::MAX));
    }
    let own = keys::written(reader, from, to);
    let own = tx.range(&own, Order::Ascending, all).await?.len();
    Ok(i32::try_from(all - own).unwrap_or(0))
}
