//! A channel with people in it, for the tests of its methods.

use havre_api::error::RpcError;
use havre_sim::town::{Client, Town};
use havre_tl::{enums, functions, types};

/// Alice made a channel and took Bob and Carol in; Dan is outside. Nobody has pushes waiting.
pub struct Room {
    pub town: Town,
    pub alice: Client,
    pub bob: Client,
    pub carol: Client,
    pub dan: Client,
    pub id: i64,
}

pub fn supergroup(seed: u64) -> Room {
    room(seed, true)
}

pub fn broadcast(seed: u64) -> Room {
    room(seed, false)
}

fn room(seed: u64, megagroup: bool) -> Room {
    let town = Town::new(seed);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let carol = town.person("79990000003", "Carol");
    let dan = town.person("79990000004", "Dan");
    let created = alice.call(create(megagroup, "Harbour")).unwrap();
    let id = channel_named(&created).id;
    let room = Room {
        town,
        alice,
        bob,
        carol,
        dan,
        id,
    };
    room.invite(&room.alice, &[&room.bob, &room.carol]).unwrap();
    room.forget_pushes();
    room
}

pub fn create(megagroup: bool, title: &str) -> functions::channels::CreateChannel {
    functions::channels::CreateChannel {
        megagroup,
        broadcast: !megagroup,
        title: title.into(),
        about: "Ships".into(),
        ..Default::default()
    }
}

impl Room {
    pub fn everybody(&self) -> [&Client; 4] {
        [&self.alice, &self.bob, &self.carol, &self.dan]
    }

    pub fn forget_pushes(&self) {
        for person in self.everybody() {
            drop(person.pushed());
        }
    }

    /// What was pushed to somebody since the last look: one thing.
    pub fn one_push(&self, to: &Client) -> types::Updates {
        let mut pushed = to.pushed();
        assert_eq!(pushed.len(), 1, "{pushed:?}");
        all(pushed.remove(0))
    }

    fn hash(&self, who: &Client) -> i64 {
        self.town
            .api()
            .world()
            .secret
            .channel_hash(who.user(), havre_domain::ids::ChannelId(self.id))
    }

    pub fn input(&self, who: &Client) -> enums::InputChannel {
        let (channel_id, access_hash) = (self.id, self.hash(who));
        types::InputChannel {
            channel_id,
            access_hash,
        }
        .into()
    }

    pub fn peer(&self, who: &Client) -> enums::InputPeer {
        let (channel_id, access_hash) = (self.id, self.hash(who));
        types::InputPeerChannel {
            channel_id,
            access_hash,
        }
        .into()
    }

    pub fn say(&self, who: &Client, text: &str) -> Result<types::Updates, RpcError> {
        self.send(who, text, random_id(text))
    }

    pub fn send(&self, who: &Client, text: &str, random_id: i64) -> Result<types::Updates, RpcError> {
        let sent = who.call(functions::messages::SendMessage {
            peer: self.peer(who),
            message: text.into(),
            random_id,
            ..Default::default()
        })?;
        Ok(all(sent))
    }

    pub fn invite(&self, by: &Client, whom: &[&Client]) -> Result<types::messages::InvitedUsers, RpcError> {
        let users = whom.iter().map(|who| by.input_user_of(who)).collect();
        let channel = self.input(by);
        let enums::messages::InvitedUsers::InvitedUsers(invited) =
            by.call(functions::channels::InviteToChannel { channel, users })?;
        Ok(invited)
    }

    pub fn join(&self, who: &Client) -> Result<types::Updates, RpcError> {
        let channel = self.input(who);
        match who.call(functions::channels::JoinChannel { channel })? {
            enums::messages::ChatInviteJoinResult::ChatInviteJoinResultOk(ok) => Ok(all(ok.updates)),
            other => panic!("joined at once: {other:?}"),
        }
    }

    pub fn leave(&self, who: &Client) -> Result<types::Updates, RpcError> {
        let channel = self.input(who);
        who.call(functions::channels::LeaveChannel { channel }).map(all)
    }

    pub fn restrict(
        &self,
        by: &Client,
        whom: &Client,
        banned: types::ChatBannedRights,
    ) -> Result<types::Updates, RpcError> {
        by.call(functions::channels::EditBanned {
            channel: self.input(by),
            participant: by.input_peer_of(whom),
            banned_rights: banned.into(),
        })
        .map(all)
    }

    pub fn kick(&self, by: &Client, whom: &Client) -> Result<types::Updates, RpcError> {
        let banned = types::ChatBannedRights {
            view_messages: true,
            ..Default::default()
        };
        self.restrict(by, whom, banned)
    }

    pub fn appoint(
        &self,
        by: &Client,
        whom: &Client,
        rights: types::ChatAdminRights,
    ) -> Result<types::Updates, RpcError> {
        by.call(functions::channels::EditAdmin {
            channel: self.input(by),
            user_id: by.input_user_of(whom),
            admin_rights: rights.into(),
            rank: None,
        })
        .map(all)
    }

    pub fn publish(&self, username: &str) {
        let done = self.alice.call(functions::channels::UpdateUsername {
            channel: self.input(&self.alice),
            username: username.into(),
        });
        assert_eq!(done, Ok(true));
    }

