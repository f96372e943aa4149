//! What people do with messages and groups.

use havre_api::error::RpcError;
use havre_domain::ids::ChatId;
use havre_tl::{enums, functions, types};

use super::{PEOPLE, World};
use crate::knowledge::seen;

impl World {
    pub(super) fn send(
        &mut self,
        person: usize,
        device: usize,
        to: usize,
        text: u8,
        reply: bool,
    ) -> Result<(), RpcError> {
        let peer = self.conversation(person, to);
        let known = &self.people[person][device].knows.messages;
        let answered = known
            .iter()
            .rev()
            .find(|(_, m)| m.peer == peer)
            .map(|(id, _)| *id);
        let reply_to = answered.filter(|_| reply).map(|id| {
            types::InputReplyToMessage {
                reply_to_msg_id: id,
                ..Default::default()
            }
            .into()
        });
        let request = functions::messages::SendMessage {
            peer: self.input_peer(person, device, peer),
            reply_to,
            message: format!("text {text}, number {}", self.random_id + 1),
            random_id: self.next_random_id(),
            ..Default::default()
        };
        self.last_send.insert((person, device), (peer, request));
        self.send_again(person, device)
    }

    pub(super) fn send_again(&mut self, person: usize, device: usize) -> Result<(), RpcError> {
        let last = self.last_send.get(&(person, device)).cloned();
        let (peer, request) = last.ok_or(RpcError::MESSAGE_EMPTY)?;
        let sent = (person, peer, request.message.clone());
        let random_id = request.random_id;
        let updates = self.people[person][device].client.call(request)?;
        self.check_own_send(person, &updates, random_id);
        self.replica(person, device).apply(updates);
        if !self.acknowledged.contains(&sent) {
            self.acknowledged.push(sent);
        }
        Ok(())
    }

    pub(super) fn edit(&mut self, person: usize, device: usize, which: usize) -> Result<(), RpcError> {
        let (id, seen) = self.own_message(person, device, which)?;
        let n = self.next_random_id();
        let request = functions::messages::EditMessage {
            peer: self.input_peer(person, device, seen.peer),
            id,
            message: Some(format!("edited {n}")),
            ..Default::default()
        };
        self.replica(person, device).act(request)
    }

    pub(super) fn delete(
        &mut self,
        person: usize,
        device: usize,
        which: usize,
        revoke: bool,
    ) -> Result<(), RpcError> {
        let (id, _) = self.message(person, device, which)?;
        let there = i32::from(self.holds(person, id));
        let replica = self.replica(person, device);
        let request = functions::messages::DeleteMessages { revoke, id: vec![id] };
        let enums::messages::AffectedMessages::AffectedMessages(a) = replica.client.call(request.clone())?;
        assert_eq!(a.pts_count, there, "UP-22: {id} was there {there} times");
        replica.affected((a.pts, a.pts_count), |knows| drop(knows.messages.remove(&id)));
        if let Ok(enums::messages::AffectedMessages::AffectedMessages(again)) = replica.client.call(request) {
            assert_eq!(
                (again.pts, again.pts_count),
                (a.pts, 0),
                "UP-22: {id} was deleted twice"
            );
        }
        Ok(())
    }

    pub(super) fn read(
        &mut self,
        person: usize,
        device: usize,
        to: usize,
        which: usize,
    ) -> Result<(), RpcError> {
        let peer = self.conversation(person, to);
        let max_id = self
            .message(person, device, which)
            .ok()
            .filter(|(_, m)| m.peer == peer)
            .map_or(0, |(id, _)| id);
        let request = functions::messages::ReadHistory {
            peer: self.input_peer(person, device, peer),
            max_id,
        };
        let replica = self.replica(person, device);
        let enums::messages::AffectedMessages::AffectedMessages(a) = replica.client.call(request.clone())?;
        if a.pts_count > 0 {
            // What exactly was marked is known to the server: a client asks.
            replica.difference();
            let lower = functions::messages::ReadHistory { max_id: 1, ..request };
            let again = replica.client.call(lower);
            if let Ok(enums::messages::AffectedMessages::AffectedMessages(again)) = again {
                assert_eq!(again.pts_count, 0, "UP-21: a lower mark");
                assert!(
                    again.pts >= a.pts,
                    "UP-2: pts fell from {} to {}",
                    a.pts,
                    again.pts
                );
            }
        }
        Ok(())
    }

    pub(super) fn pin(
        &mut self,
        person: usize,
        device: usize,
        which: usize,
        unpin: bool,
    ) -> Result<(), RpcError> {
        let (id, seen) = self.message(person, device, which)?;
        let request = functions::messages::UpdatePinnedMessage {
            unpin,
            peer: self.input_peer(person, device, seen.peer),
            id,
            ..Default::default()
        };
        self.replica(person, device).act(request)
    }

    pub(super) fn forward(
        &mut self,
        person: usize,
        device: usize,
        which: usize,
        to: usize,
    ) -> Result<(), RpcError> {
        let (id, seen) = self.message(person, device, which)?;
        let (to, random_id) = (self.conversation(person, to), self.next_random_id());
        let request = functions::messages::ForwardMessages {
            from_peer: self.input_peer(person, device, seen.peer),
            id: vec![id],
            random_id: vec![random_id],
            to_peer: self.input_peer(person, device, to),
            ..Default::default()
        };
        let updates = self.people[person][device].client.call(request)?;
        self.check_own_send(person, &updates, random_id);
        self.replica(person, device).apply(updates);
        Ok(())
    }

