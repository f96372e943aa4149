//! Who is connected, and pushing to them: a session is told what happened in its person's box since it
//! was last told, read from the log of events. Pushes are therefore in order and complete (UP-20), and
//! whoever commits only has to say whose box changed.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use havre_domain::ids::{AuthKeyId, UserId};
use havre_domain::keys::partition;
use havre_domain::tx::Fault;
use havre_domain::updates::{self, Cursor, Event};
use havre_metrics::Undelivered;
use havre_tl::{Serialize as _, enums};

use crate::dispatch::Api;
use crate::error::Error;
use crate::{render, rooms};

/// Most events that one push or answer tells; whoever is further behind is told to catch up.
pub const PUSH_EVENTS_MAX: usize = 100;

/// Names a session of the wire: its transport key and session id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionRef {
    /// The key that its packets are encrypted with; temporary or permanent.
    pub key: AuthKeyId,
    /// Chosen by the client.
    pub id: i64,
}

/// Takes pushes to the wire.
pub trait Outlet: Send + Sync + 'static {
    /// Queues an API object, encoded in the session's layer, for a session. Never blocks; a session
    /// that is gone or too slow is the outlet's affair.
    fn push(&self, session: SessionRef, body: Vec<u8>);
}

/// Events that an answer already told to the session that asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// Whose events.
    pub user: UserId,
    /// After this place.
    pub from: Cursor,
    /// Up to this place.
    pub to: Cursor,
    /// The session that asked.
    pub session: SessionRef,
}

#[derive(Clone, Copy)]
struct Subscriber {
    session: SessionRef,
    layer: i32,
}

#[derive(Default)]
struct Person {
    subscribers: Vec<Subscriber>,
    /// What was pushed so far; nothing while nobody is connected.
    cursor: Option<Cursor>,
    pumping: bool,
    /// Changes of the box that were not looked at.
    changes: usize,
    /// A push could not be made; it is made when the house is swept.
    behind: bool,
    told: Vec<Told>,
}

impl Person {
    /// Passes over a change that everybody who is connected was told of in an answer, without a look at it.
    fn pass_over_told(&mut self) {
        let Some(cursor) = self.cursor else { return };
        let only = |t: &Told| self.subscribers.iter().all(|s| s.session == t.session);
        if let Some(at) = self.told.iter().position(|t| t.from == cursor && only(t)) {
            self.cursor = Some(self.told.swap_remove(at).to);
            self.changes = self.changes.saturating_sub(1);
        }
    }
}

#[derive(Default)]
struct State {
    people: HashMap<UserId, Person>,
    /// Sessions of a permanent key, subscribed or not.
    keys: HashMap<AuthKeyId, Vec<Subscriber>>,
}

/// Who is connected to this node.
#[derive(Default)]
pub struct Live {
    state: Mutex<State>,
}

impl Live {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held cannot have left the maps half-changed in a way that matters.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a session and its layer. `user` is given when it wants pushes.
    pub fn note(&self, key: AuthKeyId, session: SessionRef, layer: i32, user: Option<UserId>) {
        let mut state = self.state();
        let subscriber = Subscriber { session, layer };
        upsert(state.keys.entry(key).or_default(), subscriber);
        if let Some(user) = user {
            upsert(&mut state.people.entry(user).or_default().subscribers, subscriber);
        }
    }

    /// Forgets a session.
    pub fn forget(&self, key: AuthKeyId, session: SessionRef, user: Option<UserId>) {
        let mut state = self.state();
        if let Some(sessions) = state.keys.get_mut(&key) {
            sessions.retain(|s| s.session != session);
            if sessions.is_empty() {
                state.keys.remove(&key);
            }
        }
        if let Some(person) = user.and_then(|user| state.people.get_mut(&user)) {
            person.subscribers.retain(|s| s.session != session);
        }
        if let Some(user) = user
            && state.people.get(&user).is_some_and(|p| p.subscribers.is_empty())
        {
            state.people.remove(&user);
        }
    }

    /// The sessions of a permanent key.
    #[must_use]
    pub fn sessions_of(&self, key: AuthKeyId) -> Vec<(SessionRef, i32)> {
        self.state()
            .keys
            .get(&key)
            .into_iter()
            .flatten()
            .map(|s| (s.session, s.layer))
            .collect()
    }

