//! Conversations of a box: top message, unread count, read marks, folder, draft, and their order.

use havre_store::Order;
use serde::{Deserialize, Serialize};

use crate::ids::{MessageId, Peer, Time};
use crate::keys;
use crate::tx::{Fault, Tx};
use crate::updates::{self, Event};

/// The archive.
pub const FOLDER_ARCHIVE: u8 = 1;

/// One conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialog {
    /// Newest message, 0 when there is none.
    pub top: MessageId,
    /// Its date, or that of the draft where there is no message; decides the place in the list.
    pub top_date: i32,
    /// Messages that are here.
    pub count: i32,
    /// Incoming messages up to here were read.
    pub read_inbox: MessageId,
    /// What was sent was read by the other side up to here.
    pub read_outbox: MessageId,
    /// Incoming messages after `read_inbox`.
    pub unread: i32,
    /// Unread messages that mention the owner.
    pub mentions: i32,
    /// 0 or [`FOLDER_ARCHIVE`].
    pub folder: u8,
    /// Pinned on top of its folder.
    pub pinned: bool,
    /// Marked unread by hand.
    pub marked_unread: bool,
    /// The draft, TL of the canonical layer (`DraftMessage`).
    pub draft: Option<Vec<u8>>,
    /// Notification settings, TL of the canonical layer (`InputPeerNotifySettings`).
    pub notify: Option<Vec<u8>>,
    /// The bar that offers to add, block or report was put away.
    pub bar_hidden: bool,
    /// Newest pinned message, 0 when there is none.
    pub pinned_message: MessageId,
}

impl Dialog {
    /// Whether it is shown in the list.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        self.top.0 != 0 || self.draft.is_some()
    }
}

/// Pinned conversations of a folder in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pins(pub Vec<Peer>);

/// Incoming messages after the read marks of all conversations together, archived and muted ones too. Kept
/// along with the conversations, so that nobody has to add them up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread(pub i32);

/// The conversation with `peer`; an empty one when there never was any.
///
/// # Errors
/// [`Fault`]; so for everything here.
pub async fn dialog(tx: &mut Tx, peer: Peer) -> Result<Dialog, Fault> {
    Ok(tx.get(&keys::dialog(peer)).await?.unwrap_or_default())
}

/// How many messages are unread in all conversations together.
///
/// # Errors
/// [`Fault`].
pub async fn unread(tx: &mut Tx) -> Result<Unread, Fault> {
    Ok(tx.get(&keys::unread()).await?.unwrap_or_default())
}

/// Changes a conversation and keeps its place in the folder's order and the count of what is unread true.
///
/// # Errors
/// [`Fault`].
pub async fn change(tx: &mut Tx, peer: Peer, deed: impl FnOnce(&mut Dialog)) -> Result<Dialog, Fault> {
    let old: Dialog = dialog(tx, peer).await?;
    let mut new = old.clone();
    deed(&mut new);
    // A channel's place follows from its newest message, which its members' boxes do not know.
    let is_ordered = !matches!(peer, Peer::Channel(_));
    let place =
        |d: &Dialog| (is_ordered && d.is_listed()).then(|| keys::order(d.folder, d.top_date, d.top, peer));
    let (before, after) = (place(&old), place(&new));
    if before != after {
        if let Some(key) = before {
            tx.delete(key);
        }
        if let Some(key) = after {
            tx.put(key, &());
        }
    }
    if new.unread != old.unread {
        let Unread(before) = unread(tx).await?;
        tx.put(keys::unread(), &Unread(before + new.unread - old.unread));
    }
    if new != old {
        tx.put(keys::dialog(peer), &new);
    }
    Ok(new)
}

/// Clears the draft of a conversation, if there is one.
///
/// # Errors
/// [`Fault`].
pub async fn clear_draft(tx: &mut Tx, now: Time, peer: Peer) -> Result<(), Fault> {
    if dialog(tx, peer).await?.draft.is_some() {
        change(tx, peer, |d| d.draft = None).await?;
        updates::append(tx, now, Event::Draft(peer)).await?;
    }
    Ok(())
}

/// A page of a folder's list, newest first: conversations strictly older than `before`.
///
/// # Errors
/// [`Fault`].
pub async fn page(
    tx: &mut Tx,
    folder: u8,
    before: Option<(i32, MessageId, Option<Peer>)>,
    limit: usize,
) -> Result<Vec<(Peer, Dialog)>, Fault> {
    let span = match before {
        Some((date, top, peer)) => keys::folder_before(folder, date, top, peer),
        None => keys::folder(folder),
    };
    let places = tx.range(&span, Order::Descending, limit).await?;
    let peers: Vec<Peer> = places.iter().filter_map(|(key, _)| keys::peer_of(key)).collect();
    let dialogs = tx
        .get_many::<Dialog>(&peers.iter().map(|p| keys::dialog(*p)).collect::<Vec<_>>())
        .await?;
    Ok(peers
        .into_iter()
        .zip(dialogs)
        .filter_map(|(p, d)| Some((p, d?)))
        .collect())
}

/// Pinned conversations of a folder in order.
///
/// # Errors
/// [`Fault`].
pub async fn pins(tx: &mut Tx, folder: u8) -> Result<Vec<Peer>, Fault> {
    Ok(tx.get::<Pins>(&keys::pins(folder)).await?.unwrap_or_default().0)
}

/// Conversations of a folder, counted up to the most that one read returns.
///
/// # Errors
/// [`Fault`].
pub async fn count(tx: &mut Tx, folder: u8) -> Result<usize, Fault> {
    Ok(tx
        .range(
            &keys::folder(folder),
            Order::Descending,
            havre_store::limits::RANGE_LIMIT_MAX,
        )
        .await?
        .len())
}

/// Puts a folder's pins in this order: those that come or go change with it.
///
/// # Errors
/// [`Fault`].
pub async fn set_pins(tx: &mut Tx, folder: u8, order: Vec<Peer>) -> Result<(), Fault> {
    let before = pins(tx, folder).await?;
    for peer in before.iter().filter(|p| !order.contains(p)) {
        change(tx, *peer, |d| d.pinned = false).await?;
    }
    for peer in order.iter().filter(|p| !before.contains(p)) {
        change(tx, *peer, |d| d.pinned = true).await?;
    }
    tx.put(keys::pins(folder), &Pins(order));
    Ok(())
}
