//! UP-5, UP-12 to UP-14 and UP-17 for channels over random schedules: members' clients end with what the channel
//! holds, whatever was lost on the way; whoever is outside hears nothing.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panic")]

use std::collections::BTreeMap;
use std::sync::Arc;

use havre_api::error::RpcError;
use havre_sim::env::SimEnv;
use havre_sim::faults::{Faulty, Rates};
use havre_sim::{Client, Town};
use havre_store::engine::memory::Memory;
use havre_tl::enums::updates::{ChannelDifference, Difference, State};
use havre_tl::{enums, functions, types};
use proptest::prelude::*;

const PEOPLE: usize = 4;

#[derive(Clone, Copy, Debug)]
enum Deed {
    Say,
    SayAgain,
    Edit(usize),
    Delete(usize),
    Kick(usize),
    Pardon(usize),
    Invite(usize),
    Leave,
    Join,
    /// What was pushed so far is lost.
    Lose,
    /// Looks at what was pushed.
    Look,
    /// Asks for the difference.
    CatchUp,
    Pass,
    Restart,
}

fn deed() -> impl Strategy<Value = Deed> {
    let n = 0..32_usize;
    prop_oneof![
        8 => Just(Deed::Say),
        2 => Just(Deed::SayAgain),
        3 => n.clone().prop_map(Deed::Edit),
        3 => n.clone().prop_map(Deed::Delete),
        2 => n.clone().prop_map(Deed::Kick),
        2 => n.clone().prop_map(Deed::Pardon),
        2 => n.prop_map(Deed::Invite),
        1 => Just(Deed::Leave),
        2 => Just(Deed::Join),
        3 => Just(Deed::Lose),
        4 => Just(Deed::Look),
        2 => Just(Deed::CatchUp),
        2 => Just(Deed::Pass),
        1 => Just(Deed::Restart),
    ]
}

/// What a client knows of the channel; nothing while it is not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Known {
    pts: i32,
    texts: BTreeMap<i32, String>,
}

struct Person {
    client: Client,
    known: Option<Known>,
    /// State of its own box.
    pts: i32,
    date: i32,
    /// The connection was cut: what was pushed before is lost.
    is_cut: bool,
    /// The last text that was sent, with its random id and message.
    sent: Option<(String, i64, i32)>,
}

struct Harbour {
    town: Town,
    people: Vec<Person>,
    id: i64,
    next: i64,
}

impl Harbour {
    fn new(rates: Rates, seed: u64) -> Self {
        let env = Arc::new(SimEnv::new(seed));
        let store = Arc::new(Faulty::new(Arc::new(Memory::new()), env.clone(), rates));
        store.calm();
        let town = Town::over(env, store.clone());
        let people: Vec<Person> = (0..PEOPLE)
            .map(|n| Person {
                client: town.person(&format!("7999000000{n}"), "Somebody"),
                known: None,
                pts: 0,
                date: 0,
                is_cut: false,
                sent: None,
            })
            .collect();
        let created = people[0].client.call(functions::channels::CreateChannel {
            megagroup: true,
            title: "Harbour".into(),
            ..Default::default()
        });
        let [enums::Chat::Channel(channel)] = &all(created.unwrap()).chats[..] else {
            panic!("one channel");
        };
        let mut harbour = Self {
            town,
            people,
            id: channel.id,
            next: 1,
        };
        let publish = functions::channels::UpdateUsername {
            channel: harbour.input(0),
            username: "harbour".into(),
        };
        harbour.people[0].client.call(publish).unwrap();
        for who in 0..PEOPLE {
            harbour.catch_up(who);
        }
        store.excite();
        harbour
    }

    fn hash(&self, who: usize) -> i64 {
        let channel = havre_domain::ids::ChannelId(self.id);
        let secret = self.town.api().world().secret;
        secret.channel_hash(self.people[who].client.user(), channel)
    }

    fn input(&self, who: usize) -> enums::InputChannel {
        types::InputChannel {
            channel_id: self.id,
            access_hash: self.hash(who),
        }
        .into()
    }

    fn peer(&self, who: usize) -> enums::InputPeer {
        types::InputPeerChannel {
            channel_id: self.id,
            access_hash: self.hash(who),
        }
        .into()
    }

