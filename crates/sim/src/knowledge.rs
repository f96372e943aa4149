//! What a client knows of a box, and how each update changes it.

use std::collections::{BTreeMap, BTreeSet};

use havre_domain::ids::{ChannelId, ChatId, Peer, UserId};
use havre_tl::{enums, types};

/// One message as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The conversation.
    pub peer: Peer,
    /// The text, or the kind of service message.
    pub text: String,
    /// Written by the owner.
    pub out: bool,
    /// Edited at.
    pub edited: Option<i32>,
    /// Pinned.
    pub pinned: bool,
    /// The message it answers.
    pub reply: Option<i32>,
}

/// Everything that updates with pts tell of a box, and beside it what those without tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Knowledge {
    /// Messages by id.
    pub messages: BTreeMap<i32, Seen>,
    /// Incoming messages were read up to here.
    pub read_inbox: BTreeMap<Peer, i32>,
    /// Sent messages were read up to here.
    pub read_outbox: BTreeMap<Peer, i32>,
    /// Folder, where it is not 0.
    pub folders: BTreeMap<Peer, i32>,
    /// State without pts.
    pub uncounted: Uncounted,
}

/// State whose changes have no pts; values that nobody set are not in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Uncounted {
    /// Texts not sent yet.
    pub drafts: BTreeMap<Peer, String>,
    /// Conversations marked unread by hand.
    pub marked: BTreeSet<Peer>,
    /// Pinned conversations by folder, in order.
    pub pins: BTreeMap<i32, Vec<Peer>>,
    /// People blocked.
    pub blocked: BTreeSet<UserId>,
    /// Conversations that are muted, until when.
    pub muted: BTreeMap<Peer, i32>,
    /// Rules for who sees when the owner was last seen.
    pub privacy: Vec<enums::PrivacyRule>,
}

/// A wire peer as ours.
#[must_use]
pub fn peer_of(peer: &enums::Peer) -> Peer {
    match peer {
        enums::Peer::PeerUser(p) => Peer::User(UserId(p.user_id)),
        enums::Peer::PeerChat(p) => Peer::Chat(ChatId(p.chat_id)),
        enums::Peer::PeerChannel(p) => Peer::Channel(ChannelId(p.channel_id)),
    }
}

fn dialog_peer(peer: &enums::DialogPeer) -> Option<Peer> {
    match peer {
        enums::DialogPeer::DialogPeer(p) => Some(peer_of(&p.peer)),
        _ => None,
    }
}

fn reply_id(header: Option<&enums::MessageReplyHeader>) -> Option<i32> {
    match header? {
        enums::MessageReplyHeader::MessageReplyHeader(h) => h.reply_to_msg_id,
        _ => None,
    }
}

/// A message as it is compared.
#[must_use]
pub fn seen(message: &enums::Message) -> Option<(i32, Seen)> {
    match message {
        enums::Message::Message(m) => Some((
            m.id,
            Seen {
                peer: peer_of(&m.peer_id),
                text: m.message.clone(),
                out: m.out,
                edited: m.edit_date,
                pinned: m.pinned,
                reply: reply_id(m.reply_to.as_ref()),
            },
        )),
        enums::Message::MessageService(m) => Some((
            m.id,
            Seen {
                peer: peer_of(&m.peer_id),
                text: format!("{:?}", m.action),
                out: m.out,
                edited: None,
                pinned: false,
                reply: reply_id(m.reply_to.as_ref()),
            },
        )),
        enums::Message::MessageEmpty(_) => None,
    }
}

/// Pts and count of an update, if it has them.
#[must_use]
pub fn pts_of(update: &enums::Update) -> Option<(i32, i32)> {
    use enums::Update as U;
    match update {
        U::UpdateNewMessage(u) => Some((u.pts, u.pts_count)),
        U::UpdateEditMessage(u) => Some((u.pts, u.pts_count)),
        U::UpdateDeleteMessages(u) => Some((u.pts, u.pts_count)),
        U::UpdateReadHistoryInbox(u) => Some((u.pts, u.pts_count)),
        U::UpdateReadHistoryOutbox(u) => Some((u.pts, u.pts_count)),
        U::UpdateReadMessagesContents(u) => Some((u.pts, u.pts_count)),
        U::UpdatePinnedMessages(u) => Some((u.pts, u.pts_count)),
        U::UpdateFolderPeers(u) => Some((u.pts, u.pts_count)),
        _ => None,
    }
}

