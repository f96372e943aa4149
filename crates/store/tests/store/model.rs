//! Random sequences of operations: every answer must be the model's.

use bytes::Bytes;
use futures::future::join_all;
use havre_store::engine::memory::Memory;
use havre_store::{Commit, EffectId, Order, Outgoing, Partition, Read, Store, Version, Write};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Runtime;

use crate::worlds::{World, id, runtime};

/// Names that are prefixes of one another, and the lowest and highest there are.
fn names() -> Vec<Bytes> {
    vec![
        Bytes::new(),
        Bytes::from_static(b"\0"),
        Bytes::from_static(b"a"),
        Bytes::from_static(b"a\0"),
        Bytes::from_static(b"ab"),
        Bytes::from_static(b"b"),
        Bytes::from(vec![0xff; 128]),
    ]
}

fn name() -> impl Strategy<Value = Bytes> {
    prop::sample::select(names())
}

fn partition() -> impl Strategy<Value = Partition> {
    prop::sample::select(names()).prop_map(Partition)
}

/// How far from the present version a commit claims to be: mostly not at all.
fn lag() -> impl Strategy<Value = i8> {
    prop_oneof![8 => Just(0i8), 1 => -2i8..=2]
}

fn effect_id() -> impl Strategy<Value = EffectId> {
    (0u64..8, 0u32..3).prop_map(|(version, index)| id(version, index))
}

fn value() -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..6).prop_map(Bytes::from)
}

fn write() -> impl Strategy<Value = Write> {
    prop_oneof![
        3 => (name(), value()).prop_map(|(key, value)| Write::Put(key, value)),
        1 => name().prop_map(Write::Delete),
    ]
}

fn read() -> impl Strategy<Value = Read> {
    let order = prop_oneof![Just(Order::Ascending), Just(Order::Descending)];
    prop_oneof![
        name().prop_map(Read::Key),
        (name(), name(), order, 0usize..5).prop_map(|(start, end, order, limit)| Read::Range {
            start,
            end,
            order,
            limit
        }),
        partition().prop_map(Read::Received),
    ]
}

#[derive(Clone, Debug)]
struct Change {
    commit: Commit,
    lag: i8,
}

fn change() -> impl Strategy<Value = Change> {
    let effect = (partition(), value()).prop_map(|(to, body)| Outgoing { to, body });
    (
        partition(),
        lag(),
        prop::collection::vec(write(), 0..5),
        prop::collection::vec(effect, 0..3),
        prop::option::weighted(0.3, (partition(), effect_id())),
    )
        .prop_map(|(partition, lag, writes, effects, received)| Change {
            commit: Commit {
                partition,
                expected: Version(0),
                writes,
                effects,
                received,
            },
            lag,
        })
}

#[derive(Clone, Debug)]
enum Operation {
    Commit(Change),
    /// With what applies its effects elsewhere.
    Deliver(Change, Vec<Change>),
    /// Sent at once, without waiting for one another.
    Burst(Vec<Change>),
    Read(Partition, Vec<Read>),
    Pending(Option<Partition>, usize),
    Outbox(Partition, Option<EffectId>, usize),
    Settle(Partition, Vec<EffectId>),
    /// Delivers the oldest effects, as a courier does.
    SettleOldest(Partition, usize),
    Reopen,
}

fn operation() -> impl Strategy<Value = Operation> {
    use Operation as Op;
    prop_oneof![
        8 => change().prop_map(Op::Commit),
        6 => (change(), prop::collection::vec(change(), 0..4))
            .prop_map(|(change, deliveries)| Op::Deliver(change, deliveries)),
        3 => prop::collection::vec(change(), 1..8).prop_map(Op::Burst),
        6 => (partition(), prop::collection::vec(read(), 0..5)).prop_map(|(name, reads)| Op::Read(name, reads)),
        2 => (prop::option::of(partition()), 0usize..5).prop_map(|(after, limit)| Op::Pending(after, limit)),
        2 => (partition(), prop::option::of(effect_id()), 0usize..5)
            .prop_map(|(from, after, limit)| Op::Outbox(from, after, limit)),
        2 => (partition(), prop::collection::vec(effect_id(), 0..4)).prop_map(|(from, ids)| Op::Settle(from, ids)),
        3 => (partition(), 1usize..4).prop_map(|(from, limit)| Op::SettleOldest(from, limit)),
        1 => Just(Op::Reopen),
    ]
}

struct Pair<'a, W> {
    runtime: &'a Runtime,
    model: Memory,
    world: W,
}

