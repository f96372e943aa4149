//! What all lists of conversations share: the rows, the archive's among them, and what the rows show.

use std::cmp::Reverse;

use havre_domain::contacts::hash;
use havre_domain::dialogs::{self, Dialog, FOLDER_ARCHIVE};
use havre_domain::ids::{MessageId, Peer, UserId};
use havre_domain::keys::{self, partition};
use havre_domain::limits::ARCHIVE_COUNTED_MAX;
use havre_domain::messages::{self, Message};
use havre_domain::{channel_dialogs, channel_messages, updates};
use havre_tl::{enums, types};

use crate::cx::Cx;
use crate::error::Error;
use crate::render::{self, Named};

/// Title of the archive; clients show one of their own.
const ARCHIVE_TITLE: &str = "Archived Chats";

/// Rows of a list of conversations.
#[derive(Default)]
pub struct Rows {
    /// As they are answered.
    pub rows: Vec<enums::Dialog>,
    tops: Vec<(Peer, MessageId)>,
}

/// What rows show: newest messages, and everybody that is named.
#[derive(Default)]
pub struct Shown {
    /// The newest message of each row that has one.
    pub messages: Vec<enums::Message>,
    /// People.
    pub users: Vec<enums::User>,
    /// Groups.
    pub chats: Vec<enums::Chat>,
}

impl Rows {
    /// Adds a conversation, even one that is empty.
    pub fn push(&mut self, peer: Peer, dialog: &Dialog) {
        self.rows.push(render::dialog(peer, dialog).into());
        self.tops.push((peer, dialog.top));
    }

    /// Adds the row that stands for the archive, pinned as it is until somebody hides it; nothing while the
    /// archive is empty.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn push_archive(&mut self, cx: &mut Cx) -> Result<(), Error> {
        let now = cx.world.now.date();
        let me = cx.me()?;
        let mut archived = channel_dialogs::of_folder(&mut cx.world, me, FOLDER_ARCHIVE).await?;
        archived.extend(dialogs::page(cx.view_own()?, FOLDER_ARCHIVE, None, ARCHIVE_COUNTED_MAX).await?);
        archived.sort_by_key(|(peer, dialog)| Reverse((dialog.top_date, dialog.top, *peer)));
        let Some((peer, newest)) = archived.first() else {
            return Ok(());
        };
        let folder = types::Folder {
            id: i32::from(FOLDER_ARCHIVE),
            title: ARCHIVE_TITLE.into(),
            ..Default::default()
        };
        let mut row = types::DialogFolder {
            pinned: true,
            folder: folder.into(),
            peer: render::peer(*peer),
            top_message: newest.top.0,
            unread_muted_peers_count: 0,
            unread_unmuted_peers_count: 0,
            unread_muted_messages_count: 0,
            unread_unmuted_messages_count: 0,
        };
        for (peer, dialog) in archived.iter().filter(|(_, d)| d.unread > 0 || d.marked_unread) {
            if is_muted(cx, *peer, dialog, now).await? {
                row.unread_muted_peers_count += 1;
                row.unread_muted_messages_count += dialog.unread;
            } else {
                row.unread_unmuted_peers_count += 1;
                row.unread_unmuted_messages_count += dialog.unread;
            }
        }
        self.rows.push(row.into());
        self.tops.push((*peer, newest.top));
        Ok(())
    }

    /// Says in each channel's row how far its sequence has come.
    async fn fill_pts(&mut self, cx: &mut Cx) -> Result<(), Error> {
        for (row, (peer, _)) in self.rows.iter_mut().zip(&self.tops) {
            if let (enums::Dialog::Dialog(row), Peer::Channel(channel)) = (row, peer) {
                let tx = cx.world.view(partition::channel(*channel));
                row.pts = Some(updates::counters(tx).await?.pts.0);
            }
        }
        Ok(())
    }

    /// What the rows show.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn shown(&mut self, cx: &mut Cx) -> Result<Shown, Error> {
        let me = cx.me()?;
        let mut named = Named::default();
        let mut messages = Vec::with_capacity(self.tops.len());
        for &(peer, top) in &self.tops {
            named.peer(peer);
            if let Some(message) = messages::find_in(cx.view_box(peer)?, peer, top).await? {
                let message = seen_in(peer, message, me);
                messages.push(render::message(&cx.world, peer, top, &message, &mut named));
            }
        }
        self.fill_pts(cx).await?;
        let (users, chats) = named.load(&mut cx.world, me).await?;
        Ok(Shown {
            messages,
            users,
            chats,
        })
    }
}

/// A message as the asker has it, wherever it lies.
pub fn seen_in(peer: Peer, message: Message, me: UserId) -> Message {
    match peer {
        Peer::Channel(_) => channel_messages::seen_by(message, me),
        Peer::User(_) | Peer::Chat(_) => message,
    }
}

/// Whether a conversation is silent: by its own settings, or by those of all of its kind.
async fn is_muted(cx: &mut Cx, peer: Peer, dialog: &Dialog, now: i32) -> Result<bool, Error> {
    let muted_until = |stored: Option<&[u8]>| {
        let enums::PeerNotifySettings::PeerNotifySettings(settings) = render::notify_settings(stored);
        settings.mute_until
    };
    if let Some(until) = muted_until(dialog.notify.as_deref()) {
        return Ok(until > now);
    }
    let scope = match peer {
        Peer::User(_) => 0,
        Peer::Chat(_) => 1,
        // A supergroup is a group to who is told of its messages.
        Peer::Channel(channel) => match cx.standing(channel).await? {
            Some(standing) if standing.channel.megagroup => 1,
            _ => 2,
        },
    };
    let of_scope = cx.view_own()?.get::<Vec<u8>>(&keys::notify(scope)).await?;
    Ok(muted_until(of_scope.as_deref()).is_some_and(|until| until > now))
}

/// The hash of a list of conversations. The documentation names no numbers for it, so they are all that such
/// a list shows and that change: for each row peer, newest message and its date of edit, read marks, unread
/// counts, pin, mark, date of the draft, mute.
#[must_use]
pub fn hash_of(listed: &[(Peer, Dialog)], messages: &[enums::Message]) -> i64 {
    let rows = listed.iter().flat_map(|(peer, stored)| {
        let dialog = render::dialog(*peer, stored);
        let enums::PeerNotifySettings::PeerNotifySettings(notify) = &dialog.notify_settings;
        let id = match peer {
            Peer::User(user) => user.0,
            Peer::Chat(chat) => -chat.0,
            Peer::Channel(channel) => CHANNEL_MARK - channel.0,
        };
        let numbers = [
            dialog.top_message,
            dialog.read_inbox_max_id,
            dialog.read_outbox_max_id,
            dialog.unread_count,
            dialog.unread_mentions_count,
            i32::from(dialog.pinned),
            i32::from(dialog.unread_mark),
            draft_date(dialog.draft.as_ref()),
            notify.mute_until.unwrap_or(0),
        ];
        [id].into_iter().chain(numbers.map(i64::from))
    });
    let edits = messages.iter().map(|message| match message {
        enums::Message::Message(m) => i64::from(m.edit_date.unwrap_or(0)),
        _ => 0,
    });
    hash(rows.chain(edits))
}

/// Sets a channel's id apart from a group's, as clients do (core.telegram.org/api/bots/ids).
const CHANNEL_MARK: i64 = -1_000_000_000_000;

fn draft_date(draft: Option<&enums::DraftMessage>) -> i32 {
    match draft {
        Some(enums::DraftMessage::DraftMessage(draft)) => draft.date,
        _ => 0,
    }
}