    fn run(&mut self, who: usize, deed: Deed) {
        match deed {
            Deed::Say => {
                self.next += 1;
                let (text, random_id) = (format!("text {}", self.next), self.next);
                self.say(who, text, random_id);
            }
            Deed::SayAgain => {
                if let Some((text, random_id, id)) = self.people[who].sent.clone() {
                    let again = self.say(who, text, random_id);
                    assert!(
                        again.is_none_or(|again| again == id),
                        "UP-17: one message for a random id"
                    );
                }
            }
            Deed::Edit(n) => self.edit(who, n),
            Deed::Delete(n) => self.delete(who, n),
            Deed::Kick(whom) => self.restrict(whom, true),
            Deed::Pardon(whom) => self.restrict(whom, false),
            Deed::Invite(whom) => self.invite(who, whom % PEOPLE),
            // Somebody has to stay who may say what the channel holds.
            Deed::Leave if who == 0 => {}
            Deed::Leave => {
                let leave = functions::channels::LeaveChannel {
                    channel: self.input(who),
                };
                let left = self.people[who].client.call(leave);
                self.answered(who, left);
            }
            Deed::Join => {
                let join = functions::channels::JoinChannel {
                    channel: self.input(who),
                };
                let joined = self.people[who].client.call(join).map(|joined| match joined {
                    enums::messages::ChatInviteJoinResult::ChatInviteJoinResultOk(ok) => ok.updates,
                    other => panic!("at once: {other:?}"),
                });
                self.answered(who, joined);
            }
            Deed::Lose => {
                drop(self.people[who].client.pushed());
                self.people[who].is_cut = true;
            }
            Deed::Look => self.look(who),
            Deed::CatchUp => self.catch_up(who),
            Deed::Pass => self.town.pass(100),
            Deed::Restart => self.restart(),
        }
    }

    fn restart(&self) {
        self.town.restart();
        for person in &self.people {
            person.client.call(functions::updates::GetState {}).unwrap();
        }
    }

    /// Sends, and gives the message's id.
    fn say(&mut self, who: usize, text: String, random_id: i64) -> Option<i32> {
        let sent = self.people[who].client.call(functions::messages::SendMessage {
            peer: self.peer(who),
            message: text.clone(),
            random_id,
            ..Default::default()
        });
        let sent = sent.ok()?;
        let id = match all(sent.clone()).updates.first() {
            Some(enums::Update::UpdateMessageID(named)) if named.random_id == random_id => named.id,
            other => panic!("UP-16: the id comes first: {other:?}"),
        };
        self.people[who].sent = Some((text, random_id, id));
        self.answered(who, Ok(sent));
        Some(id)
    }

    fn some_message(&self, who: usize, n: usize) -> Option<i32> {
        let texts = &self.people[who].known.as_ref()?.texts;
        texts.keys().nth(n % texts.len().max(1)).copied()
    }

    fn edit(&mut self, who: usize, n: usize) {
        let Some(id) = self.some_message(who, n) else {
            return;
        };
        self.next += 1;
        let edit = functions::messages::EditMessage {
            peer: self.peer(who),
            id,
            message: Some(format!("edit {}", self.next)),
            ..Default::default()
        };
        let edited = self.people[who].client.call(edit);
        self.answered(who, edited);
    }

    fn delete(&mut self, who: usize, n: usize) {
        let Some(id) = self.some_message(who, n) else {
            return;
        };
        let delete = functions::channels::DeleteMessages {
            channel: self.input(who),
            id: vec![id],
        };
        if let Ok(enums::messages::AffectedMessages::AffectedMessages(gone)) =
            self.people[who].client.call(delete)
        {
            self.event(who, gone.pts, gone.pts_count, |known| known.remove(&[id]));
        }
    }

    /// The creator keeps somebody out, or lets them be.
    fn restrict(&mut self, whom: usize, out: bool) {
        let whom = 1 + whom % (PEOPLE - 1);
        let banned = types::ChatBannedRights {
            view_messages: out,
            ..Default::default()
        };
        let restrict = functions::channels::EditBanned {
            channel: self.input(0),
            participant: self.people[0].client.input_peer_of(&self.people[whom].client),
            banned_rights: banned.into(),
        };
        let done = self.people[0].client.call(restrict);
        let is_done = done.is_ok();
        self.answered(0, done);
        if out && is_done {
            let refused = self.say(whom, "let me in".into(), i64::MAX);
            assert_eq!(refused, None, "UP-14: a ban holds at once");
        }
    }

    fn invite(&mut self, who: usize, whom: usize) {
        let invite = functions::channels::InviteToChannel {
            channel: self.input(who),
            users: vec![self.people[who].client.input_user_of(&self.people[whom].client)],
        };
        let invited = self.people[who].client.call(invite);
        self.answered(
            who,
            invited.map(|enums::messages::InvitedUsers::InvitedUsers(i)| i.updates),
        );
    }

    /// Takes in what was answered.
    fn answered(&mut self, who: usize, answer: Result<enums::Updates, RpcError>) {
        if let Ok(answer) = answer {
            let answer = all(answer);
            self.take(who, answer.updates, &answer.chats);
        }
    }

