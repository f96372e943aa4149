//! What all connections share, and the way of a call from a session to the API and back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use havre_api::dispatch::{self, Api, Call, Reply};
use havre_api::keys::Kept;
use havre_domain::ids::{AuthKeyId, Time};
use havre_metrics::{Handshake, Metrics, Spoilt};
use havre_mtproto::connection::KeyLookup;
use havre_mtproto::crypto::AuthKey;
use havre_mtproto::handshake::{Identity, NewKey, Stored};
use havre_mtproto::salts::Salts;
use havre_mtproto::session::{Answer, ConnectionId, Fate};
use havre_mtproto::time::Millis;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::admission::Admission;
use super::registry::{Registry, SWEEP_EVERY, Slot};
use crate::env::now;
use crate::lanes::Lane;

/// How long a call waits for those that it is to run after (RP-1).
const WAIT_FOR_OTHERS: Duration = Duration::from_secs(5);

/// How long a client waits for an answer at most (RP-10).
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Where connections are served: those of people who are logged in, and all others.
pub struct Sides {
    /// The server's runtime.
    pub inside: Handle,
    /// A runtime that gives way to it.
    pub newcomers: Handle,
    /// Places for connections on it.
    pub places: Arc<Semaphore>,
}

/// Who is on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Nobody knows yet.
    Unknown,
    /// Somebody who is logged in.
    Inside,
    /// Somebody who is not.
    Newcomers,
}

impl Side {
    /// Whether connections of both sides are served on the same runtime.
    pub fn is_same_place(self, other: Self) -> bool {
        (self == Self::Newcomers) == (other == Self::Newcomers)
    }
}

impl Sides {
    /// Where connections of a side are served.
    pub fn runtime(&self, side: Side) -> Handle {
        match side {
            Side::Unknown | Side::Inside => self.inside.clone(),
            Side::Newcomers => self.newcomers.clone(),
        }
    }

    /// A place for one more newcomer, if there is one.
    pub fn newcomer(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }
}

/// What all connections share.
pub struct Gateway {
    /// Who answers calls.
    pub api: Arc<Api>,
    /// Keys and data centre, for handshakes.
    pub identity: Identity,
    /// Salts of this server.
    pub salts: Salts,
    /// Where the arithmetic of handshakes runs.
    pub handshakes: Lane,
    /// Who may connect.
    pub admission: Admission,
    /// Where connections are served.
    pub sides: Sides,
    /// The sessions.
    pub registry: Arc<Registry>,
    /// Where what happens is counted.
    pub metrics: Arc<Metrics>,
    /// Whether the listener takes connections: not yet at start, not while the system refuses, no more when
    /// the server stops.
    pub accepting: AtomicBool,
    connections: AtomicU64,
}

impl Gateway {
    /// A gateway to `api`; pushes go through it from now on.
    pub fn new(
        api: Arc<Api>,
        identity: Identity,
        handshakes: Lane,
        admission: Admission,
        sides: Sides,
    ) -> Arc<Self> {
        // Sessions outlive connections for a while, and file transfers have sessions of their own.
        let metrics = Arc::clone(&api.metrics);
        let sessions_max = admission.connections_max().saturating_mul(4);
        let registry = Arc::new(Registry::new(sessions_max, Arc::clone(&metrics)));
        api.set_outlet(Arc::clone(&registry) as Arc<_>);
        let salts = Salts::new(api.salt_secret());
        Arc::new(Self {
            api,
            identity,
            salts,
            handshakes,
            admission,
            sides,
            registry,
            metrics,
            accepting: AtomicBool::new(false),
            connections: AtomicU64::new(0),
        })
    }

    /// A name for a new connection.
    pub fn connection_id(&self) -> ConnectionId {
        ConnectionId(self.connections.fetch_add(1, Ordering::Relaxed))
    }

    /// Looks a key up. Only a store that answered may say that there is no such key (TR-8).
    pub async fn find_key(&self, id: i64) -> KeyLookup {
        match self.api.key_secret(AuthKeyId(id)).await {
            Ok(Some((secret, expires))) => match (AuthKey::from_slice(&secret), expires) {
                (Some(key), Some(at)) => KeyLookup::Temporary(key, Millis(at.0 * 1000)),
                (Some(key), None) => KeyLookup::Found(key),
                (None, _) => KeyLookup::Unavailable,
            },
            Ok(None) => {
                self.metrics.packets_spoilt.of(Spoilt::UnknownKey).inc();
                KeyLookup::NoSuchKey
            }
            Err(fault) => {
                tracing::error!(%fault, "a key could not be looked up");
                KeyLookup::Unavailable
            }
        }
    }

    /// Keeps a new key; it is durable when this returns (HS-12).
    pub async fn keep_key(&self, new: &NewKey) -> Option<Stored> {
        let expires = new.expires.map(|at| Time(i64::from(at.seconds())));
        match self
            .api
            .keep_key(AuthKeyId(new.key.id()), new.key.secret(), expires)
            .await
        {
            Ok(Kept::Kept) => {
                self.metrics.handshakes_done.inc();
                Some(Stored::Kept)
            }
            Ok(Kept::Taken) => Some(Stored::Taken),
            Err(fault) => {
                self.metrics.handshakes_refused.of(Handshake::Store).inc();
                tracing::error!(%fault, "a new key could not be kept");
                None
            }
        }
    }

