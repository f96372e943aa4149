//! Channels whose members are connected, and pushing to them. A channel's log is read once for each change,
//! however many listen, and told to them one by one; whoever cannot be told is told how far the channel has come.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use havre_domain::channel_members::{self, Member, Standing};
use havre_domain::ids::{ChannelId, Peer, UserId};
use havre_domain::keys::{self, partition};
use havre_domain::messages;
use havre_domain::tx::{Fault, Tx};
use havre_domain::updates::{self, Cursor, Event, Placed};
use havre_tl::{enums, types};

use crate::dispatch::Api;
use crate::error::Error;
use crate::live::{PUSH_EVENTS_MAX, SessionRef};
use crate::render;

/// Events of a channel that an answer already told to the session that asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// After this place.
    pub from: Cursor,
    /// Up to this place.
    pub to: Cursor,
    /// The session that asked.
    pub session: SessionRef,
}

#[derive(Default)]
struct Room {
    /// Members who were connected when the channel was last looked at.
    people: BTreeSet<UserId>,
    /// What was pushed so far; nothing until it is known where the log ended when the first came.
    cursor: Option<Cursor>,
    pumping: bool,
    /// Changes of the channel that were not looked at.
    changes: usize,
    /// A push could not be made; it is made when the house is swept.
    behind: bool,
    told: Vec<Told>,
}

/// The channels that somebody connected to this node is in.
#[derive(Default)]
pub struct Rooms(Mutex<HashMap<ChannelId, Room>>);

impl Rooms {
    fn rooms(&self) -> MutexGuard<'_, HashMap<ChannelId, Room>> {
        // A panic while the lock was held cannot have left the map half-changed in a way that matters.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a change of a channel is told by an answer, before anybody else is told of it.
    pub fn answered(&self, channel: ChannelId, told: Told) {
        if let Some(room) = self.rooms().get_mut(&channel) {
            room.told.push(told);
        }
    }

    /// Members who are connected, when they are few enough for each to be told alone.
    #[must_use]
    pub fn few(&self, channel: ChannelId) -> Vec<UserId> {
        let rooms = self.rooms();
        let few = rooms.get(&channel).filter(|room| room.people.len() <= EACH_MAX);
        few.map(|room| room.people.iter().copied().collect())
            .unwrap_or_default()
    }

    fn leave(&self, channel: ChannelId, gone: &[UserId]) {
        let mut rooms = self.rooms();
        let Some(room) = rooms.get_mut(&channel) else {
            return;
        };
        room.people.retain(|user| !gone.contains(user));
        if room.people.is_empty() {
            rooms.remove(&channel);
        }
    }

    /// Channels whose last push could not be made.
    fn behind(&self) -> Vec<ChannelId> {
        let rooms = self.rooms();
        let behind = rooms.iter().filter(|(_, room)| room.behind);
        behind.map(|(channel, _)| *channel).collect()
    }

    /// Lets people go who are connected no more.
    fn retain(&self, is_connected: impl Fn(UserId) -> bool) {
        self.rooms().retain(|_, room| {
            room.people.retain(|user| is_connected(*user));
            !room.people.is_empty()
        });
    }

    /// Where to push from and to whom, or nothing when everything was pushed: then pumping ends.
    fn next_pump(&self, channel: ChannelId) -> Option<(Cursor, Vec<UserId>, Vec<Told>)> {
        let mut rooms = self.rooms();
        let room = rooms.get_mut(&channel)?;
        match room.cursor.filter(|_| room.changes > 0) {
            Some(cursor) => {
                (room.changes, room.behind) = (0, false);
                Some((cursor, room.people.iter().copied().collect(), room.told.clone()))
            }
            None => {
                room.pumping = false;
                None
            }
        }
    }
}

impl Api {
    /// Brings somebody who is connected into all channels that they are in.
    ///
    /// # Errors
    /// [`Error`].
    pub(crate) async fn enter_rooms(self: &Arc<Self>, user: UserId) -> Result<(), Error> {
        let channels = channel_members::joined(self.world().view_user(user)).await?;
        for channel in channels {
            self.enter_room(user, channel).await?;
        }
        Ok(())
    }