    /// Takes in what was pushed.
    fn look(&mut self, who: usize) {
        // A client whose connection was cut asks what it missed before it hears anything new.
        if self.people[who].is_cut {
            self.catch_up(who);
        }
        for pushed in self.people[who].client.pushed() {
            match pushed {
                enums::Updates::Updates(updates) => {
                    self.people[who].date = self.people[who].date.max(updates.date);
                    self.take(who, updates.updates, &updates.chats);
                }
                enums::Updates::UpdatesTooLong => self.catch_up(who),
                other => panic!("UP-19: {other:?}"),
            }
        }
    }

    fn take(&mut self, who: usize, updates: Vec<enums::Update>, chats: &[enums::Chat]) {
        for update in updates {
            match update {
                enums::Update::UpdateChannel(_) => self.stand(who, chats),
                enums::Update::UpdateChannelTooLong(t) => self.behind(who, t.pts.unwrap()),
                enums::Update::UpdateNewChannelMessage(m) => {
                    self.event(who, m.pts, m.pts_count, |known| known.put(&m.message));
                }
                enums::Update::UpdateEditChannelMessage(m) => {
                    self.event(who, m.pts, m.pts_count, |known| known.put(&m.message));
                }
                enums::Update::UpdateDeleteChannelMessages(d) => {
                    self.event(who, d.pts, d.pts_count, |known| known.remove(&d.messages));
                }
                _ => {}
            }
        }
    }

    /// Whether the client is in the channel, by the newest word of it.
    fn stand(&mut self, who: usize, chats: &[enums::Chat]) {
        let is_in = chats
            .iter()
            .any(|chat| matches!(chat, enums::Chat::Channel(c) if !c.left));
        match (is_in, self.people[who].known.is_some()) {
            (true, false) => self.open(who),
            (false, true) => self.people[who].known = None,
            _ => {}
        }
    }

    /// Reads the channel as one does who came in.
    fn open(&mut self, who: usize) {
        self.people[who].known = self.fetch(who).ok();
    }

    fn fetch(&self, who: usize) -> Result<Known, RpcError> {
        let history = self.people[who].client.call(functions::messages::GetHistory {
            peer: self.peer(who),
            limit: 100,
            ..Default::default()
        })?;
        let enums::messages::Messages::ChannelMessages(history) = history else {
            panic!("a channel's");
        };
        let mut known = Known {
            pts: history.pts,
            ..Known::default()
        };
        history.messages.iter().for_each(|message| known.put(message));
        Ok(known)
    }

    /// An event of the channel with its place: applied in turn, passed over when known, else what is missing is
    /// asked for.
    fn event(&mut self, who: usize, pts: i32, count: i32, apply: impl FnOnce(&mut Known)) {
        let known = self.people[who].known.as_mut();
        // Whoever lost the word that they are in hears of it in the difference.
        let Some(known) = known else { return };
        if known.pts + count == pts {
            apply(known);
            known.pts = pts;
        } else if pts > known.pts {
            self.difference(who);
        }
    }

    fn behind(&mut self, who: usize, pts: i32) {
        if self.people[who]
            .known
            .as_ref()
            .is_some_and(|known| known.pts < pts)
        {
            self.difference(who);
        }
    }

