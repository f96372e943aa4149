//! One partition as a deed sees it: reads from one version, staged writes over them, one commit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use havre_store::{
    Answer, Commit, CommitError, EffectId, Key, Order, Outgoing, Partition, Read, Store, StoreError, Value,
    Version, Write,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::keys::Span;
use crate::outbox::Effect;
use crate::record;

/// Why a deed could not be carried out, apart from refusals in words of the domain.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Somebody else committed first: compute again from fresh state.
    #[error("a partition changed meanwhile")]
    Conflict,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored value is not what it should be.
    #[error("damaged record: {0}")]
    Corrupt(String),
    /// A rule of this code was broken by this code.
    #[error("defect: {0}")]
    Defect(&'static str),
}

/// Reads and staged writes of one partition.
pub struct Tx {
    store: Arc<dyn Store>,
    partition: Partition,
    version: Option<Version>,
    cache: BTreeMap<Key, Option<Value>>,
    staged: BTreeMap<Key, Option<Value>>,
    effects: Vec<(Partition, Effect)>,
    received: Option<(Partition, EffectId)>,
    writable: bool,
}

impl Tx {
    /// A partition that may be written.
    #[must_use]
    pub fn open(store: Arc<dyn Store>, partition: Partition) -> Self {
        Self {
            writable: true,
            ..Self::peek(store, partition)
        }
    }

    /// A partition that may only be read.
    #[must_use]
    pub fn peek(store: Arc<dyn Store>, partition: Partition) -> Self {
        Self {
            store,
            partition,
            version: None,
            cache: BTreeMap::new(),
            staged: BTreeMap::new(),
            effects: Vec::new(),
            received: None,
            writable: false,
        }
    }

    /// Lets a partition that was only read be written.
    pub fn make_writable(&mut self) {
        self.writable = true;
    }

    /// Its name.
    #[must_use]
    pub fn partition(&self) -> &Partition {
        &self.partition
    }

