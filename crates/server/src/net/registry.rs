//! The sessions of this node, whatever connections carry them (EN-5).

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use havre_api::live::{Outlet, SessionRef};
use havre_metrics::{Metrics, Undelivered};
use havre_mtproto::session::{ConnectionId, Session};
use havre_mtproto::time::Millis;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Notify, Semaphore};

use crate::env::now;

/// How long a session without a connection is kept: what was pushed to it meanwhile goes out when the client
/// comes back. Later a client is told that its session is new, and catches up.
const KEPT_MS: i64 = 5 * 60_000;

/// Most calls of one session that run at once; the next waits, and so does its connection.
const CALLS_MAX: usize = 64;

/// A session, and who carries it.
pub struct Slot {
    /// Key and id.
    pub name: SessionRef,
    /// Places for running calls.
    pub calls: Arc<Semaphore>,
    /// Notified whenever a call has been answered, for calls that are to run after it.
    pub answered: Notify,
    state: Mutex<State>,
    /// Set while a wake-up waits in the carrier's queue: one is enough.
    woken: AtomicBool,
}

struct State {
    session: Session,
    carrier: Option<Carrier>,
    /// When the last connection went.
    alone_since: Millis,
}

struct Carrier {
    connection: ConnectionId,
    wake: UnboundedSender<Arc<Slot>>,
}

