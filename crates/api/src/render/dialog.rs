//! Conversations.

use havre_domain::dialogs::{Dialog, FOLDER_ARCHIVE};
use havre_domain::ids::Peer;
use havre_tl::{Deserialize as _, enums, types};

use super::peer as wire_peer;

/// A conversation in the list.
#[must_use]
pub fn dialog(peer: Peer, stored: &Dialog) -> types::Dialog {
    types::Dialog {
        pinned: stored.pinned,
        unread_mark: stored.marked_unread,
        peer: wire_peer(peer),
        top_message: stored.top.0,
        read_inbox_max_id: stored.read_inbox.0,
        read_outbox_max_id: stored.read_outbox.0,
        unread_count: stored.unread,
        unread_mentions_count: stored.mentions,
        notify_settings: notify_settings(stored.notify.as_deref()),
        draft: stored.draft.as_ref().map(|_| draft(stored)),
        folder_id: (stored.folder == FOLDER_ARCHIVE).then(|| i32::from(stored.folder)),
        ..types::Dialog::default()
    }
}

/// The draft of a conversation.
#[must_use]
pub fn draft(stored: &Dialog) -> enums::DraftMessage {
    let read = stored
        .draft
        .as_deref()
        .and_then(|tl| enums::DraftMessage::from_bytes(tl).ok());
    read.unwrap_or_else(|| types::DraftMessageEmpty::default().into())
}

/// Notification settings, stored as `peerNotifySettings`.
#[must_use]
pub fn notify_settings(stored: Option<&[u8]>) -> enums::PeerNotifySettings {
    stored
        .and_then(|tl| enums::PeerNotifySettings::from_bytes(tl).ok())
        .unwrap_or_default()
}