impl Knowledge {
    /// Unread messages of a conversation, as clients count them.
    #[must_use]
    pub fn unread(&self, peer: Peer) -> usize {
        let read = self.read_inbox.get(&peer).copied().unwrap_or(0);
        let unread = self.messages.range(read.saturating_add(1)..);
        unread.filter(|(_, m)| m.peer == peer && !m.out).count()
    }

    /// The same without what a list of conversations does not show: marks of those that are empty.
    #[must_use]
    pub fn listed(mut self) -> Self {
        let mut listed: BTreeSet<Peer> = self.messages.values().map(|m| m.peer).collect();
        listed.extend(self.uncounted.drafts.keys());
        self.read_inbox.retain(|peer, _| listed.contains(peer));
        self.read_outbox.retain(|peer, _| listed.contains(peer));
        self.folders.retain(|peer, _| listed.contains(peer));
        self.uncounted.muted.retain(|peer, _| listed.contains(peer));
        self.uncounted.marked.retain(|peer| listed.contains(peer));
        self
    }

    /// The newest version of a message.
    ///
    /// # Panics
    /// When the version known was edited later (UP-23).
    pub fn put(&mut self, message: &enums::Message) {
        let Some((id, new)) = seen(message) else { return };
        if let Some(old) = self.messages.get(&id) {
            assert!(
                new.edited >= old.edited,
                "UP-23: the edit date of {id} fell: {old:?}, then {new:?}"
            );
        }
        self.messages.insert(id, new);
    }

    /// What an update changes.
    pub fn change(&mut self, update: enums::Update) {
        use enums::Update as U;
        match update {
            U::UpdateNewMessage(u) => self.put(&u.message),
            U::UpdateEditMessage(u) => self.put(&u.message),
            U::UpdateDeleteMessages(u) => u.messages.iter().for_each(|id| drop(self.messages.remove(id))),
            U::UpdateReadHistoryInbox(u) => raise(&mut self.read_inbox, peer_of(&u.peer), u.max_id),
            U::UpdateReadHistoryOutbox(u) => raise(&mut self.read_outbox, peer_of(&u.peer), u.max_id),
            U::UpdatePinnedMessages(u) => self.pin(&u),
            U::UpdateFolderPeers(u) => u.folder_peers.iter().for_each(|moved| self.file(moved)),
            other => self.uncounted.change(other),
        }
    }

    fn pin(&mut self, u: &types::UpdatePinnedMessages) {
        for id in &u.messages {
            if let Some(message) = self.messages.get_mut(id) {
                message.pinned = u.pinned;
            }
        }
    }

    /// A conversation moves to another folder; it is not pinned there.
    fn file(&mut self, enums::FolderPeer::FolderPeer(moved): &enums::FolderPeer) {
        let peer = peer_of(&moved.peer);
        self.uncounted.unpin(peer);
        match moved.folder_id {
            0 => drop(self.folders.remove(&peer)),
            folder => drop(self.folders.insert(peer, folder)),
        }
    }

    /// What a list of conversations says of one.
    pub fn take_dialog(&mut self, dialog: &types::Dialog) {
        let peer = peer_of(&dialog.peer);
        raise(&mut self.read_inbox, peer, dialog.read_inbox_max_id);
        raise(&mut self.read_outbox, peer, dialog.read_outbox_max_id);
        let folder = dialog.folder_id.unwrap_or(0);
        match folder {
            0 => drop(self.folders.remove(&peer)),
            folder => drop(self.folders.insert(peer, folder)),
        }
        let uncounted = &mut self.uncounted;
        uncounted.draft(peer, dialog.draft.as_ref());
        uncounted.mark(peer, dialog.unread_mark);
        uncounted.mute(peer, &dialog.notify_settings);
        let pins = uncounted.pins.entry(folder).or_default();
        if dialog.pinned && !pins.contains(&peer) {
            pins.push(peer);
        }
        uncounted.pins.retain(|_, pins| !pins.is_empty());
    }
}

