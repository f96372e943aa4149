//! Looks at a running server when somebody asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use havre_domain::keys;
use havre_metrics::Metrics;
use havre_store::Read;

use super::http::Watched;
use super::pace::{NOTED_EVERY, Pace};
use super::process;
use super::status::{self, Facts};
use crate::net::gateway::Gateway;

/// How long the store may take to answer a read before the server counts as not ready.
const STORE_PATIENCE: Duration = Duration::from_secs(2);

/// Sees all of a server.
pub struct Observer {
    gateway: Arc<Gateway>,
    batches: Arc<AtomicU64>,
    started: Instant,
    pace: Pace,
}

impl Observer {
    /// Looks at `gateway` and all behind it; `batches` counts what the store made durable.
    pub fn new(gateway: Arc<Gateway>, batches: Arc<AtomicU64>) -> Self {
        Self {
            gateway,
            batches,
            started: Instant::now(),
            pace: Pace::default(),
        }
    }

    /// Notes the counters now and then, so that [`Self::status`] can say how fast they grow; for ever.
    pub async fn keep_pace(&self) {
        loop {
            self.pace.note(Instant::now(), &self.gateway.metrics);
            tokio::time::sleep(NOTED_EVERY).await;
        }
    }

    /// One screen of text for the operator.
    pub fn status(&self) -> String {
        let metrics = self.measure();
        let facts = Facts {
            version: env!("CARGO_PKG_VERSION"),
            uptime: self.started.elapsed(),
            connections_max: self.gateway.admission.connections_max(),
            rates: self.pace.rates(Instant::now(), metrics),
        };
        status::screen(&facts, metrics)
    }

    /// The metrics, with those that are not counted but looked at as they are now.
    pub fn measure(&self) -> &Arc<Metrics> {
        let gateway = &self.gateway;
        let metrics = &gateway.metrics;
        metrics.connections.set(gateway.admission.len() as u64);
        metrics.buffered.set(gateway.admission.buffered_bytes() as u64);
        metrics.sessions.set(gateway.registry.len() as u64);
        metrics.people_online.set(gateway.api.live.people() as u64);
        metrics.handshake_queue.set(gateway.handshakes.waiting());
        metrics.store_batches.set(self.batches.load(Ordering::Relaxed));
        // Open files are counted one by one, and there is one for each connection: calls go on meanwhile.
        tokio::task::block_in_place(|| process::measure(metrics));
        metrics
    }

    async fn store_answers(&self) -> Result<(), String> {
        let (partition, reads) = (keys::partition::server(), [Read::Key(keys::once("secret"))]);
        let read = self.gateway.api.store.read(&partition, &reads);
        match tokio::time::timeout(STORE_PATIENCE, read).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("the store has not answered for {STORE_PATIENCE:?}")),
        }
    }
}

#[async_trait]
impl Watched for Observer {
    fn metrics(&self) -> String {
        self.measure().text()
    }

    async fn ready(&self) -> Result<(), String> {
        if !self.gateway.accepting.load(Ordering::Relaxed) {
            return Err("the listener does not accept connections".into());
        }
        self.store_answers().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use havre_api::dispatch::{Api, Parts, Settings};
    use havre_codes::exchange::Exchange;
    use havre_domain::toll::Limits;
    use havre_mtproto::handshake::Identity;
    use havre_store::blob::Blobs;
    use havre_store::engine::memory::Memory;
    use havre_store::{
        Commit, CommitError, EffectId, Partition, Pending, Snapshot, Store, StoreError, Version,
    };
    use std::sync::atomic::AtomicBool;
    use tokio::sync::Semaphore;

    use crate::env::System;
    use crate::lanes::Lane;
    use crate::net::admission::{Admission, Bounds};
    use crate::net::gateway::Sides;
    use crate::watch::store::WatchedStore;

    /// A store that reads until it is told to fail.
    struct Failing(Memory, Arc<AtomicBool>);

    #[async_trait]
    impl Store for Failing {
        async fn read(&self, partition: &Partition, reads: &[Read]) -> Result<Snapshot, StoreError> {
            if self.1.load(Ordering::Relaxed) {
                return Err(StoreError::Unavailable("the disk is gone".into()));
            }
            self.0.read(partition, reads).await
        }

        async fn commit(&self, commit: Commit) -> Result<Version, CommitError> {
            self.0.commit(commit).await
        }

        async fn pending(&self, _: Option<&Partition>, _: usize) -> Result<Vec<Partition>, StoreError> {
            Ok(Vec::new())
        }

        async fn outbox(
            &self,
            _: &Partition,
            _: Option<EffectId>,
            _: usize,
        ) -> Result<Vec<Pending>, StoreError> {
            Ok(Vec::new())
        }

        async fn settle(&self, _: &Partition, _: &[EffectId]) -> Result<(), StoreError> {
            Ok(())
        }
    }

    async fn gateway(store: Failing) -> Arc<Gateway> {
        let metrics = Arc::<Metrics>::default();
        let parts = Parts {
            store: Arc::new(WatchedStore::new(Arc::new(store), Arc::clone(&metrics))),
            files: Blobs::new(Arc::new(object_store::memory::InMemory::new())),
            env: Arc::new(System::new(
                tokio::runtime::Handle::current(),
                Exchange::start(Vec::new(), [0; 32]),
            )),
            settings: Settings {
                host: "127.0.0.1".into(),
                port: 1,
                code_len: 5,
                invitations_per_member: 0,
                email_at_sign_up: false,
                passkeys: None,
                sends_per_minute: 0,
                tolls: Limits::default(),
            },
            metrics,
        };
        let identity = Identity {
            keys: Arc::new([]),
            dc_id: 2,
        };
        let admission = Admission::new(Bounds {
            connections_max: 3,
            connections_per_ip_max: 3,
            buffered_bytes_max: 1 << 20,
        });
        let lane = Lane::start("test", 1, 1).unwrap();
        let here = tokio::runtime::Handle::current();
        let sides = Sides {
            inside: here.clone(),
            newcomers: here,
            places: Arc::new(Semaphore::new(1)),
        };
        Gateway::new(Api::open(parts).await.unwrap(), identity, lane, admission, sides)
    }

    #[tokio::test]
    async fn ready_is_who_accepts_and_whose_store_answers() {
        let fails = Arc::<AtomicBool>::default();
        let gateway = gateway(Failing(Memory::new(), Arc::clone(&fails))).await;
        let observer = Observer::new(Arc::clone(&gateway), Arc::default());
        let not_yet = observer.ready().await.unwrap_err();
        assert_eq!(not_yet, "the listener does not accept connections");
        gateway.accepting.store(true, Ordering::Relaxed);
        assert_eq!(observer.ready().await, Ok(()));
        fails.store(true, Ordering::Relaxed);
        let failed = observer.ready().await.unwrap_err();
        assert_eq!(failed, "the store is unavailable: the disk is gone");
        assert_eq!(gateway.metrics.store_failures.count(), 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn levels_are_looked_at_when_somebody_asks() {
        let gateway = gateway(Failing(Memory::new(), Arc::default())).await;
        let observer = Observer::new(Arc::clone(&gateway), Arc::new(AtomicU64::new(7)));
        let mut place = gateway.admission.enter([127, 0, 0, 1].into()).unwrap();
        assert!(place.hold(100));
        let metrics = observer.measure();
        assert_eq!((metrics.connections.level(), metrics.buffered.level()), (1, 100));
        assert_eq!(metrics.store_batches.count(), 7);
        drop(place);
        assert_eq!(observer.measure().connections.level(), 0);
    }
}
