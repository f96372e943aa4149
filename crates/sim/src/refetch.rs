//! Starting again from the conversations, as clients do that were away for too long (UP-11): lists of both
//! folders and histories, page by page, and the settings that have lists of their own.

use std::collections::{BTreeMap, BTreeSet};

use havre_api::error::RpcError;
use havre_domain::ids::{ChatId, Peer, UserId};
use havre_tl::{enums, functions, types};

use crate::knowledge::{Knowledge, peer_of};
use crate::replica::Replica;

/// Folders of the list of conversations.
const FOLDERS: [i32; 2] = [0, 1];
/// More than there are conversations in a schedule.
const ALL: i32 = 100;

/// Whom a client has met, and how it names them.
#[derive(Debug, Default)]
pub(crate) struct Book {
    peers: BTreeMap<Peer, enums::InputPeer>,
    /// Conversations whose place in the list it knows.
    listed: BTreeSet<Peer>,
}

impl Book {
    /// Notes everybody that an answer or push names.
    pub fn meet(&mut self, users: &[enums::User], chats: &[enums::Chat]) {
        for user in users {
            if let enums::User::User(types::User {
                id,
                access_hash: Some(access_hash),
                ..
            }) = *user
            {
                let input = types::InputPeerUser {
                    user_id: id,
                    access_hash,
                };
                self.peers.insert(Peer::User(UserId(id)), input.into());
            }
        }
        for chat in chats {
            let (enums::Chat::Chat(types::Chat { id: chat_id, .. })
            | enums::Chat::ChatForbidden(types::ChatForbidden { id: chat_id, .. })) = *chat
            else {
                continue;
            };
            let input = types::InputPeerChat { chat_id };
            self.peers.insert(Peer::Chat(ChatId(chat_id)), input.into());
        }
    }

    fn input(&self, peer: Peer) -> enums::InputPeer {
        let known = self.peers.get(&peer).cloned();
        known.unwrap_or_else(|| panic!("UP-18: {peer:?} was never introduced"))
    }
}

/// A page of the list of conversations.
struct Page {
    dialogs: Vec<types::Dialog>,
    messages: Vec<enums::Message>,
}

impl Replica {
    /// What lists and histories show.
    ///
    /// # Errors
    /// What the server answers.
    pub fn refetch(&mut self) -> Result<Knowledge, RpcError> {
        let mut knows = Knowledge::default();
        self.book.listed.clear();
        for folder in FOLDERS {
            let mut dialogs = self.pinned(folder)?;
            dialogs.extend(self.unpinned(folder)?);
            for dialog in dialogs {
                knows.take_dialog(&dialog);
                let peer = peer_of(&dialog.peer);
                self.book.listed.insert(peer);
                self.history(peer, &mut knows)?;
                let unread = i32::try_from(knows.unread(peer));
                assert_eq!(unread, Ok(dialog.unread_count), "UP-21: unread in {peer:?}");
                let top = knows.messages.iter().rfind(|(_, m)| m.peer == peer);
                assert_eq!(
                    top.map_or(0, |(id, _)| *id),
                    dialog.top_message,
                    "top of {peer:?}"
                );
            }
        }
        self.settings(&mut knows)?;
        Ok(knows)
    }

    fn pinned(&mut self, folder_id: i32) -> Result<Vec<types::Dialog>, RpcError> {
        let answer = self
            .client
            .call(functions::messages::GetPinnedDialogs { folder_id })?;
        let enums::messages::PeerDialogs::PeerDialogs(answer) = answer;
        self.book.meet(&answer.users, &answer.chats);
        Ok(answer.dialogs.into_iter().filter_map(plain).collect())
    }

    fn unpinned(&mut self, folder: i32) -> Result<Vec<types::Dialog>, RpcError> {
        let mut request = functions::messages::GetDialogs {
            exclude_pinned: true,
            folder_id: Some(folder),
            limit: self.habits.page,
            ..Default::default()
        };
        let mut listed: Vec<types::Dialog> = Vec::new();
        loop {
            let page = self.page_of_dialogs(&request)?;
            let new: Vec<_> = page.dialogs.iter().filter(|d| !listed.contains(d)).collect();
            if new.is_empty() {
                return Ok(listed);
            }
            let last = new.last().and_then(|d| place(d, &page.messages));
            listed.extend(new.into_iter().cloned());
            match last {
                Some((date, id, peer)) => {
                    (request.offset_date, request.offset_id) = (date, id);
                    request.offset_peer = self.book.input(peer);
                }
                // Conversations without messages stand at the end and have no place to go on from.
                None => request.limit = ALL,
            }
        }
    }