    /// From here on somebody is told what happens in a channel, as long as they are connected.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn enter_room(self: &Arc<Self>, user: UserId, channel: ChannelId) -> Result<(), Error> {
        let is_new = {
            let mut rooms = self.rooms.rooms();
            let room = rooms.entry(channel).or_default();
            room.people.insert(user);
            room.cursor.is_none()
        };
        if is_new {
            let now = updates::cursor(self.world().view(partition::channel(channel))).await?;
            let mut rooms = self.rooms.rooms();
            let room = rooms.entry(channel).or_default();
            room.people.insert(user);
            room.cursor.get_or_insert(now);
            // What came between is in the log after this place, or was before it.
            let missed = room.changes > 0;
            drop(rooms);
            if missed {
                self.notify_room(channel);
            }
        }
        Ok(())
    }

    /// Brings somebody into a channel or out of it, as their box has it.
    ///
    /// # Errors
    /// [`Error`].
    pub(crate) async fn follow_room(
        self: &Arc<Self>,
        user: UserId,
        channel: ChannelId,
    ) -> Result<bool, Error> {
        let is_in = channel_members::is_in(self.world().view_user(user), channel).await?;
        if is_in {
            self.enter_room(user, channel).await?;
        } else {
            self.rooms.leave(channel, &[user]);
        }
        Ok(is_in)
    }

    /// Says that a channel changed. Its members who are connected are pushed what they do not know.
    pub fn notify_room(self: &Arc<Self>, channel: ChannelId) {
        let start = {
            let mut rooms = self.rooms.rooms();
            let Some(room) = rooms.get_mut(&channel) else {
                return;
            };
            room.changes += 1;
            !std::mem::replace(&mut room.pumping, true)
        };
        if start {
            let api = self.clone();
            self.env
                .spawn(Box::pin(async move { api.pump_room(channel).await }));
        }
    }

    async fn pump_room(self: Arc<Self>, channel: ChannelId) {
        while let Some((from, people, told)) = self.rooms.next_pump(channel) {
            let done = self.push_room(channel, from, &people, &told).await;
            let mut rooms = self.rooms.rooms();
            let Some(room) = rooms.get_mut(&channel) else {
                return;
            };
            match done {
                Ok((to, more)) => {
                    room.cursor = Some(to);
                    room.told.retain(|t| t.to > to);
                    room.changes += usize::from(more);
                }
                // The channel changed between two looks at it: whoever changed it got on, so this ends.
                Err(Error::Fault(Fault::Conflict)) => room.changes += 1,
                Err(error) => {
                    tracing::error!(?error, "a push to a channel could not be made");
                    room.behind = true;
                }
            }
        }
    }

    /// Pushes events after `from` to people. Returns the place after them and whether there may be more.
    async fn push_room(
        &self,
        channel: ChannelId,
        from: Cursor,
        people: &[UserId],
        told: &[Told],
    ) -> Result<(Cursor, bool), Error> {
        let mut world = self.world();
        let tx = world.view(partition::channel(channel));
        let counters = updates::counters(tx).await?;
        if from.pts < counters.log_start {
            for &user in people {
                self.tell_too_long(user, channel, counters.pts.0);
            }
            return Ok((updates::cursor(tx).await?, false));
        }
        let (events, to) = updates::beyond(tx, from, PUSH_EVENTS_MAX).await?;
        if events.is_empty() {
            return Ok((to, false));
        }
        let knows = |t: &&Told| t.from <= from && to <= t.to;
        let told: Vec<SessionRef> = told.iter().filter(knows).map(|t| t.session).collect();
        let (here, gone): (Vec<UserId>, Vec<UserId>) =
            people.iter().partition(|user| self.live.is_connected(**user));
        self.rooms.leave(channel, &gone);
        let crowd = match here.len() > EACH_MAX {
            true => authors(tx, channel, &events).await?,
            false => None,
        };
        let (each, crowd) = match crowd {
            None => (here, Vec::new()),
            Some(authors) => here.into_iter().partition(|user| authors.contains(user)),
        };
        for user in each {
            self.push_room_to(user, channel, &events, &told).await?;
        }
        self.push_crowd(channel, &events, &crowd, &told).await?;
        Ok((to, events.len() >= PUSH_EVENTS_MAX))
    }

    /// Pushes events to one member's sessions, but for those in `told`.
    async fn push_room_to(
        &self,
        user: UserId,
        channel: ChannelId,
        events: &[Placed],
        told: &[SessionRef],
    ) -> Result<(), Error> {
        // The channel may change while it is rendered.
        for _ in 0..RENDER_TRIES_MAX {
            match self.render_room(user, channel, events).await {
                Ok(Some(updates)) => {
                    self.tell_except(std::slice::from_ref(&user), &updates.into(), told);
                    return Ok(());
                }
                Ok(None) => return Ok(()),
                Err(Fault::Conflict) => {}
                Err(fault) => return Err(fault.into()),
            }
        }
        let pts = events.last().map_or(0, |last| last.pts.0);
        self.tell_too_long(user, channel, pts);
        Ok(())
    }

    /// Pushes what was said to many, none of whom said it: rendered once, with as much of who is named as anybody
    /// may see.
    async fn push_crowd(
        &self,
        channel: ChannelId,
        events: &[Placed],
        crowd: &[UserId],
        told: &[SessionRef],
    ) -> Result<(), Error> {
        if crowd.is_empty() {
            return Ok(());
        }
        let mut rendered = None;
        for _ in 0..RENDER_TRIES_MAX {
            match render::channel_updates_for_all(&mut self.world(), channel, events).await {
                Err(Fault::Conflict) => {}
                done => {
                    rendered = Some(done?.into());
                    break;
                }
            }
        }
        let pts = events.last().map_or(0, |last| last.pts.0);
        let updates = rendered.unwrap_or_else(|| self.too_long_updates(channel, pts));
        for chunk in crowd.chunks(CROWD_CHUNK) {
            let members = self.present(channel, chunk).await?;
            self.tell_except(&members, &updates, told);
            others_first().await;
        }
        Ok(())
    }

    /// Those who are in a channel, whatever their boxes know of it yet.
    async fn present(&self, channel: ChannelId, people: &[UserId]) -> Result<Vec<UserId>, Error> {
        let attendants: Vec<_> = people.iter().map(|user| keys::attendant(*user)).collect();
        let mut world = self.world();
        let tx = world.view(partition::channel(channel));
        let members = tx.get_many::<Member>(&attendants).await?;
        let present = members.into_iter().flatten().filter(|m| m.present);
        Ok(present.map(|m| m.user).collect())
    }

    /// Events as a member sees them; nothing for who is a member no more, whatever their box knows of it yet.
    async fn render_room(
        &self,
        user: UserId,
        channel: ChannelId,
        events: &[Placed],
    ) -> Result<Option<types::Updates>, Fault> {
        let mut world = self.world();
        let standing = Standing::load(world.view(partition::channel(channel)), user).await?;
        if !standing.is_some_and(|s| s.is_present()) {
            return Ok(None);
        }
        let updates = render::channel_updates(&mut world, user, channel, events).await?;
        Ok(Some(updates))
    }

    fn tell_too_long(&self, user: UserId, channel: ChannelId, pts: i32) {
        self.tell(user, &self.too_long_updates(channel, pts));
    }

    fn too_long_updates(&self, channel: ChannelId, pts: i32) -> enums::Updates {
        types::Updates {
            updates: vec![too_long(channel, pts)],
            date: self.env.now().date(),
            ..types::Updates::default()
        }
        .into()
    }

    /// Makes pushes to channels that could not be made, and forgets who is connected no more.
    pub(crate) fn sweep_rooms(self: &Arc<Self>) {
        self.rooms.retain(|user| self.live.is_connected(user));
        for channel in self.rooms.behind() {
            self.notify_room(channel);
        }
    }
}

