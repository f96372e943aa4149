//! A channel in somebody's list of conversations. Their own box knows how far they have read and how they keep
//! it; what was said, and who read it, is read from the channel.

use crate::channel_members::Standing;
use crate::channel_messages;
use crate::dialogs::{self, Dialog};
use crate::ids::{ChannelId, MessageId, Peer, Time, UserId};
use crate::keys::partition;
use crate::messages;
use crate::tx::{Fault, Tx};
use crate::updates::{self, Event};
use crate::world::World;
use crate::{channel_members, channels};

/// The conversation of a person with a channel, empty when they may not read it.
///
/// # Errors
/// [`Fault`]; so for everything here.
pub async fn dialog(world: &mut World, reader: UserId, id: ChannelId) -> Result<Dialog, Fault> {
    let (peer, now) = (Peer::Channel(id), world.now);
    let kept = dialogs::dialog(world.view_user(reader), peer).await?;
    let tx = world.view(partition::channel(id));
    let standing = Standing::load(tx, reader).await?;
    let Some(standing) = standing.filter(|s| s.may_read(now)) else {
        return Ok(kept);
    };
    let channel = dialogs::dialog(tx, peer).await?;
    let unread = if standing.is_present() {
        channel_messages::unread(tx, reader, kept.read_inbox).await?
    } else {
        0
    };
    Ok(Dialog {
        top: channel.top,
        top_date: channel.top_date.max(standing.channel.date),
        count: channel.count,
        read_outbox: standing.channel.read_by_others,
        unread,
        pinned_message: channel.pinned_message,
        ..kept
    })
}

/// The channels that a person is in and keeps in a folder, each with its conversation.
///
/// # Errors
/// [`Fault`].
pub async fn of_folder(world: &mut World, reader: UserId, folder: u8) -> Result<Vec<(Peer, Dialog)>, Fault> {
    let mut found = Vec::new();
    for id in channel_members::joined(world.view_user(reader)).await? {
        let dialog = dialog(world, reader, id).await?;
        if dialog.folder == folder {
            found.push((Peer::Channel(id), dialog));
        }
    }
    Ok(found)
}

/// What reading did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// Up to here.
    pub max_id: MessageId,
    /// The mark before.
    pub before: MessageId,
    /// Left unread.
    pub unread: i32,
}

/// How far reading up to `max_id` moves a reader's mark, 0 for everything; nothing when it does not (UP-21).
///
/// # Errors
/// [`Fault`].
pub async fn advance(
    world: &mut World,
    reader: UserId,
    id: ChannelId,
    max_id: MessageId,
) -> Result<Option<Read>, Fault> {
    let peer = Peer::Channel(id);
    let before = dialogs::dialog(world.view_user(reader), peer).await?.read_inbox;
    let tx = world.view(partition::channel(id));
    let top = dialogs::dialog(tx, peer).await?.top;
    let max_id = if max_id.0 <= 0 { top } else { max_id.min(top) };
    if max_id <= before {
        return Ok(None);
    }
    let unread = channel_messages::unread(tx, reader, max_id).await?;
    Ok(Some(Read {
        max_id,
        before,
        unread,
    }))
}

/// Moves a reader's mark in their box, and tells the channel when nobody has read that far before.
///
/// # Errors
/// [`Fault`].
pub async fn read(
    world: &mut World,
    now: Time,
    reader: UserId,
    id: ChannelId,
    read: Read,
) -> Result<(), Fault> {
    let tx = world.view(partition::channel(id));
    let pts = updates::counters(tx).await?.pts;
    let told = channels::channel(tx)
        .await?
        .is_some_and(|c| c.megagroup && c.read_by_others < read.max_id)
        && wrote_other(tx, reader, id, read).await?;
    let tx = world.user(reader)?;
    if told {
        let effect = crate::outbox::Effect::ChannelRead(read.max_id);
        tx.send(partition::channel(id), &effect);
    }
    let (max_id, unread, peer) = (read.max_id, read.unread, Peer::Channel(id));
    let was_marked = dialogs::dialog(tx, peer).await?.marked_unread;
    dialogs::change(tx, peer, |d| (d.read_inbox, d.marked_unread) = (max_id, false)).await?;
    let event = Event::ReadChannel {
        channel: id,
        max_id,
        unread,
        pts,
    };
    updates::append(tx, now, event).await?;
    if was_marked {
        updates::append(tx, now, Event::MarkedUnread(peer, false)).await?;
    }
    Ok(())
}

/// Whether the newest message that became read is somebody else's: who reads their own tells nothing by it.
async fn wrote_other(tx: &mut Tx, reader: UserId, id: ChannelId, read: Read) -> Result<bool, Fault> {
    let to = MessageId(read.max_id.0.saturating_add(1));
    let from = MessageId(read.before.0.saturating_add(1));
    let order = havre_store::Order::Descending;
    let newest = messages::page(tx, Peer::Channel(id), from, to, order, 1).await?;
    Ok(newest.first().is_some_and(|(_, message)| message.from != reader))
}
