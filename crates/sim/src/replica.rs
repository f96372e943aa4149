//! What a client library does with updates (core.telegram.org/api/updates), and what it ends up knowing.
//!
//! The one property that matters most (UP-5): whatever was dropped, doubled or reordered on the way, in the
//! end every client knows what the server holds.

use havre_api::error::RpcError;
use havre_domain::ids::Peer;
use havre_tl::layers::Layer;
use havre_tl::{enums, functions, types};

use crate::knowledge::{Knowledge, peer_of, pts_of, seen};
use crate::refetch::Book;
use crate::town::Client;

/// Layers from here on have `pts_limit`.
pub const PTS_LIMIT_SINCE: i32 = 161;

/// How an app goes about its updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Habits {
    /// The layer that it speaks.
    pub layer: Layer,
    /// Slices of a difference hold at most this many events.
    pub slice: Option<i32>,
    /// Whoever is further behind than this starts again from the conversations.
    pub total: Option<i32>,
    /// A hole of one event is filled by a question for that event alone (UP-10).
    pub repairs: bool,
    /// Conversations and messages on one page.
    pub page: i32,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            layer: Layer::CANONICAL,
            slice: None,
            total: None,
            repairs: false,
            page: 100,
        }
    }
}

/// A client with its copy of the box.
pub struct Replica {
    /// The connection.
    pub client: Client,
    /// What it knows.
    pub knows: Knowledge,
    /// How it goes about it.
    pub habits: Habits,
    /// Every (pts, count) that moved this replica, for UP-1 and UP-2.
    pub moves: Vec<(i32, i32)>,
    /// Holes of one event that were filled by a question for that event alone.
    pub repaired: usize,
    /// It was too far behind once: of what was forgotten it knows what lists show.
    pub refetched: bool,
    /// Its connection is broken.
    pub cut: bool,
    /// Pushes were lost, doubled or shuffled in the middle of a session, as no connection does: of what has
    /// no pts it may know something wrong.
    pub misled: bool,
    /// Nothing that was pushed to it was lost since it came, and the store always answered.
    pub undisturbed: bool,
    pub(crate) book: Book,
    pts: i32,
    date: i32,
    /// Id of the newest message that came, 0 when it is not known.
    newest: i32,
}

