//! Schedules: what people do, in which order, on which device, and what goes wrong on the way. Everything is
//! data, so that a failing schedule shrinks to a minimal one.

use std::collections::BTreeMap;
use std::sync::Arc;

use havre_api::error::RpcError;
use havre_domain::dialogs::{self, Dialog, Unread};
use havre_domain::ids::{ChatId, MessageId, Peer, UserId};
use havre_domain::{keys, messages};
use havre_store::Order;
use havre_store::engine::memory::Memory;
use havre_tl::{enums, functions, types};

use crate::env::SimEnv;
use crate::faults::{Bug, Faulty, Rates};
use crate::replica::{Knowledge, Replica, Seen, seen};
use crate::town::Town;

/// People in a schedule.
pub const PEOPLE: usize = 3;
/// Devices of each.
pub const DEVICES: usize = 2;

/// What one person does. Numbers are taken modulo what there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A text to a conversation.
    Send {
        /// Which conversation.
        to: usize,
        /// The text's number.
        text: u8,
        /// Answers an earlier message of the conversation.
        reply: bool,
    },
    /// The last send of this device once more, under the same random id.
    SendAgain,
    /// A new text for an earlier message of one's own.
    Edit(usize),
    /// Deletes an earlier message, for everybody or not.
    Delete(usize, bool),
    /// Reads a conversation up to an earlier message.
    Read(usize, usize),
    /// Pins or unpins an earlier message.
    Pin(usize, bool),
    /// Forwards an earlier message to a conversation.
    Forward(usize, usize),
    /// Makes a group with everybody.
    MakeGroup,
    /// Leaves a group, or removes somebody.
    Remove(usize, usize),
    /// Adds somebody to a group.
    Add(usize, usize),
    /// Gives a group another title.
    Title(usize),
    /// Puts a conversation into the archive or back.
    Archive(usize, bool),
    /// Empties a conversation for oneself or for both.
    Clear(usize, bool),
}

/// What happens to a device's pushes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// They arrive.
    Good,
    /// They are lost.
    Lossy,
    /// They arrive twice.
    Doubling,
    /// They arrive in the wrong order.
    Shuffling,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Who.
    pub person: usize,
    /// On which device.
    pub device: usize,
    /// What.
    pub deed: Deed,
    /// What the devices of everybody hear of it.
    pub link: Link,
    /// Seconds that pass before.
    pub pause: u8,
}

/// A world in which a schedule runs.
pub struct World {
    /// The server.
    pub town: Town,
    faults: Arc<Faulty>,
    people: Vec<Vec<Replica>>,
    groups: Vec<ChatId>,
    last_send: BTreeMap<(usize, usize), (Peer, functions::messages::SendMessage)>,
    /// Texts that were acknowledged: (author, conversation, text).
    acknowledged: Vec<(usize, Peer, String)>,
    /// How often each kind of deed was done, by name.
    pub done: BTreeMap<&'static str, usize>,
    random_id: i64,
}

impl World {
    /// People who know each other.
    #[must_use]
    pub fn new(seed: u64, rates: Rates) -> Self {
        Self::with_bug(seed, rates, None)
    }

    /// The same with a defect planted in the store.
    #[must_use]
    pub fn with_bug(seed: u64, rates: Rates, bug: Option<Bug>) -> Self {
        let env = Arc::new(SimEnv::new(seed));
        let faults = Faulty::new(Arc::new(Memory::new()), env.clone(), rates);
        let faults = Arc::new(faults.with_bug(bug));
        faults.calm();
        let town = Town::over(env, faults.clone());
        let people = (0..PEOPLE).map(|n| devices(&town, n)).collect();
        faults.excite();
        let (groups, last_send, done) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        let acknowledged = Vec::new();
        Self {
            town,
            faults,
            people,
            groups,
            last_send,
            acknowledged,
            done,
            random_id: 0,
        }
    }

    /// The faults around the store.
    #[must_use]
    pub fn faults(&self) -> &Faulty {
        &self.faults
    }

    /// Does one step and lets everybody hear of it over their links.
    pub fn step(&mut self, step: &Step) {
        self.town.pass(u64::from(step.pause));
        let (person, device) = (step.person % PEOPLE, step.device % DEVICES);
        let (name, result) = self.deed(person, device, &step.deed);
        if result.is_ok() {
            *self.done.entry(name).or_default() += 1;
        }
        self.town.env().settle();
        if self.faults.has_crashed() {
            self.restart();
        } else {
            self.hear(step.link);
        }
    }

    /// The process was killed: it starts again, and everybody connects anew.
    fn restart(&mut self) {
        self.faults.restart();
        self.faults.calm();
        self.town.restart();
        for replica in self.people.iter_mut().flatten() {
            // What was pushed before the crash is lost on the way, or was applied already.
            drop(replica.client.pushed());
            replica.difference();
        }
        self.faults.excite();
        *self.done.entry("restart").or_default() += 1;
    }