    /// What happened in the channel, slice by slice.
    fn difference(&mut self, who: usize) {
        loop {
            let Some(pts) = self.people[who].known.as_ref().map(|known| known.pts) else {
                return;
            };
            let difference = self.people[who]
                .client
                .call(functions::updates::GetChannelDifference {
                    channel: self.input(who),
                    pts,
                    limit: 3,
                    ..Default::default()
                });
            let difference = match difference {
                Ok(difference) => difference,
                Err(error) => {
                    assert_eq!(error, RpcError::CHANNEL_PRIVATE);
                    self.people[who].known = None;
                    return;
                }
            };
            match difference {
                ChannelDifference::ChannelDifferenceEmpty(e) => {
                    assert_eq!(e.pts, pts, "UP-6");
                    return;
                }
                ChannelDifference::ChannelDifferenceTooLong(_) => panic!("the log is short"),
                ChannelDifference::ChannelDifference(d) => {
                    assert!(d.pts > pts, "UP-12: a difference gets on");
                    let known = self.people[who].known.as_mut().unwrap();
                    known.pts = d.pts;
                    d.new_messages.iter().for_each(|message| known.put(message));
                    for update in d.other_updates {
                        match update {
                            enums::Update::UpdateEditChannelMessage(m) => known.put(&m.message),
                            enums::Update::UpdateDeleteChannelMessages(m) => known.remove(&m.messages),
                            other => panic!("of no use here: {other:?}"),
                        }
                    }
                    if d.r#final {
                        return;
                    }
                }
            }
        }
    }

    /// The difference of one's own box, which says which channels moved.
    fn catch_up(&mut self, who: usize) {
        drop(self.people[who].client.pushed());
        self.people[who].is_cut = false;
        loop {
            let (pts, date) = (self.people[who].pts, self.people[who].date);
            let difference = self.people[who].client.call(functions::updates::GetDifference {
                pts,
                date,
                ..Default::default()
            });
            let (state, updates, chats, more) = match difference.unwrap() {
                Difference::DifferenceEmpty(e) => {
                    self.people[who].date = e.date;
                    return;
                }
                Difference::Difference(d) => (d.state, d.other_updates, d.chats, false),
                Difference::DifferenceSlice(d) => (d.intermediate_state, d.other_updates, d.chats, true),
                Difference::DifferenceTooLong(_) => panic!("the log is short"),
            };
            let State::State(state) = state;
            (self.people[who].pts, self.people[who].date) = (state.pts, state.date);
            self.take(who, updates, &chats);
            if !more {
                return;
            }
        }
    }

    /// What is said last is pushed to who is in it, and to nobody else (UP-14).
    fn check_pushes(&mut self) {
        for who in 0..PEOPLE {
            self.look(who);
        }
        let members = self.members();
        self.say(0, "last".into(), i64::MIN).expect("the creator may");
        for person in &self.people[1..] {
            let pushed = person.client.pushed_updates();
            let heard = pushed.iter().any(|update| match update {
                enums::Update::UpdateNewChannelMessage(_) | enums::Update::UpdateChannelTooLong(_) => true,
                other => panic!("nothing else happens: {other:?}"),
            });
            let is_in = members.contains(&person.client.user().0);
            assert_eq!(heard, is_in, "UP-14: {pushed:?}");
        }
    }

    /// Everybody ends alike.
    fn check(&mut self) {
        self.check_pushes();
        for who in 0..PEOPLE {
            self.catch_up(who);
        }
        let truth = self.fetch(0).unwrap();
        let members = self.members();
        for (who, person) in self.people.iter().enumerate() {
            let is_in = members.contains(&person.client.user().0);
            let expected = is_in.then(|| truth.clone());
            assert_eq!(person.known, expected, "UP-5: person {who}");
        }
    }

    fn members(&self) -> Vec<i64> {
        let found = self.people[0].client.call(functions::channels::GetParticipants {
            channel: self.input(0),
            filter: enums::ChannelParticipantsFilter::ChannelParticipantsRecent,
            limit: 100,
            ..Default::default()
        });
        let enums::channels::ChannelParticipants::ChannelParticipants(found) = found.unwrap() else {
            panic!("a list");
        };
        assert_eq!(usize::try_from(found.count), Ok(found.participants.len()));
        found.participants.iter().map(member).collect()
    }
}

impl Known {
    fn put(&mut self, message: &enums::Message) {
        if let enums::Message::Message(m) = message {
            self.texts.insert(m.id, m.message.clone());
        }
    }

    fn remove(&mut self, ids: &[i32]) {
        self.texts.retain(|id, _| !ids.contains(id));
    }
}

fn all(updates: enums::Updates) -> types::Updates {
    match updates {
        enums::Updates::Updates(updates) => updates,
        other => panic!("complete updates: {other:?}"),
    }
}

fn member(participant: &enums::ChannelParticipant) -> i64 {
    match participant {
        enums::ChannelParticipant::ChannelParticipant(p) => p.user_id,
        enums::ChannelParticipant::ChannelParticipantSelf(p) => p.user_id,
        enums::ChannelParticipant::ChannelParticipantCreator(p) => p.user_id,
        other => panic!("nobody else is in it: {other:?}"),
    }
}

/// Everything happens at once and again: commits are refused and reads wait.
const CROWDED: Rates = Rates {
    conflict: 30,
    unavailable: 0,
    wait: 30,
};

fn live(rates: Rates, seed: u64, deeds: Vec<(usize, Deed)>) {
    let mut harbour = Harbour::new(rates, seed);
    for (who, deed) in deeds {
        harbour.run(who, deed);
    }
    harbour.check();
}

fn deeds() -> impl Strategy<Value = Vec<(usize, Deed)>> {
    prop::collection::vec((0..PEOPLE, deed()), 10..80)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn up_5_members_end_with_what_the_channel_holds(seed in any::<u64>(), deeds in deeds()) {
        live(Rates::default(), seed, deeds);
    }

    #[test]
    fn up_5_holds_for_channels_where_commits_are_refused(seed in any::<u64>(), deeds in deeds()) {
        live(CROWDED, seed, deeds);
    }
}
