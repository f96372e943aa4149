//! What a client library does with updates (core.telegram.org/api/updates), and what it ends up knowing.
//!
//! The one property that matters most (UP-5): whatever was dropped, doubled or reordered on the way, in the
//! end every client knows what the server holds.

use std::collections::BTreeMap;

use havre_api::error::RpcError;
use havre_domain::ids::Peer;
use havre_tl::{enums, functions, types};

use crate::town::Client;

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

/// Everything that updates tell of a box.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Knowledge {
    /// Messages by id.
    pub messages: BTreeMap<i32, Seen>,
    /// Incoming messages were read up to here.
    pub read_inbox: BTreeMap<Peer, i32>,
    /// Sent messages were read up to here.
    pub read_outbox: BTreeMap<Peer, i32>,
    /// Folder, where it is not 0.
    pub folders: BTreeMap<Peer, i32>,
}

/// A client with its copy of the box.
pub struct Replica {
    /// The connection.
    pub client: Client,
    /// What it knows.
    pub knows: Knowledge,
    pts: i32,
    date: i32,
    /// Every (pts, count) that moved this replica, for UP-1 and UP-2.
    pub moves: Vec<(i32, i32)>,
    /// Slices of a difference hold at most this many events.
    pub slice: Option<i32>,
}

/// A wire peer as ours.
#[must_use]
pub fn peer_of(peer: &enums::Peer) -> Peer {
    match peer {
        enums::Peer::PeerUser(p) => Peer::User(havre_domain::ids::UserId(p.user_id)),
        enums::Peer::PeerChat(p) => Peer::Chat(havre_domain::ids::ChatId(p.chat_id)),
        enums::Peer::PeerChannel(p) => Peer::Chat(havre_domain::ids::ChatId(p.channel_id)),
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

impl Replica {
    /// A client that knows nothing yet and starts from the state that it is at.
    ///
    /// # Panics
    /// When the client is not logged in.
    #[must_use]
    pub fn new(client: Client) -> Self {
        let mut replica = Self::from_the_start(client);
        // A new login starts at the current state (UP-28); what came before it learns like any client
        // that was away since then.
        replica.difference();
        replica
    }

    /// A client that was away since its box was made.
    #[must_use]
    pub fn from_the_start(client: Client) -> Self {
        Self {
            client,
            knows: Knowledge::default(),
            pts: 0,
            date: 0,
            moves: Vec::new(),
            slice: None,
        }
    }

    /// Calls a method that answers with `Updates` and applies them.
    ///
    /// # Errors
    /// What the server answers.
    pub fn act<F>(&mut self, request: F) -> Result<(), RpcError>
    where
        F: havre_tl::RemoteCall<Return = enums::Updates>,
    {
        let updates = self.client.call(request)?;
        self.apply(updates);
        Ok(())
    }

    /// Takes an `affectedMessages`: what the client itself changed.
    pub fn affected(&mut self, (pts, count): (i32, i32), change: impl FnOnce(&mut Knowledge)) {
        if count == 0 {
            assert!(pts >= self.pts, "UP-2: pts fell from {} to {pts}", self.pts);
        }
        if self.pts + count == pts {
            change(&mut self.knows);
            self.moved(pts, count);
        } else if self.pts + count < pts {
            self.difference();
        }
    }

    fn moved(&mut self, pts: i32, count: i32) {
        self.pts = pts;
        if count > 0 {
            self.moves.push((pts, count));
        }
    }

    /// Applies pushed or answered updates.
    pub fn apply(&mut self, updates: enums::Updates) {
        match updates {
            enums::Updates::Updates(u) => {
                check_closure(&u);
                u.updates.into_iter().for_each(|update| self.one(update));
            }
            enums::Updates::UpdateShort(u) => self.one(u.update),
            enums::Updates::UpdatesTooLong => self.difference(),
            other => panic!("the server does not say {other:?}"),
        }
    }

    fn one(&mut self, update: enums::Update) {
        let Some((pts, count)) = pts_of(&update) else {
            return;
        };
        if self.pts + count == pts {
            change(&mut self.knows, update);
            self.moved(pts, count);
        } else if self.pts + count < pts {
            self.difference();
        }
    }

    /// Catches up.
    ///
    /// # Panics
    /// When a difference breaks a rule.
    pub fn difference(&mut self) {
        // Every slice moves pts (UP-8), so there are no more slices than events.
        for _ in 0..10_000 {
            let request = functions::updates::GetDifference {
                pts: self.pts,
                date: self.date,
                pts_limit: self.slice,
                ..Default::default()
            };
            // A server in trouble is asked again later.
            let Ok(difference) = self.client.call(request) else {
                return;
            };
            match difference {
                enums::updates::Difference::DifferenceEmpty(d) => {
                    self.date = d.date;
                    return;
                }
                enums::updates::Difference::Difference(d) => {
                    self.take(d.new_messages, d.other_updates);
                    return self.arrive(&d.state);
                }
                enums::updates::Difference::DifferenceSlice(d) => {
                    let before = self.pts;
                    self.take(d.new_messages, d.other_updates);
                    self.arrive(&d.intermediate_state);
                    assert!(self.pts > before, "UP-8: a slice stayed at pts {before}");
                }
                enums::updates::Difference::DifferenceTooLong(_) => panic!("no total limit was given"),
            }
        }
        panic!("UP-8: slices without end");
    }

    fn take(&mut self, messages: Vec<enums::Message>, updates: Vec<enums::Update>) {
        for (id, message) in messages.iter().filter_map(seen) {
            self.knows.messages.insert(id, message);
        }
        updates
            .into_iter()
            .for_each(|update| change(&mut self.knows, update));
    }

    fn arrive(&mut self, state: &enums::updates::State) {
        let enums::updates::State::State(types::updates::State { pts, date, .. }) = state;
        assert!(*pts >= self.pts, "UP-2: pts fell from {} to {pts}", self.pts);
        self.moves.push((*pts, *pts - self.pts));
        self.pts = *pts;
        self.date = *date;
    }

    /// Where it is.
    #[must_use]
    pub fn pts(&self) -> i32 {
        self.pts
    }
}

/// Everybody named by a message is among users and chats (UP-18).
fn check_closure(u: &types::Updates) {
    let users: Vec<i64> = u.users.iter().map(user_id).collect();
    let chats: Vec<i64> = u.chats.iter().map(chat_id).collect();
    for update in &u.updates {
        let (enums::Update::UpdateNewMessage(types::UpdateNewMessage { message, .. })
        | enums::Update::UpdateEditMessage(types::UpdateEditMessage { message, .. })) = update
        else {
            continue;
        };
        if let Some((_, seen)) = seen(message) {
            match seen.peer {
                Peer::User(user) => assert!(users.contains(&user.0), "UP-18: {user:?} is not in users"),
                Peer::Chat(chat) => assert!(chats.contains(&chat.0), "UP-18: {chat:?} is not in chats"),
            }
        }
    }
}

fn user_id(user: &enums::User) -> i64 {
    match user {
        enums::User::User(u) => u.id,
        enums::User::UserEmpty(u) => u.id,
    }
}

fn chat_id(chat: &enums::Chat) -> i64 {
    match chat {
        enums::Chat::Chat(c) => c.id,
        enums::Chat::ChatEmpty(c) => c.id,
        enums::Chat::ChatForbidden(c) => c.id,
        _ => 0,
    }
}

fn pts_of(update: &enums::Update) -> Option<(i32, i32)> {
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

fn change(knows: &mut Knowledge, update: enums::Update) {
    use enums::Update as U;
    match update {
        U::UpdateNewMessage(u) => knows.messages.extend(seen(&u.message)),
        U::UpdateEditMessage(u) => knows.messages.extend(seen(&u.message)),
        U::UpdateDeleteMessages(u) => u.messages.iter().for_each(|id| drop(knows.messages.remove(id))),
        U::UpdateReadHistoryInbox(u) => raise(&mut knows.read_inbox, peer_of(&u.peer), u.max_id),
        U::UpdateReadHistoryOutbox(u) => raise(&mut knows.read_outbox, peer_of(&u.peer), u.max_id),
        U::UpdatePinnedMessages(u) => {
            for id in u.messages {
                if let Some(message) = knows.messages.get_mut(&id) {
                    message.pinned = u.pinned;
                }
            }
        }
        U::UpdateFolderPeers(u) => {
            for enums::FolderPeer::FolderPeer(f) in u.folder_peers {
                match f.folder_id {
                    0 => drop(knows.folders.remove(&peer_of(&f.peer))),
                    folder => drop(knows.folders.insert(peer_of(&f.peer), folder)),
                }
            }
        }
        _ => {}
    }
}

/// Read marks never fall (UP-21).
fn raise(marks: &mut BTreeMap<Peer, i32>, peer: Peer, to: i32) {
    let mark = marks.entry(peer).or_default();
    *mark = to.max(*mark);
}