impl Slot {
    fn new(name: SessionRef) -> Self {
        Self {
            name,
            calls: Arc::new(Semaphore::new(CALLS_MAX)),
            answered: Notify::new(),
            state: Mutex::new(State {
                session: Session::new(name.key.0, name.id),
                carrier: None,
                alone_since: now(),
            }),
            woken: AtomicBool::new(false),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something to the session.
    pub fn with<T>(&self, deed: impl FnOnce(&mut Session) -> T) -> T {
        deed(&mut self.state().session)
    }

    /// Does something to the session, after which there may be something to send.
    pub fn with_output<T>(self: &Arc<Self>, deed: impl FnOnce(&mut Session) -> T) -> T {
        let mut state = self.state();
        let result = deed(&mut state.session);
        if let Some(carrier) = &state.carrier
            && !self.woken.swap(true, Ordering::AcqRel)
        {
            // A carrier that is closing lets the session go in a moment, and the next one asks by itself.
            let _ = carrier.wake.send(Arc::clone(self));
        }
        result
    }

    /// The carrier has heard of the wake-up; a later one is sent again.
    pub fn heard(&self) {
        self.woken.store(false, Ordering::Release);
    }

    /// Makes a connection the carrier; what the one before carried without an acknowledgement goes out again.
    pub fn carry(&self, connection: ConnectionId, wake: &UnboundedSender<Arc<Slot>>) {
        let mut state = self.state();
        match &state.carrier {
            Some(carrier) if carrier.connection == connection => return,
            Some(before) => {
                let before = before.connection;
                state.session.connection_closed(before);
            }
            None => {}
        }
        state.carrier = Some(Carrier {
            connection,
            wake: wake.clone(),
        });
        self.heard();
    }

    /// A connection is gone.
    pub fn leave(&self, connection: ConnectionId) {
        let mut state = self.state();
        state.session.connection_closed(connection);
        if state
            .carrier
            .as_ref()
            .is_some_and(|carrier| carrier.connection == connection)
        {
            state.carrier = None;
            state.alone_since = now();
        }
    }

    /// Whether a connection carries the session.
    pub fn is_carried_by(&self, connection: ConnectionId) -> bool {
        self.state()
            .carrier
            .as_ref()
            .is_some_and(|carrier| carrier.connection == connection)
    }

    fn is_stale(&self, now: Millis) -> bool {
        let state = self.state();
        state.carrier.is_none() && now > state.alone_since.plus(KEPT_MS)
    }
}

/// All sessions.
pub struct Registry {
    slots: Mutex<HashMap<SessionRef, Arc<Slot>>>,
    sessions_max: usize,
    metrics: Arc<Metrics>,
}

impl Registry {
    /// At most so many sessions.
    pub fn new(sessions_max: usize, metrics: Arc<Metrics>) -> Self {
        Self {
            slots: Mutex::default(),
            sessions_max,
            metrics,
        }
    }

    /// Sessions that are kept now.
    pub fn len(&self) -> usize {
        self.slots().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<SessionRef, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session of that name, new if need be; nothing when there are too many.
    pub fn enter(&self, name: SessionRef) -> Option<Arc<Slot>> {
        let mut slots = self.slots();
        if let Some(slot) = slots.get(&name) {
            return Some(Arc::clone(slot));
        }
        if slots.len() >= self.sessions_max {
            return None;
        }
        let slot = Arc::new(Slot::new(name));
        slots.insert(name, Arc::clone(&slot));
        Some(slot)
    }

    /// Forgets a session; true if there was one.
    pub fn remove(&self, name: SessionRef) -> bool {
        self.slots().remove(&name).is_some()
    }

    /// Forgets the sessions that nobody came back to, and says which.
    pub fn sweep(&self, now: Millis) -> Vec<SessionRef> {
        let mut slots = self.slots();
        let stale = slots.extract_if(|_, slot| slot.is_stale(now));
        stale.map(|(name, _)| name).collect()
    }
}

impl Outlet for Registry {
    fn push(&self, session: SessionRef, body: Vec<u8>) {
        let slot = self.slots().get(&session).map(Arc::clone);
        match slot {
            Some(slot) => slot.with_output(|session| session.push(now(), body)),
            None => self.metrics.pushes_dropped.of(Undelivered::Gone).inc(),
        }
    }
}

/// How often stale sessions are looked for.
pub const SWEEP_EVERY: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;
    use havre_domain::ids::AuthKeyId;
    use tokio::sync::mpsc::unbounded_channel;

    fn name(id: i64) -> SessionRef {
        SessionRef {
            key: AuthKeyId(7),
            id,
        }
    }

    #[test]
    fn a_push_wakes_the_carrier_once_until_it_has_heard() {
        let registry = Registry::new(10, Arc::default());
        let slot = registry.enter(name(1)).unwrap();
        let (wake, mut woken) = unbounded_channel();
        slot.carry(ConnectionId(1), &wake);
        registry.push(name(1), vec![1; 4]);
        registry.push(name(1), vec![2; 4]);
        registry.push(name(2), vec![3; 4]);
        assert!(woken.try_recv().is_ok() && woken.try_recv().is_err());
        assert_eq!(registry.metrics.pushes_dropped.of(Undelivered::Gone).count(), 1);
        slot.heard();
        registry.push(name(1), vec![4; 4]);
        assert!(woken.try_recv().is_ok());
    }

    #[test]
    fn a_session_outlives_its_connection_for_a_while() {
        let registry = Registry::new(1, Arc::default());
        let slot = registry.enter(name(1)).unwrap();
        let (wake, _woken) = unbounded_channel();
        slot.carry(ConnectionId(1), &wake);
        assert!(registry.enter(name(2)).is_none(), "one session is the most here");
        assert_eq!(registry.sweep(now().plus(KEPT_MS * 2)), []);
        slot.leave(ConnectionId(1));
        assert_eq!(registry.sweep(now()), []);
        assert_eq!(registry.sweep(now().plus(KEPT_MS * 2)), [name(1)]);
        assert!(registry.enter(name(2)).is_some());
    }

    #[test]
    fn an_old_connection_does_not_take_the_session_from_the_new_one() {
        let registry = Registry::new(10, Arc::default());
        let slot = registry.enter(name(1)).unwrap();
        let (wake, _woken) = unbounded_channel();
        slot.carry(ConnectionId(1), &wake);
        slot.carry(ConnectionId(2), &wake);
        slot.leave(ConnectionId(1));
        assert!(slot.is_carried_by(ConnectionId(2)));
    }
}