impl Uncounted {
    fn change(&mut self, update: enums::Update) {
        use enums::Update as U;
        match update {
            U::UpdateDraftMessage(u) => self.draft(peer_of(&u.peer), Some(&u.draft)),
            U::UpdateDialogUnreadMark(u) => {
                if let Some(peer) = dialog_peer(&u.peer) {
                    self.mark(peer, u.unread);
                }
            }
            U::UpdateDialogPinned(u) => {
                if let Some(peer) = dialog_peer(&u.peer) {
                    self.pin(peer, u.folder_id.unwrap_or(0), u.pinned);
                }
            }
            U::UpdatePinnedDialogs(u) => {
                let order = u.order.unwrap_or_default();
                let order = order.iter().filter_map(dialog_peer).collect();
                self.order(u.folder_id.unwrap_or(0), order);
            }
            U::UpdatePeerBlocked(u) => {
                if let Peer::User(user) = peer_of(&u.peer_id) {
                    self.block(user, u.blocked);
                }
            }
            U::UpdateNotifySettings(u) => {
                if let enums::NotifyPeer::NotifyPeer(p) = u.peer {
                    self.mute(peer_of(&p.peer), &u.notify_settings);
                }
            }
            U::UpdatePrivacy(u) if u.key == enums::PrivacyKey::PrivacyKeyStatusTimestamp => {
                self.privacy(u.rules);
            }
            _ => {}
        }
    }

    /// A draft, or none.
    pub fn draft(&mut self, peer: Peer, draft: Option<&enums::DraftMessage>) {
        match draft {
            Some(enums::DraftMessage::DraftMessage(d)) => drop(self.drafts.insert(peer, d.message.clone())),
            _ => drop(self.drafts.remove(&peer)),
        }
    }

    /// Marked unread, or not.
    pub fn mark(&mut self, peer: Peer, unread: bool) {
        match unread {
            true => self.marked.insert(peer),
            false => self.marked.remove(&peer),
        };
    }

    /// Pinned on top, or not; what is pinned stays in its place.
    fn pin(&mut self, peer: Peer, folder: i32, pinned: bool) {
        let mut order = self.pins.remove(&folder).unwrap_or_default();
        match pinned {
            true if !order.contains(&peer) => order.insert(0, peer),
            true => {}
            false => order.retain(|p| *p != peer),
        }
        self.order(folder, order);
    }

    fn unpin(&mut self, peer: Peer) {
        self.pins
            .values_mut()
            .for_each(|order| order.retain(|p| *p != peer));
        self.pins.retain(|_, order| !order.is_empty());
    }

    /// All pinned conversations of a folder.
    pub fn order(&mut self, folder: i32, order: Vec<Peer>) {
        match order.is_empty() {
            true => drop(self.pins.remove(&folder)),
            false => drop(self.pins.insert(folder, order)),
        }
    }

    /// Blocked, or not.
    pub fn block(&mut self, user: UserId, blocked: bool) {
        match blocked {
            true => self.blocked.insert(user),
            false => self.blocked.remove(&user),
        };
    }

    /// Muted until some time, or not.
    pub fn mute(&mut self, peer: Peer, settings: &enums::PeerNotifySettings) {
        let enums::PeerNotifySettings::PeerNotifySettings(settings) = settings;
        match settings.mute_until {
            None | Some(0) => drop(self.muted.remove(&peer)),
            Some(until) => drop(self.muted.insert(peer, until)),
        }
    }

    /// Rules of last seen; those that hold without any are as good as none.
    pub fn privacy(&mut self, rules: Vec<enums::PrivacyRule>) {
        self.privacy = match rules[..] {
            [enums::PrivacyRule::PrivacyValueAllowAll] => Vec::new(),
            _ => rules,
        };
    }
}

/// Read marks never fall (UP-21); 0 is none.
fn raise(marks: &mut BTreeMap<Peer, i32>, peer: Peer, to: i32) {
    if to > 0 {
        let mark = marks.entry(peer).or_default();
        *mark = to.max(*mark);
    }
}