    fn hear(&mut self, link: Link) {
        for replica in self.people.iter_mut().flatten() {
            let mut pushed = replica.client.pushed();
            match link {
                Link::Good => {}
                Link::Lossy => pushed.clear(),
                Link::Doubling => pushed = pushed.iter().chain(&pushed).cloned().collect(),
                Link::Shuffling => pushed.reverse(),
            }
            pushed.into_iter().for_each(|updates| replica.apply(updates));
        }
    }

    fn deed(&mut self, person: usize, device: usize, deed: &Deed) -> (&'static str, Result<(), RpcError>) {
        match deed {
            Deed::Send { to, text, reply } => ("send", self.send(person, device, *to, *text, *reply)),
            Deed::SendAgain => ("send again", self.send_again(person, device)),
            Deed::Edit(which) => ("edit", self.edit(person, device, *which)),
            Deed::Delete(which, revoke) => ("delete", self.delete(person, device, *which, *revoke)),
            Deed::Read(to, which) => ("read", self.read(person, device, *to, *which)),
            Deed::Pin(which, unpin) => ("pin", self.pin(person, device, *which, *unpin)),
            Deed::Forward(which, to) => ("forward", self.forward(person, device, *which, *to)),
            Deed::MakeGroup => ("make group", self.make_group(person, device)),
            Deed::Remove(group, whom) => ("remove", self.remove(person, device, *group, *whom)),
            Deed::Add(group, whom) => ("add", self.add(person, device, *group, *whom)),
            Deed::Title(group) => ("title", self.title(person, device, *group)),
            Deed::Archive(to, back) => ("archive", self.archive(person, device, *to, *back)),
            Deed::Clear(to, revoke) => ("clear", self.clear(person, device, *to, *revoke)),
        }
    }

    fn replica(&mut self, person: usize, device: usize) -> &mut Replica {
        &mut self.people[person][device]
    }

    fn user(&self, person: usize) -> UserId {
        self.people[person][0].client.user()
    }

    /// Conversation number `n` of a person: with everybody (oneself too), then the groups.
    fn conversation(&self, person: usize, n: usize) -> Peer {
        let n = n % (PEOPLE + self.groups.len());
        match n.checked_sub(PEOPLE) {
            None => Peer::User(self.user(n)),
            Some(group) => {
                debug_assert!(person < PEOPLE);
                Peer::Chat(self.groups[group])
            }
        }
    }

    fn input_peer(&self, person: usize, device: usize, peer: Peer) -> enums::InputPeer {
        match peer {
            Peer::Chat(chat) => types::InputPeerChat { chat_id: chat.0 }.into(),
            Peer::User(user) => match self.people.iter().find(|p| p[0].client.user() == user) {
                Some(other) => self.people[person][device].client.input_peer_of(&other[0].client),
                None => enums::InputPeer::InputPeerEmpty,
            },
        }
    }

    fn next_random_id(&mut self) -> i64 {
        self.random_id += 1;
        self.random_id
    }

    /// Message number `n` among those that a device knows.
    fn message(&self, person: usize, device: usize, n: usize) -> Option<(i32, Seen)> {
        let messages = &self.people[person][device].knows.messages;
        let n = n % messages.len().max(1);
        messages.iter().nth(n).map(|(id, seen)| (*id, seen.clone()))
    }

