//! Schedules: what people do, in which order, on which device, and what goes wrong on the way. Everything is
//! data, so that a failing schedule shrinks to a minimal one.

mod deeds;
mod settings;
mod truth;

use std::collections::BTreeMap;
use std::sync::Arc;

use havre_api::error::RpcError;
use havre_domain::ids::{ChatId, Peer, UserId};
use havre_store::engine::memory::Memory;
use havre_tl::{enums, functions, types};

use crate::env::SimEnv;
use crate::faults::{Bug, Faulty, Rates};
use crate::knowledge::Seen;
use crate::replica::{Habits, Replica};
use crate::town::{Client, Town};

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
    /// Adds somebody to a group: who was removed last, if anybody was.
    Add(usize, usize),
    /// Gives a group another title.
    Title(usize),
    /// Puts a conversation into the archive or back.
    Archive(usize, bool),
    /// Empties a conversation for oneself or for both.
    Clear(usize, bool),
    /// Keeps a text for later, or throws it away when its number is even.
    Draft(usize, u8),
    /// Marks a conversation unread, or not.
    Mark(usize, bool),
    /// Pins a conversation on top, or not.
    PinDialog(usize, bool),
    /// Puts a pinned conversation on top of the others of its folder.
    Reorder(usize, bool),
    /// Blocks somebody, or not.
    Block(usize, bool),
    /// Mutes a conversation until some time.
    Mute(usize, u8),
    /// Says who sees when one was last seen.
    Privacy(u8),
    /// The device catches up, on a new connection if it was cut off.
    Reconnect,
    /// The login ends, and another begins in its place.
    LogInAnew,
    /// The log of the person's box forgets all but about this many of its newest events.
    Compact(usize),
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
    /// So much waits that all of it becomes a word that there was too much (UP-31).
    Overflowing,
    /// The connection of one device breaks: it hears nothing until it connects again.
    Cut(usize),
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
    /// Who was removed from which group, newest last.
    removed: Vec<(ChatId, usize)>,
    last_send: BTreeMap<(usize, usize), (Peer, functions::messages::SendMessage)>,
    /// Texts that were acknowledged: (author, conversation, text).
    acknowledged: Vec<(usize, Peer, String)>,
    /// How often each kind of deed was done, by name.
    pub done: BTreeMap<&'static str, usize>,
    random_id: i64,
    habits: Vec<Habits>,
    /// Logins that ended.
    gone: Vec<Client>,
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
        let mut people: Vec<Vec<Replica>> = (0..PEOPLE).map(|n| devices(&town, n)).collect();
        for replica in people.iter_mut().flatten() {
            replica.undisturbed = rates.unavailable == 0;
        }
        faults.excite();
        let (groups, last_send, done) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        let acknowledged = Vec::new();
        Self {
            town,
            faults,
            people,
            groups,
            removed: Vec::new(),
            last_send,
            acknowledged,
            done,
            random_id: 0,
            habits: vec![Habits::default()],
            gone: Vec::new(),
        }
    }

    /// Each device takes habits on, in turn; the newcomers of the end too.
    pub fn adopt(&mut self, habits: &[Habits]) {
        self.faults.calm();
        for (replica, habits) in self.people.iter_mut().flatten().zip(habits.iter().cycle()) {
            replica.adopt(*habits);
        }
        self.habits = habits.to_vec();
        self.faults.excite();
    }

    /// How many devices filled a hole of one event, started again from the conversations, and were not
    /// misled in what has no pts.
    #[must_use]
    pub fn tally(&self) -> [usize; 3] {
        let count = |what: fn(&Replica) -> bool| self.people.iter().flatten().filter(|r| what(r)).count();
        [
            count(|r| r.repaired > 0),
            count(|r| r.refetched),
            count(|r| !r.misled),
        ]
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
        // Whoever was cut off connects first.
        let ready = match self.people[person][device].cut {
            true => self.reconnect(person, device),
            false => Ok(()),
        };
        let (name, result) = match ready {
            Ok(()) => self.deed(person, device, &step.deed),
            refused => ("reconnect", refused),
        };
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
            replica.undisturbed = false;
            replica.cut = !replica.difference();
        }
        self.faults.excite();
        *self.done.entry("restart").or_default() += 1;
    }

    fn hear(&mut self, link: Link) {
        if let Link::Cut(n) = link {
            self.people[n % PEOPLE][n / PEOPLE % DEVICES].cut = true;
        }
        self.check_gone();
        for replica in self.people.iter_mut().flatten() {
            let mut pushed = replica.client.pushed();
            match link {
                _ if replica.cut => pushed.clear(),
                Link::Good | Link::Cut(_) => {}
                Link::Overflowing if pushed.is_empty() => {}
                Link::Overflowing => pushed = vec![enums::Updates::UpdatesTooLong],
                Link::Lossy => pushed.clear(),
                Link::Doubling => pushed = pushed.iter().chain(&pushed).cloned().collect(),
                Link::Shuffling => pushed.reverse(),
            }
            replica.misled |= !matches!(link, Link::Good | Link::Cut(_) | Link::Overflowing);
            replica.undisturbed &= !(replica.cut || replica.misled);
            pushed.into_iter().for_each(|updates| replica.apply(updates));
        }
    }

    fn deed(&mut self, person: usize, device: usize, deed: &Deed) -> (&'static str, Result<(), RpcError>) {
        match deed {
            Deed::Remove(..) | Deed::Add(..) | Deed::Title(_) if self.groups.is_empty() => {
                ("make group", self.make_group(person, device))
            }
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
            Deed::Draft(to, text) => ("draft", self.draft(person, device, *to, *text)),
            Deed::Mark(to, unread) => ("mark", self.mark(person, device, *to, *unread)),
            Deed::PinDialog(to, pinned) => ("pin dialog", self.pin_dialog(person, device, *to, *pinned)),
            Deed::Reorder(to, force) => ("reorder", self.reorder(person, device, *to, *force)),
            Deed::Block(whom, back) => ("block", self.block(person, device, *whom, *back)),
            Deed::Mute(to, until) => ("mute", self.mute(person, device, *to, *until)),
            Deed::Privacy(rule) => ("privacy", self.privacy(person, device, *rule)),
            Deed::Reconnect => ("reconnect", self.reconnect(person, device)),
            Deed::LogInAnew => ("log in anew", self.log_in_anew(person, device)),
            Deed::Compact(kept) => ("compact", self.compact(person, *kept)),
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
            // Schedules have groups only.
            Peer::Channel(_) => enums::InputPeer::InputPeerEmpty,
        }
    }

    fn next_random_id(&mut self) -> i64 {
        self.random_id += 1;
        self.random_id
    }

    /// Message number `n` among those that a device knows.
    fn message(&self, person: usize, device: usize, n: usize) -> Result<(i32, Seen), RpcError> {
        let messages = &self.people[person][device].knows.messages;
        let n = n % messages.len().max(1);
        let found = messages.iter().nth(n).map(|(id, seen)| (*id, seen.clone()));
        found.ok_or(RpcError::MESSAGE_EMPTY)
    }

    /// The same among those that the person wrote.
    fn own_message(&self, person: usize, device: usize, n: usize) -> Result<(i32, Seen), RpcError> {
        let messages = &self.people[person][device].knows.messages;
        let own: Vec<_> = messages.iter().filter(|(_, seen)| seen.out).collect();
        let found = own.get(n % own.len().max(1));
        let (id, seen) = found.ok_or(RpcError::MESSAGE_EMPTY)?;
        Ok((**id, (*seen).clone()))
    }
}

/// The devices of person `n`.
fn devices(town: &Town, n: usize) -> Vec<Replica> {
    let first = town.person(&format!("7999000000{n}"), &format!("Person {n}"));
    let others: Vec<_> = (1..DEVICES).map(|_| town.second_login(&first)).collect();
    std::iter::once(first).chain(others).map(Replica::new).collect()
}