impl<W: World> Pair<'_, W> {
    /// Runs the same on both and compares.
    fn both<T, F>(
        &self,
        run: impl Fn(std::sync::Arc<dyn Store>) -> F + Copy,
        model: T,
    ) -> Result<(), TestCaseError>
    where
        T: PartialEq + std::fmt::Debug,
        F: Future<Output = T>,
    {
        let got = self.runtime.block_on(run(self.world.store()));
        prop_assert_eq!(got, model);
        Ok(())
    }

    fn model<T>(&self, run: impl Future<Output = T>) -> T {
        self.runtime.block_on(run)
    }

    /// The commit against the version that the model has now.
    fn place(&self, change: &Change) -> Commit {
        let version = self
            .model(self.model.read(&change.commit.partition, &[]))
            .unwrap()
            .version;
        let expected = Version(version.0.saturating_add_signed(change.lag.into()));
        Commit {
            expected,
            ..change.commit.clone()
        }
    }

    fn step(&mut self, operation: &Operation) -> Result<(), TestCaseError> {
        match operation {
            Operation::Commit(change) => self.burst(std::slice::from_ref(change)),
            Operation::Deliver(change, deliveries) => self.deliver(change, deliveries),
            Operation::Burst(changes) => self.burst(changes),
            Operation::Read(name, reads) => {
                let expected = self.model(self.model.read(name, reads));
                self.both(|store| async move { store.read(name, reads).await }, expected)
            }
            Operation::Pending(after, limit) => {
                let expected = self.model(self.model.pending(after.as_ref(), *limit));
                self.both(
                    |store| async move { store.pending(after.as_ref(), *limit).await },
                    expected,
                )
            }
            Operation::Outbox(from, after, limit) => {
                let expected = self.model(self.model.outbox(from, *after, *limit));
                self.both(
                    |store| async move { store.outbox(from, *after, *limit).await },
                    expected,
                )
            }
            Operation::Settle(from, ids) => self.settle(from, ids),
            Operation::SettleOldest(from, limit) => {
                let oldest = self.model(self.model.outbox(from, None, *limit)).unwrap();
                self.settle(from, &oldest.iter().map(|pending| pending.id).collect::<Vec<_>>())
            }
            Operation::Reopen => {
                self.world.reopen(self.runtime);
                Ok(())
            }
        }
    }

    fn burst(&self, changes: &[Change]) -> Result<(), TestCaseError> {
        let mut commits = Vec::new();
        let mut expected = Vec::new();
        for change in changes {
            let commit = self.place(change);
            expected.push(self.model(self.model.commit(commit.clone())));
            commits.push(commit);
        }
        let commits = &commits;
        self.both(
            |store| async move { join_all(commits.iter().map(|commit| store.commit(commit.clone()))).await },
            expected,
        )
    }

    /// The commit sends something to every partition that a delivery is for.
    fn deliver(&self, change: &Change, deliveries: &[Change]) -> Result<(), TestCaseError> {
        let mut commit = self.place(change);
        let deliveries: Vec<_> = deliveries.iter().map(|change| self.place(change)).collect();
        let sent = deliveries.iter().map(|delivery| Outgoing {
            to: delivery.partition.clone(),
            body: Bytes::from_static(b"sent"),
        });
        commit.effects.extend(sent);
        let deliveries = if W::DELIVERS { deliveries } else { Vec::new() };
        let (commit, deliveries) = (&commit, &deliveries);
        let expected = self.model(self.model.commit_delivering(commit.clone(), deliveries.clone()));
        self.both(
            |store| async move { store.commit_delivering(commit.clone(), deliveries.clone()).await },
            expected,
        )
    }

    fn settle(&self, from: &Partition, ids: &[EffectId]) -> Result<(), TestCaseError> {
        let expected = self.model(self.model.settle(from, ids));
        self.both(|store| async move { store.settle(from, ids).await }, expected)
    }

    /// Compares everything that can be asked.
    fn compare(&mut self) -> Result<(), TestCaseError> {
        let everything =
            [(Order::Ascending, 100), (Order::Descending, 100)].map(|(order, limit)| Read::Range {
                start: Bytes::new(),
                end: Bytes::from(vec![0xff; 513]),
                order,
                limit,
            });
        let received = names().into_iter().map(|name| Read::Received(Partition(name)));
        let reads: Vec<_> = everything.into_iter().chain(received).collect();
        for name in names().into_iter().map(Partition) {
            self.step(&Operation::Read(name.clone(), reads.clone()))?;
            self.step(&Operation::Outbox(name, None, 1000))?;
        }
        self.step(&Operation::Pending(None, 1000))
    }
}

pub fn agrees_with_the_model<W: World>() {
    let runtime = runtime();
    let config = Config {
        cases: W::CASES,
        max_shrink_iters: 2000,
        failure_persistence: None,
        ..Config::default()
    };
    let sequence = prop::collection::vec(operation(), 1..60);
    let outcome = TestRunner::new(config).run(&sequence, |operations| {
        let mut pair = Pair {
            runtime: &runtime,
            model: Memory::new(),
            world: W::new(&runtime),
        };
        for operation in &operations {
            pair.step(operation)?;
        }
        pair.compare()?;
        pair.step(&Operation::Reopen)?;
        pair.compare()
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