    /// Ends the pushes of one login of a person.
    pub fn unsubscribe(&self, user: UserId, key: AuthKeyId) {
        let mut state = self.state();
        let ended: Vec<SessionRef> = state
            .keys
            .get(&key)
            .into_iter()
            .flatten()
            .map(|s| s.session)
            .collect();
        if let Some(person) = state.people.get_mut(&user) {
            person.subscribers.retain(|s| !ended.contains(&s.session));
            if person.subscribers.is_empty() {
                state.people.remove(&user);
            }
        }
    }

    /// Whether anybody is connected as this person.
    #[must_use]
    pub fn is_connected(&self, user: UserId) -> bool {
        self.state().people.contains_key(&user)
    }

    /// Looks at somebody who is connected; false when nobody is.
    fn person(&self, user: UserId, look: impl FnOnce(&mut Person) -> bool) -> bool {
        self.state().people.get_mut(&user).is_some_and(look)
    }

    /// People whose last push could not be made.
    pub fn behind(&self) -> Vec<UserId> {
        let state = self.state();
        let behind = state.people.iter().filter(|(_, person)| person.behind);
        behind.map(|(user, _)| *user).collect()
    }

    /// How many people somebody is connected as.
    #[must_use]
    pub fn people(&self) -> usize {
        self.state().people.len()
    }

    fn subscribers(&self, user: UserId) -> Vec<Subscriber> {
        self.state()
            .people
            .get(&user)
            .map(|p| p.subscribers.clone())
            .unwrap_or_default()
    }
}

/// Adds or replaces a session.
fn upsert(sessions: &mut Vec<Subscriber>, subscriber: Subscriber) {
    match sessions.iter_mut().find(|s| s.session == subscriber.session) {
        Some(known) => *known = subscriber,
        None => sessions.push(subscriber),
    }
}

