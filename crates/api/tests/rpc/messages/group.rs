//! A basic group with people in it, for the tests of its methods.

use havre_api::error::RpcError;
use havre_sim::town::{Client, Town};
use havre_tl::{enums, functions, types};

/// Alice made a group with Bob and Carol; Dan is outside. Nobody has pushes waiting.
pub struct Group {
    pub town: Town,
    pub alice: Client,
    pub bob: Client,
    pub carol: Client,
    pub dan: Client,
    pub id: i64,
}

pub fn group(seed: u64) -> Group {
    let town = Town::new(seed);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let carol = town.person("79990000003", "Carol");
    let dan = town.person("79990000004", "Dan");
    let created = alice.call(functions::messages::CreateChat {
        users: vec![alice.input_user_of(&bob), alice.input_user_of(&carol)],
        title: "Harbour".into(),
        ttl_period: None,
    });
    let enums::messages::InvitedUsers::InvitedUsers(invited) = created.expect("a group is made");
    let id = chat_named(&invited.updates);
    for person in [&alice, &bob, &carol, &dan] {
        drop(person.pushed());
    }
    Group {
        town,
        alice,
        bob,
        carol,
        dan,
        id,
    }
}

impl Group {
    pub fn peer(&self) -> enums::InputPeer {
        types::InputPeerChat { chat_id: self.id }.into()
    }

    pub fn add(&self, by: &Client, whom: &Client) -> Result<types::messages::InvitedUsers, RpcError> {
        let enums::messages::InvitedUsers::InvitedUsers(invited) =
            by.call(functions::messages::AddChatUser {
                chat_id: self.id,
                user_id: by.input_user_of(whom),
                fwd_limit: 10,
            })?;
        Ok(invited)
    }

    pub fn remove(&self, by: &Client, whom: &Client) -> Result<enums::Updates, RpcError> {
        by.call(functions::messages::DeleteChatUser {
            revoke_history: false,
            chat_id: self.id,
            user_id: by.input_user_of(whom),
        })
    }

    pub fn appoint(&self, by: &Client, whom: &Client, is_admin: bool) -> Result<bool, RpcError> {
        by.call(functions::messages::EditChatAdmin {
            chat_id: self.id,
            user_id: by.input_user_of(whom),
            is_admin,
        })
    }

    pub fn ban(&self, banned: types::ChatBannedRights) {
        let done = self.alice.call(functions::messages::EditChatDefaultBannedRights {
            peer: self.peer(),
            banned_rights: banned.into(),
        });
        done.expect("the creator may");
    }

    pub fn seen_by(&self, who: &Client) -> enums::Chat {
        let chats = who.call(functions::messages::GetChats { id: vec![self.id] });
        let enums::messages::Chats::Chats(mut chats) = chats.expect("chats are told") else {
            panic!("not a slice");
        };
        chats.chats.pop().expect("one was asked for")
    }

    pub fn chat(&self, who: &Client) -> types::Chat {
        match self.seen_by(who) {
            enums::Chat::Chat(chat) => chat,
            other => panic!("not in it: {other:?}"),
        }
    }

    pub fn full(&self, who: &Client) -> types::ChatFull {
        let full = who.call(functions::messages::GetFullChat { chat_id: self.id });
        let enums::messages::ChatFull::ChatFull(full) = full.expect("a group that is known");
        match full.full_chat {
            enums::ChatFull::ChatFull(full) => full,
            other => panic!("a basic group: {other:?}"),
        }
    }

    pub fn invite(&self, by: &Client) -> Result<types::ChatInviteExported, RpcError> {
        self.invite_with(by, functions::messages::ExportChatInvite::default())
    }

    pub fn invite_with(
        &self,
        by: &Client,
        request: functions::messages::ExportChatInvite,
    ) -> Result<types::ChatInviteExported, RpcError> {
        let peer = self.peer();
        by.call(functions::messages::ExportChatInvite { peer, ..request })
            .map(exported)
    }
}

pub fn exported(invite: enums::ExportedChatInvite) -> types::ChatInviteExported {
    match invite {
        enums::ExportedChatInvite::ChatInviteExported(invite) => invite,
        enums::ExportedChatInvite::ChatInvitePublicJoinRequests => panic!("a link"),
    }
}

pub fn join(who: &Client, link: &str) -> Result<enums::messages::ChatInviteJoinResult, RpcError> {
    who.call(functions::messages::ImportChatInvite {
        hash: hash(link).into(),
    })
}

/// What a client sends of a link.
pub fn hash(link: &str) -> &str {
    link.rsplit('+').next().unwrap_or(link)
}

pub fn updates(updates: &enums::Updates) -> &[enums::Update] {
    match updates {
        enums::Updates::Updates(u) => &u.updates,
        other => panic!("complete updates are expected: {other:?}"),
    }
}

/// The one group that updates name.
pub fn chat_named(updates: &enums::Updates) -> i64 {
    let enums::Updates::Updates(u) = updates else {
        panic!("complete updates are expected");
    };
    match u.chats.as_slice() {
        [enums::Chat::Chat(chat)] => chat.id,
        other => panic!("one group is expected: {other:?}"),
    }
}

/// The actions of the service messages among updates.
pub fn actions(updates: &[enums::Update]) -> Vec<enums::MessageAction> {
    let action = |update: &enums::Update| match update {
        enums::Update::UpdateNewMessage(types::UpdateNewMessage {
            message: enums::Message::MessageService(m),
            ..
        }) => Some(m.action.clone()),
        _ => None,
    };
    updates.iter().filter_map(action).collect()
}

/// Texts of the messages among updates.
pub fn texts(updates: &[enums::Update]) -> Vec<String> {
    let text = |update: &enums::Update| match update {
        enums::Update::UpdateNewMessage(types::UpdateNewMessage {
            message: enums::Message::Message(m),
            ..
        }) => Some(m.message.clone()),
        _ => None,
    };
    updates.iter().filter_map(text).collect()
}

/// The members that the last list of members among updates has.
pub fn members(updates: &[enums::Update]) -> Option<Vec<i64>> {
    let members = |update: &enums::Update| match update {
        enums::Update::UpdateChatParticipants(u) => Some(members_of(&u.participants)),
        _ => None,
    };
    updates.iter().filter_map(members).next_back()
}

/// Ids of members, in order.
pub fn members_of(participants: &enums::ChatParticipants) -> Vec<i64> {
    let enums::ChatParticipants::ChatParticipants(all) = participants else {
        return Vec::new();
    };
    let id = |p: &enums::ChatParticipant| match p {
        enums::ChatParticipant::ChatParticipant(p) => p.user_id,
        enums::ChatParticipant::ChatParticipantAdmin(p) => p.user_id,
        enums::ChatParticipant::ChatParticipantCreator(p) => p.user_id,
    };
    let mut ids: Vec<i64> = all.participants.iter().map(id).collect();
    ids.sort_unstable();
    ids
}

/// Ids of people, in order.
pub fn ids(people: &[&Client]) -> Vec<i64> {
    let mut ids: Vec<i64> = people.iter().map(|p| p.user().0).collect();
    ids.sort_unstable();
    ids
}