/// What came of a question for the difference.
enum Progress {
    /// There is more to ask for.
    More,
    /// The client is where the server is.
    Done,
    /// The server did not answer.
    Failed,
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
            habits: Habits::default(),
            moves: Vec::new(),
            repaired: 0,
            refetched: false,
            cut: false,
            misled: false,
            undisturbed: false,
            book: Book::default(),
            pts: 1,
            date: 0,
            newest: 0,
        }
    }

    /// Takes habits on.
    pub fn adopt(&mut self, habits: Habits) {
        self.client.speak(habits.layer);
        self.habits = habits;
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
    ///
    /// # Panics
    /// When pts fell.
    pub fn affected(&mut self, (pts, count): (i32, i32), change: impl FnOnce(&mut Knowledge)) {
        if count == 0 {
            assert!(pts >= self.pts, "UP-2: pts fell from {} to {pts}", self.pts);
        }
        if self.is_next(pts, count) {
            change(&mut self.knows);
            self.moved(pts, count);
        }
    }

    /// Whether an event is the next one. A gap before it is closed first.
    fn is_next(&mut self, pts: i32, count: i32) -> bool {
        let missing = pts - count - self.pts;
        assert!(
            missing <= 0 || !self.undisturbed,
            "UP-20: {missing} are missing before {pts} though nothing was lost"
        );
        if missing == 1 && self.habits.repairs {
            self.repair();
        } else if missing > 0 {
            self.difference();
        }
        self.pts + count == pts
    }

    fn moved(&mut self, pts: i32, count: i32) {
        self.pts = pts;
        if count > 0 {
            self.moves.push((pts, count));
        }
    }

    /// Applies pushed or answered updates.
    ///
    /// # Panics
    /// When they break a rule.
    pub fn apply(&mut self, updates: enums::Updates) {
        match updates {
            enums::Updates::Updates(u) => {
                assert_eq!(u.seq, 0, "UP-26");
                let messages = u.updates.iter().filter_map(message_of);
                self.meet(messages, &u.users, &u.chats);
                u.updates.into_iter().for_each(|update| self.one(update));
                self.date = self.date.max(u.date);
            }
            enums::Updates::UpdateShort(u) => self.one(u.update),
            enums::Updates::UpdatesTooLong => {
                self.difference();
            }
            other => panic!("the server does not say {other:?}"),
        }
        self.fetch_unknown();
    }

    fn one(&mut self, update: enums::Update) {
        match pts_of(&update) {
            None => self.knows.change(update),
            Some((pts, count)) if self.is_next(pts, count) => {
                self.arrived(&update, count);
                self.check_mark(&update);
                let read = match &update {
                    enums::Update::UpdateReadHistoryInbox(u) => Some(u.clone()),
                    _ => None,
                };
                self.knows.change(update);
                self.moved(pts, count);
                if let Some(read) = read {
                    self.check_unread(&read);
                }
            }
            Some(_) => {}
        }
    }

    /// A message that comes has an id that none had before (UP-15).
    fn arrived(&mut self, update: &enums::Update, count: i32) {
        let enums::Update::UpdateNewMessage(u) = update else {
            return;
        };
        if let Some((id, _)) = seen(&u.message).filter(|_| count > 0) {
            assert!(id > self.newest, "UP-15: {id} came after {}", self.newest);
            self.newest = id;
        }
    }

    /// Who has everything up to a read mark counts what it says.
    fn check_unread(&self, read: &types::UpdateReadHistoryInbox) {
        let peer = peer_of(&read.peer);
        let counted = i32::try_from(self.knows.unread(peer));
        assert_eq!(counted, Ok(read.still_unread_count), "UP-21: unread in {peer:?}");
    }

    /// Catches up. False when the server did not answer.
    ///
    /// # Panics
    /// When a difference breaks a rule.
    pub fn difference(&mut self) -> bool {
        // Every slice moves pts (UP-8), so there are no more slices than events.
        for _ in 0..10_000 {
            let request = functions::updates::GetDifference {
                pts: self.pts,
                date: self.date,
                pts_limit: self.habits.slice,
                pts_total_limit: self.habits.total,
                ..Default::default()
            };
            // A server in trouble is asked again later.
            let Ok(difference) = self.client.call(request) else {
                return false;
            };
            match self.take_difference(difference) {
                Progress::More => {}
                Progress::Done => {
                    self.fetch_unknown();
                    return true;
                }
                Progress::Failed => return false,
            }
        }
        panic!("UP-8: slices without end");
    }

    /// Takes one answer.
    fn take_difference(&mut self, difference: enums::updates::Difference) -> Progress {
        match difference {
            enums::updates::Difference::DifferenceEmpty(d) => {
                self.pass(d.date);
                Progress::Done
            }
            enums::updates::Difference::Difference(d) => {
                self.meet(&d.new_messages, &d.users, &d.chats);
                self.check_size(&d.new_messages, &d.other_updates);
                self.take(&d.new_messages, d.other_updates);
                self.arrive(&d.state);
                Progress::Done
            }
            enums::updates::Difference::DifferenceSlice(d) => {
                let before = self.pts;
                self.meet(&d.new_messages, &d.users, &d.chats);
                self.check_size(&d.new_messages, &d.other_updates);
                self.take(&d.new_messages, d.other_updates);
                self.arrive(&d.intermediate_state);
                assert!(self.pts > before, "UP-8: a slice stayed at pts {before}");
                Progress::More
            }
            enums::updates::Difference::DifferenceTooLong(d) => self.start_again(d.pts),
        }
    }

    /// Takes everything over from the conversations; the difference from there is next.
    fn start_again(&mut self, pts: i32) -> Progress {
        assert!(pts >= self.pts, "UP-11: sent back from {} to {pts}", self.pts);
        let Ok(knows) = self.refetch() else {
            return Progress::Failed;
        };
        self.knows = knows;
        self.refetched = true;
        self.newest = 0;
        self.moves.push((pts, pts - self.pts));
        self.pts = pts;
        Progress::More
    }

    /// Fills a hole of one event, as `TDLib` does.
    fn repair(&mut self) {
        let p = self.pts + 1;
        let request = functions::updates::GetDifference {
            pts: self.pts,
            pts_limit: Some(1),
            date: i32::MAX,
            ..Default::default()
        };
        let (messages, others, state) = match self.client.call(request) {
            Ok(enums::updates::Difference::Difference(d)) => {
                self.meet(&d.new_messages, &d.users, &d.chats);
                (d.new_messages, d.other_updates, d.state)
            }
            Ok(enums::updates::Difference::DifferenceSlice(d)) => {
                self.meet(&d.new_messages, &d.users, &d.chats);
                (d.new_messages, d.other_updates, d.intermediate_state)
            }
            // What was forgotten cannot be repaired (UP-11); a server in trouble is asked again later.
            Ok(enums::updates::Difference::DifferenceTooLong(_)) | Err(_) => {
                self.difference();
                return;
            }
            Ok(empty) => panic!("UP-10: {empty:?} for event {p}"),
        };
        assert_eq!(messages.len() + others.len(), 1, "UP-10: {messages:?} {others:?}");
        let enums::updates::State::State(state) = state;
        assert_eq!(state.pts, p, "UP-10: the event asked for");
        self.take(&messages, others);
        self.moved(p, 1);
        self.repaired += 1;
    }

    /// Everybody named by a message is among users and chats (UP-18).
    fn meet<'m>(
        &mut self,
        messages: impl IntoIterator<Item = &'m enums::Message>,
        users: &[enums::User],
        chats: &[enums::Chat],
    ) {
        self.book.meet(users, chats);
        let (users, chats) = (ids_of(users, user_id), ids_of(chats, chat_id));
        for (id, seen) in messages.into_iter().filter_map(seen) {
            let is_named = match seen.peer {
                Peer::User(user) => users.contains(&user.0),
                Peer::Chat(chat) => chats.contains(&chat.0),
                Peer::Channel(channel) => chats.contains(&channel.0),
            };
            assert!(is_named, "UP-18: {:?} of message {id}", seen.peer);
        }
    }

    /// A slice holds no more events than were asked for (UP-8).
    fn check_size(&self, messages: &[enums::Message], updates: &[enums::Update]) {
        let Some(limit) = self
            .habits
            .slice
            .filter(|_| self.habits.layer.number() >= PTS_LIMIT_SINCE)
        else {
            return;
        };
        let events = messages.len() + updates.iter().filter_map(pts_of).count();
        assert!(
            i32::try_from(events).is_ok_and(|events| events <= limit),
            "UP-8: {events} events of {limit}"
        );
    }

    /// Read marks never fall (UP-21). What a list showed may be newer than the events that are still to come.
    fn check_mark(&self, update: &enums::Update) {
        let (peer, new, marks) = match update {
            enums::Update::UpdateReadHistoryInbox(u) => (&u.peer, u.max_id, &self.knows.read_inbox),
            enums::Update::UpdateReadHistoryOutbox(u) => (&u.peer, u.max_id, &self.knows.read_outbox),
            _ => return,
        };
        let old = marks.get(&peer_of(peer)).copied().unwrap_or(0);
        assert!(
            new > old || self.refetched,
            "UP-21: a mark went from {old} to {new}"
        );
    }

    fn take(&mut self, messages: &[enums::Message], updates: Vec<enums::Update>) {
        let ids = messages.iter().filter_map(seen).map(|(id, _)| id);
        for id in ids {
            assert!(id > self.newest, "UP-15: {id} came after {}", self.newest);
            self.newest = id;
        }
        messages.iter().for_each(|message| self.knows.put(message));
        let order: Vec<i32> = updates.iter().filter_map(pts_of).map(|(pts, _)| pts).collect();
        assert!(order.is_sorted(), "UP-7: not in order: {order:?}");
        for update in updates {
            self.check_mark(&update);
            self.knows.change(update);
        }
    }

    fn arrive(&mut self, state: &enums::updates::State) {
        let enums::updates::State::State(types::updates::State { pts, date, seq, .. }) = state;
        assert_eq!(*seq, 0, "UP-26");
        assert!(*pts >= self.pts, "UP-2: pts fell from {} to {pts}", self.pts);
        self.moves.push((*pts, *pts - self.pts));
        self.pts = *pts;
        self.pass(*date);
    }

    fn pass(&mut self, date: i32) {
        assert!(
            date >= self.date,
            "UP-27: the date fell from {} to {date}",
            self.date
        );
        self.date = date;
    }

    /// Compares what it knows with what the server holds.
    ///
    /// # Panics
    /// When they differ (UP-5).
    pub fn check(&self, truth: &Knowledge, who: &str) {
        let (mut knows, mut truth) = (self.knows.clone(), truth.clone());
        if self.misled {
            knows.uncounted.clone_from(&truth.uncounted);
        }
        if self.refetched {
            (knows, truth) = (knows.listed(), truth.listed());
        }
        assert_eq!(knows, truth, "UP-5, UP-11, UP-25: {who}");
    }

    /// Where it is.
    #[must_use]
    pub fn pts(&self) -> i32 {
        self.pts
    }
}

fn message_of(update: &enums::Update) -> Option<&enums::Message> {
    match update {
        enums::Update::UpdateNewMessage(u) => Some(&u.message),
        enums::Update::UpdateEditMessage(u) => Some(&u.message),
        _ => None,
    }
}

fn ids_of<T>(all: &[T], id: impl Fn(&T) -> i64) -> Vec<i64> {
    all.iter().map(id).collect()
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