/// Lets others run who are ready. Whoever wakes thousands at once makes all who come later wait behind them.
async fn others_first() {
    let mut waited = false;
    let once = |cx: &mut Context<'_>| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    };
    std::future::poll_fn(once).await;
}

/// Who wrote what these events bring; nothing when some of them are of another kind, which differ by who sees them.
async fn authors(
    tx: &mut Tx,
    channel: ChannelId,
    events: &[Placed],
) -> Result<Option<BTreeSet<UserId>>, Fault> {
    let mut authors = BTreeSet::new();
    for placed in events {
        match &placed.event {
            Event::Message(id) | Event::Edited(id) => {
                let said = messages::find_in(tx, Peer::Channel(channel), *id).await?;
                // What the channel says of itself may change how all see it.
                let Some(said) = said else { continue };
                if said.random_id.is_none() {
                    return Ok(None);
                }
                authors.insert(said.from);
            }
            Event::Deleted(_) => {}
            _ => return Ok(None),
        }
    }
    Ok(Some(authors))
}

/// Most members to whom each a push is rendered for them alone.
const EACH_MAX: usize = 50;
/// Members of a crowd who are pushed to at once: a millisecond or two of work for the threads that write to them.
const CROWD_CHUNK: usize = 64;
/// Times that a push is rendered while others change the channel.
const RENDER_TRIES_MAX: usize = 8;

/// A channel has come this far: whoever does not know it asks for the difference (UP-13).
#[must_use]
pub fn too_long(channel: ChannelId, pts: i32) -> enums::Update {
    types::UpdateChannelTooLong {
        channel_id: channel.0,
        pts: Some(pts),
    }
    .into()
}