    pub fn seen_by(&self, who: &Client) -> enums::Chat {
        let id = vec![self.input(who)];
        let chats = who.call(functions::channels::GetChannels { id }).unwrap();
        let enums::messages::Chats::Chats(mut chats) = chats else {
            panic!("not a slice");
        };
        chats.chats.pop().unwrap()
    }

    pub fn full(&self, who: &Client) -> Result<types::ChannelFull, RpcError> {
        let channel = self.input(who);
        let enums::messages::ChatFull::ChatFull(full) =
            who.call(functions::channels::GetFullChannel { channel })?;
        match full.full_chat {
            enums::ChatFull::ChannelFull(full) => Ok(full),
            other => panic!("a channel: {other:?}"),
        }
    }

    pub fn history(&self, who: &Client) -> Result<types::messages::ChannelMessages, RpcError> {
        let history = who.call(functions::messages::GetHistory {
            peer: self.peer(who),
            limit: 100,
            ..Default::default()
        })?;
        match history {
            enums::messages::Messages::ChannelMessages(history) => Ok(history),
            other => panic!("of a channel: {other:?}"),
        }
    }

    /// The conversation in somebody's list, if it is there.
    pub fn dialog(&self, who: &Client) -> Option<types::Dialog> {
        let dialogs = who.call(functions::messages::GetDialogs {
            limit: 100,
            ..Default::default()
        });
        let enums::messages::Dialogs::Dialogs(dialogs) = dialogs.unwrap() else {
            panic!("all at once");
        };
        let peer = types::PeerChannel { channel_id: self.id };
        dialogs.dialogs.into_iter().find_map(|dialog| match dialog {
            enums::Dialog::Dialog(dialog) if dialog.peer == peer.clone().into() => Some(dialog),
            _ => None,
        })
    }

    pub fn participants(
        &self,
        who: &Client,
        filter: enums::ChannelParticipantsFilter,
    ) -> Result<types::channels::ChannelParticipants, RpcError> {
        let found = who.call(functions::channels::GetParticipants {
            channel: self.input(who),
            filter,
            limit: 100,
            ..Default::default()
        })?;
        match found {
            enums::channels::ChannelParticipants::ChannelParticipants(found) => Ok(found),
            other => panic!("a list: {other:?}"),
        }
    }

    pub fn difference(
        &self,
        who: &Client,
        pts: i32,
        limit: i32,
    ) -> Result<enums::updates::ChannelDifference, RpcError> {
        who.call(functions::updates::GetChannelDifference {
            channel: self.input(who),
            pts,
            limit,
            ..Default::default()
        })
    }
}

/// A random id that a text always has.
fn random_id(text: &str) -> i64 {
    text.bytes()
        .fold(7, |sum, byte| sum * 31 % 1_000_000_007 + i64::from(byte))
}

pub fn all(updates: enums::Updates) -> types::Updates {
    match updates {
        enums::Updates::Updates(updates) => updates,
        other => panic!("complete updates are expected: {other:?}"),
    }
}

/// The one channel that updates name.
pub fn channel_named(updates: &enums::Updates) -> types::Channel {
    match all(updates.clone()).chats.as_slice() {
        [enums::Chat::Channel(channel)] => channel.clone(),
        other => panic!("one channel is expected: {other:?}"),
    }
}

/// The messages that updates bring into channels.
pub fn messages(updates: &[enums::Update]) -> Vec<enums::Message> {
    let message = |update: &enums::Update| match update {
        enums::Update::UpdateNewChannelMessage(new) => Some(new.message.clone()),
        _ => None,
    };
    updates.iter().filter_map(message).collect()
}

/// Texts of the messages that updates bring into channels.
pub fn texts(updates: &[enums::Update]) -> Vec<String> {
    texts_of(&messages(updates))
}

pub fn texts_of(messages: &[enums::Message]) -> Vec<String> {
    let text = |message: &enums::Message| match message {
        enums::Message::Message(m) => Some(m.message.clone()),
        _ => None,
    };
    messages.iter().filter_map(text).collect()
}

/// The actions of the service messages that updates bring into channels.
pub fn actions(updates: &[enums::Update]) -> Vec<enums::MessageAction> {
    let action = |message: enums::Message| match message {
        enums::Message::MessageService(m) => Some(m.action),
        _ => None,
    };
    messages(updates).into_iter().filter_map(action).collect()
}

/// Ids of people, in order.
pub fn ids(people: &[&Client]) -> Vec<i64> {
    let mut ids: Vec<i64> = people.iter().map(|p| p.user().0).collect();
    ids.sort_unstable();
    ids
}

/// Whom participants are, in order of id.
pub fn people_of(participants: &[enums::ChannelParticipant]) -> Vec<i64> {
    use enums::ChannelParticipant as P;
    let id = |participant: &P| match participant {
        P::ChannelParticipant(p) => p.user_id,
        P::ChannelParticipantSelf(p) => p.user_id,
        P::ChannelParticipantCreator(p) => p.user_id,
        P::ChannelParticipantAdmin(p) => p.user_id,
        P::ChannelParticipantBanned(types::ChannelParticipantBanned {
            peer: enums::Peer::PeerUser(p),
            ..
        }) => p.user_id,
        other => panic!("a person: {other:?}"),
    };
    let mut ids: Vec<i64> = participants.iter().map(id).collect();
    ids.sort_unstable();
    ids
}
