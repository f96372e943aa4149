//! Many who write to one person at the same time.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panic")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures::future::join_all;
use havre_domain::ids::{MessageId, Origin, Peer, Time, UserId};
use havre_domain::keys::partition;
use havre_domain::messages::Arrival;
use havre_domain::outbox::{Courier, Effect};
use havre_domain::tx::Tx;
use havre_sim::env::SimEnv;
use havre_store::engine::memory::Memory;
use havre_store::{
    Commit, CommitError, EffectId, Partition, Pending, Read, Snapshot, Store, StoreError, Version,
};
use havre_tl::{Serialize as _, enums, types};

const CROWD: i32 = 100;

/// A store in which everybody else gets on between a read and the commit after it, as on a busy server.
#[derive(Default)]
struct Busy {
    memory: Memory,
    conflicts: AtomicUsize,
}

async fn others_get_on() {
    let mut waited = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut waited, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

#[async_trait]
impl Store for Busy {
    async fn read(&self, partition: &Partition, reads: &[Read]) -> Result<Snapshot, StoreError> {
        let snapshot = self.memory.read(partition, reads).await;
        others_get_on().await;
        snapshot
    }

    async fn commit(&self, commit: Commit) -> Result<Version, CommitError> {
        let committed = self.memory.commit(commit).await;
        let conflict = matches!(committed, Err(CommitError::Conflict(_)));
        self.conflicts.fetch_add(usize::from(conflict), Ordering::Relaxed);
        committed
    }

    async fn pending(&self, after: Option<&Partition>, limit: usize) -> Result<Vec<Partition>, StoreError> {
        self.memory.pending(after, limit).await
    }

    async fn outbox(
        &self,
        from: &Partition,
        after: Option<EffectId>,
        limit: usize,
    ) -> Result<Vec<Pending>, StoreError> {
        self.memory.outbox(from, after, limit).await
    }

    async fn settle(&self, from: &Partition, delivered: &[EffectId]) -> Result<(), StoreError> {
        self.memory.settle(from, delivered).await
    }
}

/// A message from somebody waits in their outbox.
async fn write(store: &Arc<Busy>, from: i32) -> Partition {
    let author = UserId(i64::from(from));
    let mut tx = Tx::open(store.clone(), partition::user(author));
    let content = types::Message {
        message: "salut".into(),
        ..types::Message::default()
    };
    let arrival = Arrival {
        peer: Peer::User(author),
        from: author,
        date: 1,
        origin: Origin {
            source: Peer::User(author),
            id: MessageId(1),
        },
        reply: None,
        media_unread: false,
        content: enums::Message::Message(content).to_bytes(),
    };
    tx.send(partition::user(UserId(1000)), &Effect::Arrive(arrival));
    tx.commit().await.unwrap();
    partition::user(author)
}

#[test]
fn a_crowd_that_writes_to_one_person_does_not_get_in_its_own_way() {
    let (env, store) = (SimEnv::new(1), Arc::new(Busy::default()));
    let courier = Courier::new(store.clone(), Arc::default());
    let delivered = env.run(async {
        let senders = join_all((1..=CROWD).map(|n| write(&store, n))).await;
        let deliveries = senders.into_iter().map(|from| courier.deliver(from, Time(1)));
        join_all(deliveries).await
    });
    assert!(delivered.into_iter().all(|done| done.unwrap().complete));
    assert_eq!(store.conflicts.load(Ordering::Relaxed), 0);
}