    /// Whether anything is staged.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        !self.staged.is_empty() || !self.effects.is_empty() || self.received.is_some()
    }

    async fn ask(&mut self, reads: &[Read]) -> Result<Vec<Answer>, Fault> {
        let snapshot = self.store.read(&self.partition, reads).await?;
        if *self.version.get_or_insert(snapshot.version) != snapshot.version {
            return Err(Fault::Conflict);
        }
        Ok(snapshot.answers)
    }

    /// The record under `key`, staged or stored.
    ///
    /// # Errors
    /// [`Fault`]; so for every read.
    pub async fn get<R: DeserializeOwned>(&mut self, key: &Key) -> Result<Option<R>, Fault> {
        let mut found = self.get_many(std::slice::from_ref(key)).await?;
        Ok(found.pop().flatten())
    }

    /// The records under `keys`, in their order, in one round trip.
    ///
    /// # Errors
    /// As for [`Self::get`].
    pub async fn get_many<R: DeserializeOwned>(&mut self, keys: &[Key]) -> Result<Vec<Option<R>>, Fault> {
        self.fetch_ahead(keys).await?;
        keys.iter()
            .map(|k| self.known(k).map(|v| record::decode(&v)).transpose())
            .collect()
    }

    /// Reads in one round trip what will be asked for one by one.
    ///
    /// # Errors
    /// As for [`Self::get`].
    pub async fn fetch_ahead(&mut self, keys: &[Key]) -> Result<(), Fault> {
        let unknown: Vec<Key> = keys
            .iter()
            .filter(|k| !self.staged.contains_key(*k) && !self.cache.contains_key(*k))
            .cloned()
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let reads: Vec<Read> = unknown.iter().cloned().map(Read::Key).collect();
        for (key, answer) in unknown.into_iter().zip(self.ask(&reads).await?) {
            if let Answer::Value(value) = answer {
                self.cache.insert(key, value);
            }
        }
        Ok(())
    }

    fn known(&self, key: &Key) -> Option<Value> {
        self.staged
            .get(key)
            .or_else(|| self.cache.get(key))
            .cloned()
            .flatten()
    }

    /// Entries of a span in the given order, staged writes included, at most `limit`.
    ///
    /// # Errors
    /// As for [`Self::get`].
    pub async fn range(
        &mut self,
        span: &Span,
        order: Order,
        limit: usize,
    ) -> Result<Vec<(Key, Value)>, Fault> {
        let hidden = self
            .staged
            .range(span.start.clone()..span.end.clone())
            .filter(|(_, v)| v.is_none())
            .count();
        let limit = limit.min(havre_store::limits::RANGE_LIMIT_MAX);
        let ask = (limit + hidden).min(havre_store::limits::RANGE_LIMIT_MAX);
        let read = Read::Range {
            start: span.start.clone(),
            end: span.end.clone(),
            order,
            limit: ask,
        };
        let Some(Answer::Entries(stored)) = self.ask(&[read]).await?.pop() else {
            return Err(Fault::Defect("a range was answered with something else"));
        };
        Ok(self.merge(span, order, limit, stored))
    }

    fn merge(&self, span: &Span, order: Order, limit: usize, stored: Vec<(Key, Value)>) -> Vec<(Key, Value)> {
        let mut merged: BTreeMap<Key, Value> = stored.into_iter().collect();
        for (key, value) in self.staged.range(span.start.clone()..span.end.clone()) {
            match value {
                Some(value) => merged.insert(key.clone(), value.clone()),
                None => merged.remove(key),
            };
        }
        match order {
            Order::Ascending => merged.into_iter().take(limit).collect(),
            Order::Descending => merged.into_iter().rev().take(limit).collect(),
        }
    }

    /// Records of a span that this deed put there itself.
    ///
    /// # Errors
    /// [`Fault::Corrupt`].
    pub fn staged_records<R: DeserializeOwned>(&self, span: &Span) -> Result<Vec<(Key, R)>, Fault> {
        let staged = self.staged.range(span.start.clone()..span.end.clone());
        let put = staged.filter_map(|(key, value)| Some((key, value.as_ref()?)));
        put.map(|(key, value)| Ok((key.clone(), record::decode(value)?)))
            .collect()
    }

    /// Records of a span with their keys.
    ///
    /// # Errors
    /// As for [`Self::get`].
    pub async fn records<R: DeserializeOwned>(
        &mut self,
        span: &Span,
        order: Order,
        limit: usize,
    ) -> Result<Vec<(Key, R)>, Fault> {
        let entries = self.range(span, order, limit).await?;
        entries
            .into_iter()
            .map(|(k, v)| Ok((k, record::decode(&v)?)))
            .collect()
    }

    /// Sets a record.
    pub fn put<R: Serialize>(&mut self, key: Key, record: &R) {
        self.stage(key, Some(record::encode(record)));
    }

    /// Removes a record.
    pub fn delete(&mut self, key: Key) {
        self.stage(key, None);
    }

    fn stage(&mut self, key: Key, value: Option<Bytes>) {
        debug_assert!(
            self.writable,
            "a write outside the partition that the deed is about"
        );
        self.staged.insert(key, value);
    }

    /// Adds an effect for another partition.
    pub fn send(&mut self, to: Partition, effect: &Effect) {
        debug_assert!(self.writable, "an effect from a partition that is only read");
        self.effects.push((to, effect.clone()));
    }

    /// Effects that were added, in order.
    pub(crate) fn sent(&self) -> &[(Partition, Effect)] {
        &self.effects
    }

    /// Makes this commit the one that applies effect `id` of `from`. False when it was applied before.
    ///
    /// # Errors
    /// As for [`Self::get`].
    pub async fn receive(&mut self, from: Partition, id: EffectId) -> Result<bool, Fault> {
        let answer = self.ask(&[Read::Received(from.clone())]).await?.pop();
        if matches!(answer, Some(Answer::Received(Some(last))) if last >= id) {
            return Ok(false);
        }
        self.received = Some((from, id));
        Ok(true)
    }

    /// Commits what is staged. True when effects were written that now wait in the outbox.
    ///
    /// # Errors
    /// [`Fault::Conflict`] when somebody else committed first, [`Fault::Defect`] when it was not writable.
    pub async fn commit(self) -> Result<bool, Fault> {
        Ok(!self.commit_delivering(Vec::new()).await?.sending.is_empty())
    }

    /// Commits what is staged, and with it what `deliveries` stage, each of which applied all effects of this one
    /// to its partition: as many of them as the store can.
    ///
    /// # Errors
    /// As for [`Self::commit`].
    pub(crate) async fn commit_delivering(self, deliveries: Vec<Tx>) -> Result<Reached, Fault> {
        if !self.is_changed() {
            return Ok(Reached::default());
        }
        let (store, from) = (self.store.clone(), self.partition.clone());
        let mut unreached: BTreeSet<_> = self.effects.iter().map(|(to, _)| to.clone()).collect();
        let sends_on: Vec<bool> = deliveries.iter().map(|tx| !tx.effects.is_empty()).collect();
        let mut commits = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            commits.push(delivery.into_commit().await?);
        }
        let to: Vec<_> = commits.iter().map(|commit| commit.partition.clone()).collect();
        let commit = self.into_commit().await?;
        let delivered = match store.commit_delivering(commit, commits).await {
            Ok(committed) => committed.delivered,
            Err(CommitError::Conflict(_)) => return Err(Fault::Conflict),
            Err(CommitError::Store(e)) => return Err(Fault::Store(e)),
        };
        let mut reached = Reached::default();
        let receivers = to.into_iter().zip(sends_on).zip(delivered);
        for ((to, sends_on), _) in receivers.filter(|(_, delivered)| *delivered) {
            unreached.remove(&to);
            reached.sending.extend(sends_on.then(|| to.clone()));
            reached.changed.insert(to);
        }
        if !unreached.is_empty() {
            reached.sending.insert(from);
        }
        Ok(reached)
    }

    async fn into_commit(mut self) -> Result<Commit, Fault> {
        if !self.writable {
            return Err(Fault::Defect(
                "a write outside the partition that the deed is about",
            ));
        }
        if self.version.is_none() {
            self.ask(&[]).await?;
        }
        let writes = self.staged.into_iter().map(|(k, v)| match v {
            Some(v) => Write::Put(k, v),
            None => Write::Delete(k),
        });
        let effects = self.effects.iter().map(|(to, effect)| Outgoing {
            to: to.clone(),
            body: record::encode(effect),
        });
        Ok(Commit {
            partition: self.partition,
            expected: self.version.unwrap_or_default(),
            writes: writes.collect(),
            effects: effects.collect(),
            received: self.received,
        })
    }
}

/// How far a commit has come beyond its own partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reached {
    /// Partitions in which its effects were applied.
    pub changed: BTreeSet<Partition>,
    /// Partitions with effects that wait in their outbox now.
    pub sending: BTreeSet<Partition>,
}