    /// Runs a call beside the connection and gives the answer to its session.
    pub fn run(self: &Arc<Self>, slot: &Arc<Slot>, place: OwnedSemaphorePermit, call: Call) {
        let (gateway, slot) = (Arc::clone(self), Arc::clone(slot));
        tokio::spawn(async move {
            let msg_id = call.msg_id;
            let answer = gateway.answer(&slot, call).await;
            slot.with_output(|session| session.answer(now(), msg_id, answer));
            slot.answered.notify_waiters();
            drop(place);
        });
    }

    async fn answer(&self, slot: &Slot, call: Call) -> Answer {
        if let Err(refusal) = others_done(slot, &dispatch::runs_after(&call.body)).await {
            return Answer::Error(400, refusal.to_owned());
        }
        let api = Arc::clone(&self.api);
        awaited(async move { api.call(call).await }, ANSWER_WITHIN).await
    }

    /// Forgets sessions that nobody came back to and delivers what a crash left undelivered; for ever.
    pub async fn keep_house(&self) {
        loop {
            if let Err(fault) = self.api.sweep().await {
                tracing::error!(%fault, "undelivered effects could not be looked for");
            }
            for session in self.registry.sweep(now()) {
                self.api.session_closed(session).await;
            }
            tokio::time::sleep(SWEEP_EVERY).await;
        }
    }
}

/// Waits for a call for so long; it runs to its end whatever happens (RP-10).
async fn awaited(call: impl Future<Output = Reply> + Send + 'static, patience: Duration) -> Answer {
    match tokio::time::timeout(patience, tokio::spawn(call)).await {
        Ok(Ok(Reply::Result(bytes))) => Answer::Result(bytes),
        Ok(Ok(Reply::Error(error))) => Answer::Error(error.code, error.text.into_owned()),
        Ok(Err(_panicked)) => Answer::Error(500, "INTERNAL".into()),
        Err(_elapsed) => Answer::Error(500, "TIMEOUT".into()),
    }
}

/// Waits until the calls of these messages are answered with a result.
async fn others_done(slot: &Slot, others: &[i64]) -> Result<(), &'static str> {
    let all_done = async {
        for other in others {
            loop {
                let answered = slot.answered.notified();
                match slot.with(|session| session.fate(*other)) {
                    Fate::Running => answered.await,
                    Fate::Failed => return Err("MSG_WAIT_FAILED"),
                    Fate::Succeeded | Fate::Unknown => break,
                }
            }
        }
        Ok(())
    };
    tokio::time::timeout(WAIT_FOR_OTHERS, all_done)
        .await
        .unwrap_or(Err("MSG_WAIT_TIMEOUT"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use havre_api::live::SessionRef;
    use havre_mtproto::packet::Message;

    /// A session in which a call with this id runs.
    fn slot(msg_id: i64) -> Arc<Slot> {
        let name = SessionRef {
            key: AuthKeyId(7),
            id: 1,
        };
        let slot = Registry::new(1, Arc::default()).enter(name).unwrap();
        let salts = Salts::new([5; 32]);
        let salt = salts.current(7, now());
        let call = Message {
            msg_id,
            seq_no: 1,
            body: vec![9; 4],
        };
        slot.with(|session| session.handle(now(), &salts, (salt, None), call, 1));
        slot
    }

    fn answer(slot: &Slot, msg_id: i64, answer: Answer) {
        slot.with(|session| session.answer(now(), msg_id, answer));
        slot.answered.notify_waiters();
    }

    #[tokio::test]
    async fn rp_10_who_waits_too_long_is_told_so_and_the_call_goes_on() {
        let (done, is_done) = tokio::sync::oneshot::channel();
        let slow = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            done.send(()).unwrap();
            Reply::Result(vec![1; 4])
        };
        let answer = awaited(slow, Duration::from_millis(5)).await;
        assert!(matches!(answer, Answer::Error(500, text) if text == "TIMEOUT"));
        is_done.await.unwrap();
        let quick = std::future::ready(Reply::Result(vec![1; 4]));
        let answer = awaited(quick, Duration::from_secs(5)).await;
        assert!(matches!(answer, Answer::Result(bytes) if bytes == [1; 4]));
    }

    #[tokio::test]
    async fn rp_1_a_call_waits_for_the_one_that_it_is_to_run_after() {
        let msg_id = now().msg_id();
        let slot = slot(msg_id);
        let waiting = tokio::spawn({
            let slot = Arc::clone(&slot);
            async move { others_done(&slot, &[msg_id]).await }
        });
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!waiting.is_finished());
        answer(&slot, msg_id, Answer::Result(vec![]));
        assert_eq!(waiting.await.unwrap(), Ok(()));
        assert_eq!(
            others_done(&slot, &[msg_id]).await,
            Ok(()),
            "and not when it is done"
        );
    }

    #[tokio::test]
    async fn rp_1_a_call_fails_with_the_one_that_it_is_to_run_after() {
        let msg_id = now().msg_id();
        let slot = slot(msg_id);
        answer(&slot, msg_id, Answer::Error(420, "FLOOD_WAIT_3".to_owned()));
        let others = [msg_id + 4, msg_id];
        assert_eq!(others_done(&slot, &others).await, Err("MSG_WAIT_FAILED"));
    }

    #[tokio::test]
    async fn rp_1_a_call_does_not_wait_for_what_nobody_knows() {
        let msg_id = now().msg_id();
        let slot = slot(msg_id);
        assert_eq!(others_done(&slot, &[msg_id - 4, msg_id + 4]).await, Ok(()));
    }

    #[tokio::test]
    async fn rp_1_a_call_does_not_wait_for_ever() {
        let msg_id = now().msg_id();
        assert_eq!(
            others_done(&slot(msg_id), &[msg_id]).await,
            Err("MSG_WAIT_TIMEOUT")
        );
    }
}