    pub(super) fn make_group(&mut self, person: usize, device: usize) -> Result<(), RpcError> {
        if self.groups.len() >= 2 {
            return Err(RpcError::USERS_TOO_MUCH);
        }
        let me = &self.people[person][device].client;
        let others = self.people.iter().filter(|p| p[0].client.user() != me.user());
        let users = others.map(|p| me.input_user_of(&p[0].client)).collect();
        let request = functions::messages::CreateChat {
            users,
            title: "group".into(),
            ttl_period: None,
        };
        let enums::messages::InvitedUsers::InvitedUsers(invited) = me.call(request)?;
        if let enums::Updates::Updates(updates) = &invited.updates {
            self.groups
                .extend(updates.chats.iter().filter_map(|chat| match chat {
                    enums::Chat::Chat(chat) => Some(ChatId(chat.id)),
                    _ => None,
                }));
        }
        self.replica(person, device).apply(invited.updates);
        Ok(())
    }

    pub(super) fn group(&self, n: usize) -> Result<ChatId, RpcError> {
        let n = n % self.groups.len().max(1);
        self.groups.get(n).copied().ok_or(RpcError::CHAT_ID_INVALID)
    }

    pub(super) fn input_user(&self, person: usize, device: usize, whom: usize) -> enums::InputUser {
        self.people[person][device]
            .client
            .input_user_of(&self.people[whom % PEOPLE][0].client)
    }

    pub(super) fn remove(
        &mut self,
        person: usize,
        device: usize,
        group: usize,
        whom: usize,
    ) -> Result<(), RpcError> {
        let chat = self.group(group)?;
        let user_id = self.input_user(person, device, whom);
        let request = functions::messages::DeleteChatUser {
            chat_id: chat.0,
            user_id,
            ..Default::default()
        };
        self.replica(person, device).act(request)?;
        self.removed.push((chat, whom % PEOPLE));
        Ok(())
    }

    pub(super) fn add(
        &mut self,
        person: usize,
        device: usize,
        group: usize,
        whom: usize,
    ) -> Result<(), RpcError> {
        let (chat, whom) = match self.removed.last() {
            Some(last) => *last,
            None => (self.group(group)?, whom),
        };
        let user_id = self.input_user(person, device, whom);
        let request = functions::messages::AddChatUser {
            chat_id: chat.0,
            user_id,
            fwd_limit: 0,
        };
        let replica = self.replica(person, device);
        let enums::messages::InvitedUsers::InvitedUsers(invited) = replica.client.call(request)?;
        replica.apply(invited.updates);
        self.removed.pop();
        Ok(())
    }

    pub(super) fn title(&mut self, person: usize, device: usize, group: usize) -> Result<(), RpcError> {
        let chat_id = self.group(group)?.0;
        let title = format!("group {}", self.next_random_id());
        self.replica(person, device)
            .act(functions::messages::EditChatTitle { chat_id, title })
    }

    pub(super) fn archive(
        &mut self,
        person: usize,
        device: usize,
        to: usize,
        back: bool,
    ) -> Result<(), RpcError> {
        let peer = self.conversation(person, to);
        let peer = self.input_peer(person, device, peer);
        let folder_peer = types::InputFolderPeer {
            peer,
            folder_id: i32::from(!back),
        }
        .into();
        self.replica(person, device)
            .act(functions::folders::EditPeerFolders {
                folder_peers: vec![folder_peer],
            })
    }

    pub(super) fn clear(
        &mut self,
        person: usize,
        device: usize,
        to: usize,
        revoke: bool,
    ) -> Result<(), RpcError> {
        let peer = self.conversation(person, to);
        let request = functions::messages::DeleteHistory {
            just_clear: true,
            revoke,
            peer: self.input_peer(person, device, peer),
            max_id: 0,
            ..Default::default()
        };
        let replica = self.replica(person, device);
        let enums::messages::AffectedHistory::AffectedHistory(a) = replica.client.call(request)?;
        if a.pts_count > 0 {
            replica.difference();
        }
        Ok(())
    }

    /// The answer to a send names its message first and once, and then shows it (UP-16), unless it is gone.
    fn check_own_send(&self, person: usize, answer: &enums::Updates, random_id: i64) {
        let enums::Updates::Updates(answer) = answer else {
            panic!("UP-16: {answer:?}")
        };
        let named = answer.updates.iter().enumerate();
        let named = named.filter_map(|(at, update)| match update {
            enums::Update::UpdateMessageID(u) => Some((at, u.random_id, u.id)),
            _ => None,
        });
        let named: Vec<_> = named.collect();
        let [(0, named_id, id)] = named[..] else {
            panic!("UP-16: one name, and first: {:?}", answer.updates)
        };
        assert_eq!(named_id, random_id, "UP-16: the random id");
        let shown = answer.updates.iter().any(|update| match update {
            enums::Update::UpdateNewMessage(u) => seen(&u.message).is_some_and(|(shown, _)| shown == id),
            _ => false,
        });
        assert_eq!(
            shown,
            self.holds(person, id),
            "UP-16: {id} in {:?}",
            answer.updates
        );
    }
}