    fn send(
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

    fn send_again(&mut self, person: usize, device: usize) -> Result<(), RpcError> {
        let last = self.last_send.get(&(person, device)).cloned();
        let (peer, request) = last.ok_or(RpcError::MESSAGE_EMPTY)?;
        let sent = (person, peer, request.message.clone());
        self.replica(person, device).act(request)?;
        if !self.acknowledged.contains(&sent) {
            self.acknowledged.push(sent);
        }
        Ok(())
    }

    fn edit(&mut self, person: usize, device: usize, which: usize) -> Result<(), RpcError> {
        let (id, seen) = self
            .message(person, device, which)
            .ok_or(RpcError::MESSAGE_EMPTY)?;
        let n = self.next_random_id();
        let request = functions::messages::EditMessage {
            peer: self.input_peer(person, device, seen.peer),
            id,
            message: Some(format!("edited {n}")),
            ..Default::default()
        };
        self.replica(person, device).act(request)
    }

    fn delete(&mut self, person: usize, device: usize, which: usize, revoke: bool) -> Result<(), RpcError> {
        let (id, _) = self
            .message(person, device, which)
            .ok_or(RpcError::MESSAGE_EMPTY)?;
        let replica = self.replica(person, device);
        let request = functions::messages::DeleteMessages { revoke, id: vec![id] };
        let enums::messages::AffectedMessages::AffectedMessages(a) = replica.client.call(request)?;
        replica.affected((a.pts, a.pts_count), |knows| drop(knows.messages.remove(&id)));
        Ok(())
    }

    fn read(&mut self, person: usize, device: usize, to: usize, which: usize) -> Result<(), RpcError> {
        let peer = self.conversation(person, to);
        let max_id = self
            .message(person, device, which)
            .filter(|(_, m)| m.peer == peer)
            .map_or(0, |(id, _)| id);
        let request = functions::messages::ReadHistory {
            peer: self.input_peer(person, device, peer),
            max_id,
        };
        let replica = self.replica(person, device);
        let enums::messages::AffectedMessages::AffectedMessages(a) = replica.client.call(request)?;
        if a.pts_count > 0 {
            // What exactly was marked is known to the server: a client asks.
            replica.difference();
        }
        Ok(())
    }

    fn pin(&mut self, person: usize, device: usize, which: usize, unpin: bool) -> Result<(), RpcError> {
        let (id, seen) = self
            .message(person, device, which)
            .ok_or(RpcError::MESSAGE_EMPTY)?;
        let request = functions::messages::UpdatePinnedMessage {
            unpin,
            peer: self.input_peer(person, device, seen.peer),
            id,
            ..Default::default()
        };
        self.replica(person, device).act(request)
    }

    fn forward(&mut self, person: usize, device: usize, which: usize, to: usize) -> Result<(), RpcError> {
        let (id, seen) = self
            .message(person, device, which)
            .ok_or(RpcError::MESSAGE_EMPTY)?;
        let to = self.conversation(person, to);
        let request = functions::messages::ForwardMessages {
            from_peer: self.input_peer(person, device, seen.peer),
            id: vec![id],
            random_id: vec![self.next_random_id()],
            to_peer: self.input_peer(person, device, to),
            ..Default::default()
        };
        self.replica(person, device).act(request)
    }

    fn make_group(&mut self, person: usize, device: usize) -> Result<(), RpcError> {
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

    fn group(&self, n: usize) -> Result<ChatId, RpcError> {
        let n = n % self.groups.len().max(1);
        self.groups.get(n).copied().ok_or(RpcError::CHAT_ID_INVALID)
    }

    fn input_user(&self, person: usize, device: usize, whom: usize) -> enums::InputUser {
        self.people[person][device]
            .client
            .input_user_of(&self.people[whom % PEOPLE][0].client)
    }

    fn remove(&mut self, person: usize, device: usize, group: usize, whom: usize) -> Result<(), RpcError> {
        let chat_id = self.group(group)?.0;
        let user_id = self.input_user(person, device, whom);
        let request = functions::messages::DeleteChatUser {
            chat_id,
            user_id,
            ..Default::default()
        };
        self.replica(person, device).act(request)
    }

    fn add(&mut self, person: usize, device: usize, group: usize, whom: usize) -> Result<(), RpcError> {
        let chat_id = self.group(group)?.0;
        let user_id = self.input_user(person, device, whom);
        let request = functions::messages::AddChatUser {
            chat_id,
            user_id,
            fwd_limit: 0,
        };
        let replica = self.replica(person, device);
        let enums::messages::InvitedUsers::InvitedUsers(invited) = replica.client.call(request)?;
        replica.apply(invited.updates);
        Ok(())
    }

    fn title(&mut self, person: usize, device: usize, group: usize) -> Result<(), RpcError> {
        let chat_id = self.group(group)?.0;
        let title = format!("group {}", self.next_random_id());
        self.replica(person, device)
            .act(functions::messages::EditChatTitle { chat_id, title })
    }

    fn archive(&mut self, person: usize, device: usize, to: usize, back: bool) -> Result<(), RpcError> {
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

    fn clear(&mut self, person: usize, device: usize, to: usize, revoke: bool) -> Result<(), RpcError> {
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

    /// Ends all faults, delivers what waits, lets everybody catch up, and compares.
    ///
    /// # Panics
    /// When somebody ends up with something else than the server holds (UP-5), or a rule of sequences was
    /// broken on the way.
    pub fn compare(&mut self, slice: Option<i32>) {
        self.faults.calm();
        let api = self.town.api();
        self.town.env().run(api.sweep()).expect("a calm store answers");
        self.town.env().settle();
        // Two seconds, so that what happened is older than what is asked now.
        self.town.pass(2);
        self.hear(Link::Good);
        for person in 0..PEOPLE {
            let truth = self.projection(person);
            for device in 0..DEVICES {
                let replica = self.replica(person, device);
                replica.slice = slice;
                replica.difference();
                assert_eq!(replica.knows, truth, "UP-5: person {person}, device {device}");
            }
            self.compare_newcomer(person, slice, &truth);
        }
    }

    /// A client that was away since the beginning learns the same, in dense steps (UP-1).
    fn compare_newcomer(&mut self, person: usize, slice: Option<i32>, truth: &Knowledge) {
        let client = self.town.second_login(&self.people[person][0].client);
        let mut newcomer = Replica::from_the_start(client);
        newcomer.slice = slice;
        newcomer.difference();
        assert_eq!(&newcomer.knows, truth, "UP-5: person {person}, a newcomer");
        let mut pts = 0;
        for (after, count) in &newcomer.moves {
            assert_eq!(pts + count, *after, "UP-1: a hole or an overlap at {pts}");
            pts = *after;
        }
        let again = functions::updates::GetDifference {
            pts: newcomer.pts(),
            date: i32::MAX,
            ..Default::default()
        };
        let again = newcomer.client.call(again).expect("a difference is answered");
        assert!(
            matches!(again, enums::updates::Difference::DifferenceEmpty(_)),
            "UP-6: {again:?}"
        );
    }

    /// After a schedule without edits and deletions: what was acknowledged is in its author's box and in
    /// everybody's it was for, and nothing is anywhere twice.
    ///
    /// # Panics
    /// When it is not so.
    pub fn check_acknowledged(&self) {
        let boxes: Vec<Vec<String>> = (0..PEOPLE).map(|person| self.texts(person)).collect();
        for (person, texts) in boxes.iter().enumerate() {
            for text in texts {
                let count = texts.iter().filter(|t| *t == text).count();
                assert_eq!(count, 1, "doubled in the box of person {person}: {text}");
            }
        }
        for (author, peer, text) in &self.acknowledged {
            let readers = (0..PEOPLE).filter(|n| *n == *author || *peer == Peer::User(self.user(*n)));
            for reader in readers {
                assert!(
                    boxes[reader].contains(text),
                    "acknowledged, but not in the box of person {reader}: {text}"
                );
            }
        }
    }

    fn texts(&self, person: usize) -> Vec<String> {
        self.projection(person)
            .messages
            .into_values()
            .map(|seen| seen.text)
            .collect()
    }

    /// What the server holds for a person, read from the store itself.
    fn projection(&self, person: usize) -> Knowledge {
        let owner = self.user(person);
        let api = self.town.api();
        self.town.env().run(async {
            let mut world = api.world();
            let tx = world.view_user(owner);
            let dialogs = tx
                .records::<Dialog>(&keys::dialogs(), Order::Ascending, 1000)
                .await
                .expect("calm");
            let unread: i32 = dialogs.iter().map(|(_, dialog)| dialog.unread).sum();
            let counted = dialogs::unread(tx).await.expect("calm");
            assert_eq!(counted, Unread(unread), "unread of all conversations together");
            let mut knows = Knowledge::default();
            for (key, dialog) in dialogs {
                let peer = keys::peer_of(&key).expect("a dialog's key names its peer");
                let all = (MessageId(0), MessageId(i32::MAX));
                let stored = messages::page(tx, peer, all.0, all.1, Order::Ascending, 10_000)
                    .await
                    .expect("calm");
                check_dialog(&dialog, &stored);
                let mut named = havre_api::render::Named::default();
                for (id, message) in &stored {
                    let message = havre_api::render::message(peer, *id, message, &mut named);
                    knows.messages.extend(seen(&message));
                }
                let mark = |mark: MessageId| (mark.0 > 0).then_some((peer, mark.0));
                knows.read_inbox.extend(mark(dialog.read_inbox));
                knows.read_outbox.extend(mark(dialog.read_outbox));
                knows
                    .folders
                    .extend((dialog.folder != 0).then_some((peer, i32::from(dialog.folder))));
            }
            knows
        })
    }
}

/// The numbers of a conversation agree with its messages (UP-21).
fn check_dialog(dialog: &Dialog, stored: &[(MessageId, messages::Message)]) {
    let unread = stored
        .iter()
        .filter(|(id, m)| !m.out && *id > dialog.read_inbox)
        .count();
    assert_eq!(usize::try_from(dialog.unread), Ok(unread), "UP-21: unread count");
    assert_eq!(
        usize::try_from(dialog.count),
        Ok(stored.len()),
        "count of messages"
    );
    assert_eq!(
        dialog.top,
        stored.last().map_or(MessageId(0), |(id, _)| *id),
        "top message"
    );
}

/// The devices of person `n`.
fn devices(town: &Town, n: usize) -> Vec<Replica> {
    let first = town.person(&format!("7999000000{n}"), &format!("Person {n}"));
    let others: Vec<_> = (1..DEVICES).map(|_| town.second_login(&first)).collect();
    std::iter::once(first).chain(others).map(Replica::new).collect()
}
