//! A store that is watched: how long it takes, and how often it fails.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use havre_metrics::Metrics;
use havre_store::{
    Commit, CommitError, Committed, EffectId, Partition, Pending, Read, Snapshot, Store, StoreError, Version,
};

/// Counts what passes through to the store behind it.
pub struct WatchedStore {
    store: Arc<dyn Store>,
    metrics: Arc<Metrics>,
}

impl WatchedStore {
    /// Counts from now on.
    pub fn new(store: Arc<dyn Store>, metrics: Arc<Metrics>) -> Self {
        Self { store, metrics }
    }

    fn answered<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if result.is_err() {
            self.metrics.store_failures.inc();
        }
        result
    }

    fn committed<T>(&self, begun: Instant, committed: Result<T, CommitError>) -> Result<T, CommitError> {
        match &committed {
            Ok(_) => self.metrics.store_commits.took(begun.elapsed()),
            Err(CommitError::Conflict(_)) => self.metrics.store_conflicts.inc(),
            Err(CommitError::Store(_)) => self.metrics.store_failures.inc(),
        }
        committed
    }
}

#[async_trait]
impl Store for WatchedStore {
    async fn read(&self, partition: &Partition, reads: &[Read]) -> Result<Snapshot, StoreError> {
        let begun = Instant::now();
        let snapshot = self.store.read(partition, reads).await;
        self.metrics.store_reads.took(begun.elapsed());
        self.answered(snapshot)
    }

    async fn commit(&self, commit: Commit) -> Result<Version, CommitError> {
        let begun = Instant::now();
        let committed = self.store.commit(commit).await;
        self.committed(begun, committed)
    }

    async fn commit_delivering(
        &self,
        commit: Commit,
        deliveries: Vec<Commit>,
    ) -> Result<Committed, CommitError> {
        let begun = Instant::now();
        let committed = self.store.commit_delivering(commit, deliveries).await;
        self.committed(begun, committed)
    }

    async fn pending(&self, after: Option<&Partition>, limit: usize) -> Result<Vec<Partition>, StoreError> {
        self.answered(self.store.pending(after, limit).await)
    }

    async fn outbox(
        &self,
        from: &Partition,
        after: Option<EffectId>,
        limit: usize,
    ) -> Result<Vec<Pending>, StoreError> {
        self.answered(self.store.outbox(from, after, limit).await)
    }

    async fn settle(&self, from: &Partition, delivered: &[EffectId]) -> Result<(), StoreError> {
        self.answered(self.store.settle(from, delivered).await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use havre_store::engine::memory::Memory;

    fn commit(expected: u64) -> Commit {
        Commit {
            partition: Partition(bytes::Bytes::from_static(&[1])),
            expected: Version(expected),
            writes: Vec::new(),
            effects: Vec::new(),
            received: None,
        }
    }

    #[tokio::test]
    async fn commits_and_conflicts_are_told_apart() {
        let metrics = Arc::new(Metrics::default());
        let store = WatchedStore::new(Arc::new(Memory::new()), Arc::clone(&metrics));
        store.commit(commit(0)).await.unwrap();
        store.commit(commit(0)).await.unwrap_err();
        store.read(&commit(0).partition, &[]).await.unwrap();
        let counted = (metrics.store_commits.count(), metrics.store_conflicts.count());
        assert_eq!(counted, (1, 1));
        assert_eq!(
            (metrics.store_reads.count(), metrics.store_failures.count()),
            (1, 0)
        );
    }
}
