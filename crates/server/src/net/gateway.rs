//! What all connections share, and the way of a call from a session to the API and back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use havre_api::dispatch::{self, Api, Call, Reply};
use havre_api::keys::Kept;
use havre_domain::ids::{AuthKeyId, Time};
use havre_mtproto::connection::KeyLookup;
use havre_mtproto::crypto::AuthKey;
use havre_mtproto::handshake::{Identity, NewKey, Stored};
use havre_mtproto::salts::Salts;
use havre_mtproto::session::{Answer, ConnectionId, Fate};
use tokio::sync::OwnedSemaphorePermit;

use super::admission::Admission;
use super::registry::{Registry, SWEEP_EVERY, Slot};
use crate::env::now;
use crate::lanes::Lane;

/// How long a call waits for those that it is to run after (RP-1).
const WAIT_FOR_OTHERS: Duration = Duration::from_secs(5);

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
    /// The sessions.
    pub registry: Arc<Registry>,
    connections: AtomicU64,
}

impl Gateway {
    /// A gateway to `api`; pushes go through it from now on.
    pub fn new(api: Arc<Api>, identity: Identity, handshakes: Lane, admission: Admission) -> Arc<Self> {
        // Sessions outlive connections for a while, and file transfers have sessions of their own.
        let registry = Arc::new(Registry::new(admission.connections_max().saturating_mul(4)));
        api.set_outlet(Arc::clone(&registry) as Arc<_>);
        let salts = Salts::new(api.salt_secret());
        Arc::new(Self {
            api,
            identity,
            salts,
            handshakes,
            admission,
            registry,
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
            Ok(Some(secret)) => AuthKey::from_slice(&secret).map_or(KeyLookup::Unavailable, KeyLookup::Found),
            Ok(None) => KeyLookup::NoSuchKey,
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
            Ok(Kept::Kept) => Some(Stored::Kept),
            Ok(Kept::Taken) => Some(Stored::Taken),
            Err(fault) => {
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
        match self.api.call(call).await {
            Reply::Result(bytes) => Answer::Result(bytes),
            Reply::Error(error) => Answer::Error(error.code, error.text.into_owned()),
        }
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