impl Api {
    /// Subscribes a session to a person's pushes; what happened before is not pushed (UP-28).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn subscribe(
        self: &Arc<Self>,
        key: AuthKeyId,
        session: SessionRef,
        layer: i32,
        user: UserId,
    ) -> Result<(), Error> {
        self.live.note(key, session, layer, Some(user));
        if self.live.person(user, |p| p.cursor.is_none()) {
            let mut world = self.world();
            let now = updates::cursor(world.view_user(user)).await?;
            self.enter_rooms(user).await?;
            let missed = self.live.person(user, |p| {
                p.cursor.get_or_insert(now);
                p.changes > 0
            });
            if missed {
                self.notify(user, None);
            }
        }
        Ok(())
    }

    /// Says that a person's box changed. Their sessions are pushed what they do not know.
    pub fn notify(self: &Arc<Self>, user: UserId, told: Option<Told>) {
        let start = {
            let mut state = self.live.state();
            let Some(person) = state.people.get_mut(&user) else {
                return;
            };
            person.told.extend(told.filter(|t| t.user == user));
            person.changes += 1;
            !std::mem::replace(&mut person.pumping, true)
        };
        if start {
            let api = self.clone();
            self.env.spawn(Box::pin(async move { api.pump(user).await }));
        }
    }

    async fn pump(self: Arc<Self>, user: UserId) {
        while let Some((from, told)) = self.next_pump(user) {
            let done = self.push_since(user, from, &told).await;
            let mut state = self.live.state();
            let Some(person) = state.people.get_mut(&user) else {
                return;
            };
            match done {
                Ok(Some((to, more))) => {
                    person.cursor = Some(to);
                    person.told.retain(|t| t.to > to);
                    person.changes += usize::from(more);
                }
                Ok(None) => {}
                // The box changed between two looks at it: whoever changed it got on, so this ends.
                Err(Error::Fault(Fault::Conflict)) => person.changes += 1,
                Err(error) => {
                    tracing::error!(?error, "a push could not be made");
                    person.behind = true;
                }
            }
        }
    }

    /// Where to push from, or nothing when everything was pushed: then pumping ends.
    fn next_pump(&self, user: UserId) -> Option<(Cursor, Vec<Told>)> {
        let mut state = self.live.state();
        let person = state.people.get_mut(&user)?;
        person.pass_over_told();
        match person.cursor.filter(|_| person.changes > 0) {
            Some(cursor) => {
                (person.changes, person.behind) = (0, false);
                Some((cursor, person.told.clone()))
            }
            None => {
                person.pumping = false;
                None
            }
        }
    }

    /// Pushes events after `from`. Returns the place after them and whether there may be more; nothing when
    /// there are none.
    async fn push_since(
        self: &Arc<Self>,
        user: UserId,
        from: Cursor,
        told: &[Told],
    ) -> Result<Option<(Cursor, bool)>, Error> {
        let mut world = self.world();
        let tx = world.view_user(user);
        if from.pts < updates::counters(tx).await?.log_start {
            self.tell(user, &enums::Updates::UpdatesTooLong);
            // Among what was forgotten may be the end of a login: whoever asks for a difference is
            // subscribed again if it is not theirs.
            self.live.state().people.remove(&user);
            return Ok(None);
        }
        let (events, to) = updates::beyond(tx, from, PUSH_EVENTS_MAX).await?;
        if events.is_empty() {
            return Ok(None);
        }
        let mut joined = BTreeSet::new();
        for placed in &events {
            match placed.event {
                Event::LoggedOut(key) => self.live.unsubscribe(user, key),
                Event::Channel(channel) if self.follow_room(user, channel).await? => {
                    joined.insert(channel);
                }
                _ => {}
            }
        }
        let more = events.len() >= PUSH_EVENTS_MAX;
        let mut listeners = self.live.subscribers(user);
        listeners.retain(|s| {
            let knows = |t: &Told| t.session == s.session && t.from <= from && to <= t.to;
            !told.iter().any(knows)
        });
        if listeners.is_empty() {
            return Ok(Some((to, more)));
        }
        let mut updates = render::updates(&mut world, user, &events).await?;
        // What was said before they were brought in was not pushed to them.
        for channel in joined {
            let tx = world.view(partition::channel(channel));
            let pts = updates::counters(tx).await?.pts.0;
            updates.updates.push(rooms::too_long(channel, pts));
        }
        if !updates.updates.is_empty() {
            let body = enums::Updates::Updates(updates).to_bytes();
            self.push_to(listeners.into_iter(), &body);
        }
        Ok(Some((to, more)))
    }

    /// Pushes something that is not kept to all sessions of a person.
    pub fn tell(&self, user: UserId, updates: &enums::Updates) {
        self.push_to(self.live.subscribers(user).into_iter(), &updates.to_bytes());
    }

    /// Pushes something that is not kept to the sessions of people but for some.
    pub(crate) fn tell_except(&self, people: &[UserId], updates: &enums::Updates, but: &[SessionRef]) {
        let subscribers = people.iter().flat_map(|user| self.live.subscribers(*user));
        let mut listeners: Vec<Subscriber> = subscribers.collect();
        listeners.retain(|s| !but.contains(&s.session));
        if !listeners.is_empty() {
            self.push_to(listeners.into_iter(), &updates.to_bytes());
        }
    }

    /// Pushes something to all sessions of a key, logged in or not.
    pub fn tell_key(&self, key: AuthKeyId, updates: &enums::Updates) {
        let sessions = self.live.sessions_of(key).into_iter();
        self.push_to(
            sessions.map(|(session, layer)| Subscriber { session, layer }),
            &updates.to_bytes(),
        );
    }

    fn push_to(&self, subscribers: impl Iterator<Item = Subscriber>, canonical: &[u8]) {
        let mut encoded: Vec<(i32, Vec<u8>)> = Vec::new();
        for Subscriber { session, layer } in subscribers {
            if !encoded.iter().any(|(l, _)| *l == layer) {
                match crate::wire::encode(layer, canonical) {
                    Ok(body) => encoded.push((layer, body)),
                    Err(error) => {
                        self.metrics.pushes_dropped.of(Undelivered::Layer).inc();
                        tracing::error!(layer, %error, "a push cannot be said in this layer");
                        continue;
                    }
                }
            }
            if let Some((_, body)) = encoded.iter().find(|(l, _)| *l == layer) {
                self.metrics.pushes.inc();
                self.outlet().push(session, body.clone());
            }
        }
    }
}