    fn page_of_dialogs(&mut self, request: &functions::messages::GetDialogs) -> Result<Page, RpcError> {
        let (dialogs, messages, users, chats) = match self.client.call(request.clone())? {
            enums::messages::Dialogs::Dialogs(d) => (d.dialogs, d.messages, d.users, d.chats),
            enums::messages::Dialogs::DialogsSlice(d) => (d.dialogs, d.messages, d.users, d.chats),
            other => panic!("no hash was given: {other:?}"),
        };
        self.book.meet(&users, &chats);
        let dialogs = dialogs.into_iter().filter_map(plain).collect();
        Ok(Page { dialogs, messages })
    }

    fn history(&mut self, peer: Peer, knows: &mut Knowledge) -> Result<(), RpcError> {
        let mut request = functions::messages::GetHistory {
            peer: self.book.input(peer),
            limit: self.habits.page,
            ..Default::default()
        };
        loop {
            let (messages, users, chats) = match self.client.call(request.clone())? {
                enums::messages::Messages::Messages(m) => (m.messages, m.users, m.chats),
                enums::messages::Messages::MessagesSlice(m) => (m.messages, m.users, m.chats),
                other => panic!("a history is not {other:?}"),
            };
            self.book.meet(&users, &chats);
            let Some(oldest) = messages.last().and_then(crate::knowledge::seen) else {
                return Ok(());
            };
            messages.iter().for_each(|message| knows.put(message));
            request.offset_id = oldest.0;
        }
    }

    fn settings(&mut self, knows: &mut Knowledge) -> Result<(), RpcError> {
        let blocked = functions::contacts::GetBlocked {
            limit: ALL,
            ..Default::default()
        };
        let blocked = match self.client.call(blocked)? {
            enums::contacts::Blocked::Blocked(b) => b.blocked,
            enums::contacts::Blocked::BlockedSlice(b) => b.blocked,
        };
        for enums::PeerBlocked::PeerBlocked(one) in blocked {
            if let Peer::User(user) = peer_of(&one.peer_id) {
                knows.uncounted.block(user, true);
            }
        }
        let key = enums::InputPrivacyKey::InputPrivacyKeyStatusTimestamp;
        let rules = self.client.call(functions::account::GetPrivacy { key })?;
        let enums::account::PrivacyRules::PrivacyRules(rules) = rules;
        knows.uncounted.privacy(rules.rules);
        Ok(())
    }

    /// A client that started again asks for conversations that it did not find then.
    pub(crate) fn fetch_unknown(&mut self) {
        if !self.refetched {
            return;
        }
        let peers: BTreeSet<Peer> = self.knows.messages.values().map(|m| m.peer).collect();
        let drafts = self.knows.uncounted.drafts.keys().copied();
        let met: Vec<Peer> = drafts.chain(peers).collect();
        for peer in met {
            if !self.book.listed.contains(&peer) && self.fetch_dialog(peer).is_ok() {
                self.book.listed.insert(peer);
            }
        }
    }

    fn fetch_dialog(&mut self, peer: Peer) -> Result<(), RpcError> {
        let peer = self.book.input(peer);
        let request = functions::messages::GetPeerDialogs {
            peers: vec![types::InputDialogPeer { peer }.into()],
        };
        let enums::messages::PeerDialogs::PeerDialogs(answer) = self.client.call(request)?;
        for dialog in answer.dialogs.into_iter().filter_map(plain) {
            self.knows.take_dialog(&dialog);
            if dialog.pinned {
                let folder = dialog.folder_id.unwrap_or(0);
                let order = self.pinned(folder)?;
                let order = order.iter().map(|d| peer_of(&d.peer)).collect();
                self.knows.uncounted.order(folder, order);
            }
        }
        Ok(())
    }
}

fn plain(dialog: enums::Dialog) -> Option<types::Dialog> {
    match dialog {
        enums::Dialog::Dialog(dialog) => Some(dialog),
        _ => None,
    }
}

/// The place of a conversation in the list: that of its newest message.
fn place(dialog: &types::Dialog, messages: &[enums::Message]) -> Option<(i32, i32, Peer)> {
    let peer = peer_of(&dialog.peer);
    messages.iter().find_map(|message| {
        let (id, date, of) = match message {
            enums::Message::Message(m) => (m.id, m.date, &m.peer_id),
            enums::Message::MessageService(m) => (m.id, m.date, &m.peer_id),
            enums::Message::MessageEmpty(_) => return None,
        };
        (id == dialog.top_message && peer_of(of) == peer).then_some((date, id, peer))
    })
}
