//! Partitions over ordered keys. Knows bytes, never meaning.
//!
//! Everything that belongs together lives in one [`Partition`]: an ordered map of byte keys with a
//! [`Version`]. A [`Commit`] touches exactly one partition: it names the version that it was computed
//! from and either applies whole and durable, or reports a conflict and changes nothing.
//!
//! What concerns another partition is written as an [`Outgoing`] effect in the same commit. A courier
//! (not part of this crate) reads [`Store::outbox`], commits each effect in the receiving partition
//! with its [`EffectId`] in [`Commit::received`], and then calls [`Store::settle`]. The receiving
//! partition remembers the highest id taken from each sender, so an effect applies exactly once
//! however often it is delivered.

use async_trait::async_trait;
use bytes::Bytes;

pub mod blob;
pub mod engine;
mod layout;
pub mod limits;
pub mod tuple;

/// Names a partition: an order-preserving tuple made by the layer above, at most
/// [`limits::PARTITION_LEN_MAX`] bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition(pub Bytes);

/// How many commits a partition has seen; 0 is a partition that was never written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u64);

/// A key inside a partition, at most [`limits::KEY_LEN_MAX`] bytes.
pub type Key = Bytes;

/// A value, at most [`limits::VALUE_LEN_MAX`] bytes.
pub type Value = Bytes;

/// One question to a partition; all questions of one [`Store::read`] are answered from one snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// The entry under this key, if any.
    Key(Key),
    /// Entries with `start <= key < end`, at most `limit` of them, in the given order.
    Range {
        /// First key, inclusive.
        start: Key,
        /// Last key, exclusive.
        end: Key,
        /// Ascending or descending by key.
        order: Order,
        /// The most entries to return.
        limit: usize,
    },
    /// The highest effect id that this partition has received from `from`.
    Received(Partition),
}

/// Direction of a range read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// From the lowest key up.
    Ascending,
    /// From the highest key down.
    Descending,
}

/// The answer to one [`Read`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To [`Read::Key`].
    Value(Option<Value>),
    /// To [`Read::Range`].
    Entries(Vec<(Key, Value)>),
    /// To [`Read::Received`].
    Received(Option<EffectId>),
}

/// What a partition held at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The partition's version at that instant.
    pub version: Version,
    /// One answer for each question, in the same order.
    pub answers: Vec<Answer>,
}

/// One change to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Sets a key.
    Put(Key, Value),
    /// Removes a key; removing an absent one is nothing.
    Delete(Key),
}

/// An effect leaving for another partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Who is to receive it.
    pub to: Partition,
    /// What it says; bytes of the layer above.
    pub body: Bytes,
}

/// Names an effect of a sending partition: the version that its commit created, and its place in that
/// commit. Ids of one sender grow in the order of its commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EffectId {
    /// Version made by the commit that carried the effect.
    pub version: Version,
    /// Place among the effects of that commit, from 0.
    pub index: u32,
}

/// An effect that waits in a partition's outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Its name.
    pub id: EffectId,
    /// Where to and what.
    pub effect: Outgoing,
}

/// One atomic change of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The partition that changes.
    pub partition: Partition,
    /// The version that this commit was computed from.
    pub expected: Version,
    /// Changes in order; a later write of a key wins.
    pub writes: Vec<Write>,
    /// Effects for other partitions, in order.
    pub effects: Vec<Outgoing>,
    /// The effect that this commit applies, if it applies one: sender and id. The id must be above
    /// every id that the partition has received from that sender.
    pub received: Option<(Partition, EffectId)>,
}

/// A commit that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The version that it created.
    pub version: Version,
    /// For each delivery that came with it, in the same order: whether it was made, too.
    pub delivered: Vec<bool>,
}

/// Why a read failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The store cannot answer now; trying again later may succeed.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// What the store holds is damaged; the process should stop.
    #[error("the store is damaged: {0}")]
    Corrupt(String),
    /// The question or commit breaks a limit of [`limits`]: a defect of the caller.
    #[error("over a limit of the store: {0}")]
    TooLarge(String),
}

/// Why a commit was not made. Unless the variant says otherwise nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// The partition is not at the expected version, or the effect was received before: compute again
    /// from fresh state.
    #[error("the partition is at version {0:?}")]
    Conflict(Version),
    /// The store failed. With [`StoreError::Unavailable`] the outcome is unknown: the commit may have
    /// been made.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// All state of the server.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Answers `reads` from one snapshot of `partition`.
    async fn read(&self, partition: &Partition, reads: &[Read]) -> Result<Snapshot, StoreError>;

    /// Applies `commit` whole and returns the partition's new version once it is durable.
    async fn commit(&self, commit: Commit) -> Result<Version, CommitError>;

    /// Makes `commit` and, in the same instant, as many of `deliveries` as possible. Each of them is what
    /// applying all effects of `commit` to its partition changes there. Where one is made these effects never
    /// wait in the outbox, so it carries no [`Commit::received`]. One is not made, and its effects wait, when its
    /// partition is not at the expected version, when earlier effects of the sender still wait, which must not be
    /// overtaken, and when the engine cannot change two partitions at once, as by default.
    ///
    /// # Errors
    /// As for [`Self::commit`].
    async fn commit_delivering(
        &self,
        commit: Commit,
        deliveries: Vec<Commit>,
    ) -> Result<Committed, CommitError> {
        let delivered = vec![false; deliveries.len()];
        let version = self.commit(commit).await?;
        Ok(Committed { version, delivered })
    }

    /// Partitions with undelivered effects in ascending order, starting above `after`. Costs what it
    /// returns, not what the store holds.
    async fn pending(&self, after: Option<&Partition>, limit: usize) -> Result<Vec<Partition>, StoreError>;

    /// The undelivered effects of `from` in ascending order of id, starting above `after`.
    async fn outbox(
        &self,
        from: &Partition,
        after: Option<EffectId>,
        limit: usize,
    ) -> Result<Vec<Pending>, StoreError>;

    /// Forgets delivered effects of `from`. Does not change its version and need not be durable at
    /// once: an effect that comes back after a crash is refused by its receiver as received.
    async fn settle(&self, from: &Partition, delivered: &[EffectId]) -> Result<(), StoreError>;
}
