//! The model: what the other engines are compared with, and the store of tests.
//!
//! Deterministic and synchronous: no future of this engine ever waits. Nothing is durable.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::limits::{check_commit, check_limit, check_partition, check_reads};
use crate::{
    Answer, Commit, CommitError, Committed, EffectId, Key, Order, Outgoing, Partition, Pending, Read,
    Snapshot, Store, StoreError, Value, Version, Write,
};

/// A store in memory.
#[derive(Debug, Default)]
pub struct Memory {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    partitions: BTreeMap<Partition, Contents>,
    /// Partitions whose outbox is not empty.
    pending: BTreeSet<Partition>,
}

#[derive(Debug, Default)]
struct Contents {
    version: Version,
    entries: BTreeMap<Key, Value>,
    received: BTreeMap<Partition, EffectId>,
    outbox: BTreeMap<EffectId, Outgoing>,
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// No method leaves the state half changed, so a panic elsewhere while the lock was held does no harm.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for Memory {
    async fn read(&self, partition: &Partition, reads: &[Read]) -> Result<Snapshot, StoreError> {
        check_reads(partition, reads)?;
        let state = self.state();
        let absent = Contents::default();
        let contents = state.partitions.get(partition).unwrap_or(&absent);
        let answers = reads.iter().map(|read| contents.answer(read)).collect();
        Ok(Snapshot {
            version: contents.version,
            answers,
        })
    }

    async fn commit(&self, commit: Commit) -> Result<Version, CommitError> {
        check_commit(&commit)?;
        self.state().commit(commit)
    }

    async fn commit_delivering(
        &self,
        commit: Commit,
        deliveries: Vec<Commit>,
    ) -> Result<Committed, CommitError> {
        check_commit(&commit)?;
        deliveries.iter().try_for_each(check_commit)?;
        self.state().commit_delivering(commit, deliveries)
    }

    async fn pending(&self, after: Option<&Partition>, limit: usize) -> Result<Vec<Partition>, StoreError> {
        check_limit(limit)?;
        let state = self.state();
        Ok(state
            .pending
            .range::<Partition, _>(above(after))
            .take(limit)
            .cloned()
            .collect())
    }

    async fn outbox(
        &self,
        from: &Partition,
        after: Option<EffectId>,
        limit: usize,
    ) -> Result<Vec<Pending>, StoreError> {
        check_partition(from)?;
        check_limit(limit)?;
        let state = self.state();
        let Some(contents) = state.partitions.get(from) else {
            return Ok(Vec::new());
        };
        let waiting = contents.outbox.range(above(after.as_ref())).take(limit);
        Ok(waiting
            .map(|(id, effect)| Pending {
                id: *id,
                effect: effect.clone(),
            })
            .collect())
    }

    async fn settle(&self, from: &Partition, delivered: &[EffectId]) -> Result<(), StoreError> {
        check_partition(from)?;
        self.state().settle(from, delivered);
        Ok(())
    }
}

fn above<T>(after: Option<&T>) -> (Bound<&T>, Bound<&T>) {
    (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded)
}

impl State {
    fn commit(&mut self, commit: Commit) -> Result<Version, CommitError> {
        self.expect(&commit)?;
        if !commit.effects.is_empty() {
            self.pending.insert(commit.partition.clone());
        }
        Ok(self
            .partitions
            .entry(commit.partition.clone())
            .or_default()
            .apply(commit))
    }

    fn commit_delivering(
        &mut self,
        mut commit: Commit,
        deliveries: Vec<Commit>,
    ) -> Result<Committed, CommitError> {
        self.expect(&commit)?;
        let waiting = self.pending.contains(&commit.partition);
        let mut delivered = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            let to = delivery.partition.clone();
            let made = !waiting && to != commit.partition && self.commit(delivery).is_ok();
            if made {
                commit.effects.retain(|effect| effect.to != to);
            }
            delivered.push(made);
        }
        let version = self.commit(commit)?;
        Ok(Committed { version, delivered })
    }

    /// Whether a commit can be made.
    fn expect(&self, commit: &Commit) -> Result<(), CommitError> {
        let found = self.partitions.get(&commit.partition);
        let version = found.map_or(Version(0), |found| found.version);
        if version != commit.expected || self.has_received(commit) {
            return Err(CommitError::Conflict(version));
        }
        Ok(())
    }

    fn has_received(&self, commit: &Commit) -> bool {
        let Some((from, id)) = &commit.received else {
            return false;
        };
        let highest = self
            .partitions
            .get(&commit.partition)
            .and_then(|found| found.received.get(from));
        highest.is_some_and(|highest| highest >= id)
    }

    fn settle(&mut self, from: &Partition, delivered: &[EffectId]) {
        let Some(contents) = self.partitions.get_mut(from) else {
            return;
        };
        for id in delivered {
            contents.outbox.remove(id);
        }
        if contents.outbox.is_empty() {
            self.pending.remove(from);
        }
    }
}

impl Contents {
    fn answer(&self, read: &Read) -> Answer {
        match read {
            Read::Key(key) => Answer::Value(self.entries.get(key).cloned()),
            Read::Range {
                start,
                end,
                order,
                limit,
            } => Answer::Entries(self.range(start, end, *order, *limit)),
            Read::Received(from) => Answer::Received(self.received.get(from).copied()),
        }
    }

    fn range(&self, start: &Key, end: &Key, order: Order, limit: usize) -> Vec<(Key, Value)> {
        if start >= end {
            return Vec::new();
        }
        let found = self
            .entries
            .range::<Key, _>((Bound::Included(start), Bound::Excluded(end)));
        let copy = |(key, value): (&Key, &Value)| (key.clone(), value.clone());
        match order {
            Order::Ascending => found.take(limit).map(copy).collect(),
            Order::Descending => found.rev().take(limit).map(copy).collect(),
        }
    }

    fn apply(&mut self, commit: Commit) -> Version {
        self.version = Version(self.version.0 + 1);
        for write in commit.writes {
            match write {
                Write::Put(key, value) => self.entries.insert(key, value),
                Write::Delete(key) => self.entries.remove(&key),
            };
        }
        for (index, effect) in (0u32..).zip(commit.effects) {
            self.outbox.insert(
                EffectId {
                    version: self.version,
                    index,
                },
                effect,
            );
        }
        self.received.extend(commit.received);
        self.version
    }
}
