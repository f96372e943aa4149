//! Many who write to one person at the same time.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panic")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures::future::join_all;
use havre_domain::ids::{MessageId, Origin, Peer, Time, UserId};
use havre_domain::keys::partition;
use havre_domain::messages::{self, Arrival};
use havre_domain::outbox::{Courier, Effect};
use havre_domain::turns::Turns;
use havre_domain::tx::Tx;
use havre_domain::world::{Secret, World};
use havre_sim::env::SimEnv;
use havre_store::engine::memory::Memory;
use havre_store::{
    Commit, CommitError, Committed, EffectId, Partition, Pending, Read, Snapshot, Store, StoreError, Version,
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

    async fn commit_delivering(
        &self,
        commit: Commit,
        deliveries: Vec<Commit>,
    ) -> Result<Committed, CommitError> {
        self.memory.commit_delivering(commit, deliveries).await
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

const READER: UserId = UserId(1000);

/// What somebody writes.
fn written(author: UserId) -> Effect {
    let content = types::Message {
        message: "salut".into(),
        ..types::Message::default()
    };
    Effect::Arrive(Arrival {
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
    })
}

/// A message from somebody waits in their outbox.
async fn write(store: &Arc<Busy>, from: i32) -> Partition {
    let author = UserId(i64::from(from));
    let mut tx = Tx::open(store.clone(), partition::user(author));
    tx.send(partition::user(READER), &written(author));
    tx.commit().await.unwrap();
    partition::user(author)
}

/// As a call does it: applied with its own commit, or else by the courier. True when it was the commit.
async fn send(store: &Arc<Busy>, turns: &Arc<Turns>, from: i32) -> bool {
    let author = UserId(i64::from(from));
    let mut world = World::new(store.clone(), Time(1), [0; 32], Secret([0; 32])).with_turns(turns.clone());
    world
        .user(author)
        .unwrap()
        .send(partition::user(READER), &written(author));
    let committed = world.commit().await.unwrap().unwrap();
    let courier = Courier::new(store.clone(), turns.clone());
    for from in &committed.sending {
        assert!(courier.deliver(from.clone(), Time(1)).await.unwrap().complete);
    }
    !committed.reached.is_empty()
}

async fn read(store: &Arc<Busy>) -> usize {
    let mut box_of_reader = Tx::peek(store.clone(), partition::user(READER));
    let mut found = 0;
    for n in 1..=CROWD {
        let peer = Peer::User(UserId(i64::from(n)));
        found += usize::from(
            messages::newest(&mut box_of_reader, peer)
                .await
                .unwrap()
                .is_some(),
        );
    }
    found
}

#[test]
fn what_one_person_writes_arrives_with_the_commit_that_sends_it() {
    let (env, store) = (SimEnv::new(1), Arc::new(Busy::default()));
    env.run(async {
        let turns = Arc::default();
        for n in 1..=CROWD {
            assert!(send(&store, &turns, n).await);
        }
        assert_eq!(read(&store).await, CROWD as usize);
    });
}

#[test]
fn what_a_crowd_writes_at_once_arrives_whoever_delivers_it() {
    let (env, store) = (SimEnv::new(1), Arc::new(Busy::default()));
    env.run(async {
        let turns = Arc::default();
        let sent = join_all((1..=CROWD).map(|n| send(&store, &turns, n))).await;
        assert!(sent.contains(&true) && sent.contains(&false));
        assert_eq!(read(&store).await, CROWD as usize);
    });
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
