//! The default engine: everything in one folder of this machine, over fjall.
//!
//! A read is answered from rows in use that are kept beside the engine, or by a thread that looks at a snapshot: a
//! cached block costs microseconds, another one read from disk. A commit goes to the one committer
//! thread, which runs every waiting commit in order, writes them to the commit log as one record with one sync,
//! and only then answers them all. The applier brings the rows to the engine a moment later; until then readers
//! find them beside it.
//!
//! The first storage error of committer or applier is the last thing that happens: what reached the disk is
//! then unknown, so every later commit fails and [`Embedded::failed`] resolves. Restart to recover.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use async_trait::async_trait;
use bytes::Bytes;
use fjall::{Database, Keyspace, Readable};
use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::Shared;

use crate::engine::embedded::alarm::Alarm;
use crate::engine::embedded::applier::Applier;
use crate::engine::embedded::committer::{Committer, Remembered, Request};
use crate::engine::embedded::folder::Folder;
use crate::engine::embedded::hot::{HOT_BYTES_MAX, Hot, SHARDS};
use crate::engine::embedded::log::Changes;
use crate::engine::embedded::readers::Readers;
use crate::engine::embedded::recent::Recent;
use crate::engine::embedded::waiting::Waiting;
use crate::layout::{self, Rows};
use crate::limits::{check_commit, check_limit, check_partition, check_reads};
use crate::{
    Answer, Commit, CommitError, Committed, EffectId, Order, Partition, Pending, Read, Snapshot, Store,
    StoreError, Version,
};

pub use check::{PROBLEMS_MAX, Report, check};

mod alarm;
mod applier;
mod check;
mod committer;
mod folder;
mod hot;
mod log;
mod readers;
mod recent;
mod waiting;

/// Cache of blocks read from disk unless [`Options`] say otherwise, bytes.
pub const CACHE_BYTES_DEFAULT: u64 = 256 << 20;

/// What can be chosen about an embedded store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Cache of blocks read from disk, bytes.
    pub cache_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache_bytes: CACHE_BYTES_DEFAULT,
        }
    }
}

/// Why a data folder cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder and the folder that should hold it are missing: perhaps a disk is not mounted.
    #[error("the folder {0} does not exist, nor does the one that should hold it")]
    Missing(PathBuf),
    /// There is something else than a folder.
    #[error("{0} is not a folder")]
    NotAFolder(PathBuf),
    /// The system does not let this user in.
    #[error("this user may not read and write {0}")]
    Denied(PathBuf),
    /// Another process uses the folder.
    #[error("{0} is in use by another process; a store can be open only once")]
    Locked(PathBuf),
    /// A newer server wrote the store.
    #[error("{path} has format {found}, this server knows {known}: use the newer server again")]
    NewerFormat {
        /// Folder of the store.
        path: PathBuf,
        /// Format of the store.
        found: u64,
        /// Highest format that this server knows.
        known: u32,
    },
    /// What is in the folder is not a whole store.
    #[error("{path} is damaged ({cause}): restore a backup")]
    Damaged {
        /// Folder of the store.
        path: PathBuf,
        /// What was found.
        cause: String,
    },
    /// The store lacks commits that were durable before.
    #[error(
        "{path} went backwards: it ends at batch {found}, but batch {witnessed} was durable. Acknowledged \
         changes are lost. Restore a backup, or remove {witness} to go on without them",
        witness = path.join(folder::WITNESS).display()
    )]
    WentBackwards {
        /// Folder of the store.
        path: PathBuf,
        /// The number of the last batch in the store.
        found: u64,
        /// The number of the last batch known to have been durable.
        witnessed: u64,
    },
    /// The system refused in another way.
    #[error("{path}: {source}")]
    Io {
        /// Folder of the store.
        path: PathBuf,
        /// The refusal.
        source: std::io::Error,
    },
}

/// A store in a folder.
#[derive(Debug)]
pub struct Embedded {
    engine: Engine,
    waiting: Waiting,
    hot: Arc<Hot>,
    readers: Readers,
    /// `None` only while dropping.
    requests: Option<mpsc::Sender<Request>>,
    /// The committer, which ends when nobody can ask any more, and the applier, which ends after it.
    threads: Vec<JoinHandle<()>>,
    failure: Shared<oneshot::Receiver<String>>,
    batches: Arc<AtomicU64>,
    /// Holds the lock. Last, so that it is freed after everything else.
    _folder: Folder,
}

/// The engine's handles, for the readers and the committer alike.
#[derive(Clone)]
struct Engine {
    database: Database,
    rows: Keyspace,
    recent: Arc<Recent>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Engine")
    }
}

impl Embedded {
    /// Opens the store in the folder `path`. The folder is created if the one that holds it exists.
    ///
    /// Blocks while the engine recovers: under a second after a crash.
    ///
    /// # Errors
    /// Every variant of [`OpenError`]; nothing is changed by a refusal.
    pub fn open(path: &Path, options: Options) -> Result<Self, OpenError> {
        let mut folder = Folder::lock(path)?;
        let (engine, number) = folder.open_engine(options)?;
        let waiting = Waiting::load(&engine).map_err(|error| folder.damaged(&error))?;
        let witness = folder.witness()?;
        let (failed, failure) = oneshot::channel();
        let (requests, inbox) = mpsc::channel();
        let (words, rows) = mpsc::channel();
        let (free, freed) = mpsc::channel();
        let hot = Arc::new(Hot::new(HOT_BYTES_MAX, SHARDS));
        let batches = Arc::<AtomicU64>::default();
        let alarm = Alarm::new("committer", failed);
        let applier = Applier {
            engine: engine.clone(),
            free,
            alarm: alarm.of("applier"),
        };
        let committer = Committer {
            engine: engine.clone(),
            waiting: waiting.clone(),
            hot: Arc::clone(&hot),
            remembered: Remembered::new(),
            log: folder.begin_log(words, freed)?,
            witness,
            number,
            alarm,
            batches: Arc::clone(&batches),
        };
        let threads = [
            thread("committer", move || committer.run(&inbox)),
            thread("applier", move || applier.run(&rows)),
        ];
        let threads = threads.into_iter().collect::<io::Result<_>>();
        Ok(Self {
            engine,
            waiting,
            hot,
            readers: Readers::start().map_err(|source| folder.io(source))?,
            requests: Some(requests),
            threads: threads.map_err(|source| folder.io(source))?,
            failure: failure.shared(),
            batches,
            _folder: folder,
        })
    }

    /// Counts the batches of commits that were made durable since the store was opened, each with one sync.
    pub fn batches(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.batches)
    }

    /// Resolves with the cause once the store has failed for good: the process should stop and say it.
    pub fn failed(&self) -> impl Future<Output = String> + Send + use<> {
        let failure = self.failure.clone();
        async move {
            match failure.await {
                Ok(cause) => cause,
                // The store was closed without having failed.
                Err(oneshot::Canceled) => futures::future::pending().await,
            }
        }
    }

    async fn ask<T>(
        &self,
        make: impl FnOnce(oneshot::Sender<Result<T, CommitError>>) -> Request,
    ) -> Result<T, CommitError> {
        let (reply, answer) = oneshot::channel();
        let requests = self.requests.as_ref().expect("present until dropped");
        // An answer that cannot come says the same as a request that cannot go.
        let _ = requests.send(make(reply));
        answer.await.unwrap_or_else(|oneshot::Canceled| {
            Err(StoreError::Unavailable("the committer has stopped".into()).into())
        })
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.requests = None;
        for thread in self.threads.drain(..) {
            // A panic there was already told through `failed`.
            let _ = thread.join();
        }
    }
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.into()).spawn(work)
}

#[async_trait]
impl Store for Embedded {
    async fn read(&self, partition: &Partition, reads: &[Read]) -> Result<Snapshot, StoreError> {
        check_reads(partition, reads)?;
        match self.hot.answer(partition, reads) {
            Ok(snapshot) => Ok(snapshot),
            Err(before) => {
                let (engine, of, asked) = (self.engine.clone(), partition.clone(), reads.to_vec());
                let snapshot = self.readers.run(move || engine.read(&of, &asked)).await?;
                self.hot.learn(partition, reads, &snapshot, before);
                Ok(snapshot)
            }
        }
    }

    async fn commit(&self, commit: Commit) -> Result<Version, CommitError> {
        let committed = self.commit_delivering(commit, Vec::new()).await?;
        Ok(committed.version)
    }

    async fn commit_delivering(
        &self,
        commit: Commit,
        deliveries: Vec<Commit>,
    ) -> Result<Committed, CommitError> {
        check_commit(&commit)?;
        deliveries.iter().try_for_each(check_commit)?;
        self.ask(|reply| Request::Commit {
            commit,
            deliveries,
            reply,
        })
        .await
    }

    async fn pending(&self, after: Option<&Partition>, limit: usize) -> Result<Vec<Partition>, StoreError> {
        check_limit(limit)?;
        Ok(self.waiting.partitions(after, limit))
    }

    async fn outbox(
        &self,
        from: &Partition,
        after: Option<EffectId>,
        limit: usize,
    ) -> Result<Vec<Pending>, StoreError> {
        check_partition(from)?;
        check_limit(limit)?;
        let Some(oldest) = self.waiting.oldest(from) else {
            return Ok(Vec::new());
        };
        let (engine, from) = (self.engine.clone(), from.clone());
        self.readers
            .run(move || engine.outbox(&from, oldest, after, limit))
            .await
    }

    async fn settle(&self, from: &Partition, delivered: &[EffectId]) -> Result<(), StoreError> {
        check_partition(from)?;
        let (from, delivered) = (from.clone(), delivered.to_vec());
        let settled = self
            .ask(|reply| Request::Settle {
                from,
                delivered,
                reply,
            })
            .await;
        settled.map_err(|error| match error {
            CommitError::Store(error) => error,
            CommitError::Conflict(_) => unreachable!("settling expects no version"),
        })
    }
}

impl Engine {
    /// Rows from `start` up to `end` that the engine lacks yet, and the engine's that belong to them.
    fn view(&self, start: &Bytes, end: &Bytes) -> (Changes, fjall::Snapshot) {
        let recent = self.recent.rows();
        (recent.range(start, end), self.database.snapshot())
    }

    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        if let Some(value) = self.recent.rows().get(key) {
            return Ok(value.clone());
        }
        Ok(self.rows.get(key).map_err(storage_error)?.map(copy))
    }

    /// The first `limit` rows of a range, as `over` changes them.
    fn range(
        &self,
        over: Changes,
        snapshot: &fjall::Snapshot,
        (start, end): (Bytes, Bytes),
        order: Order,
        limit: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        let found = snapshot.range(&self.rows, start..end);
        let row = |guard: fjall::Guard| {
            let (key, value) = guard.into_inner().map_err(storage_error)?;
            Ok((Bytes::copy_from_slice(&key), copy(value)))
        };
        match order {
            Order::Ascending => recent::merge(over, found.map(row), order, limit),
            Order::Descending => recent::merge(over, found.rev().map(row), order, limit),
        }
    }

    fn read(&self, partition: &Partition, reads: &[Read]) -> Result<Snapshot, StoreError> {
        let rows = Rows::of(partition);
        let (recent, snapshot) = self.view(&rows.version(), &rows.outbox_end());
        let look = Look {
            engine: self,
            rows,
            recent,
            snapshot,
        };
        let version = match look.get(look.rows.version())? {
            Some(version) => layout::decode_version(&version)?,
            // Every row of a partition comes with a version.
            None => {
                return Ok(Snapshot {
                    version: Version(0),
                    answers: reads.iter().map(nothing).collect(),
                });
            }
        };
        let answers = reads.iter().map(|read| look.answer(read));
        Ok(Snapshot {
            version,
            answers: answers.collect::<Result<_, _>>()?,
        })
    }

    /// Starts at `oldest`, because below it lie only deleted rows, and the engine steps over each.
    fn outbox(
        &self,
        from: &Partition,
        oldest: EffectId,
        after: Option<EffectId>,
        limit: usize,
    ) -> Result<Vec<Pending>, StoreError> {
        let rows = Rows::of(from);
        let start = after.map_or(oldest, |after| oldest.max(next_id(after)));
        let (start, end) = (rows.outbox(start), rows.outbox_end());
        let prefix_len = end.len();
        let (recent, snapshot) = self.view(&start, &end);
        let found = self.range(recent, &snapshot, (start, end), Order::Ascending, limit)?;
        let pending = found.into_iter().map(|(key, value)| {
            let id = layout::decode_id(&key[prefix_len..])?;
            Ok(Pending {
                id,
                effect: layout::decode_effect(&value)?,
            })
        });
        pending.collect()
    }

    fn number(&self, key: &[u8]) -> Result<Option<u64>, StoreError> {
        let value = self.rows.get(key).map_err(storage_error)?;
        Ok(value.map(|value| layout::decode_number(&value)).transpose()?)
    }
}

/// One partition at one moment.
struct Look<'a> {
    engine: &'a Engine,
    rows: Rows,
    /// What the engine lacks yet.
    recent: Changes,
    snapshot: fjall::Snapshot,
}

impl Look<'_> {
    fn get(&self, key: Bytes) -> Result<Option<Bytes>, StoreError> {
        if let Some(value) = self.recent.get(&key) {
            return Ok(value.clone());
        }
        let value = self.snapshot.get(&self.engine.rows, key);
        Ok(value.map_err(storage_error)?.map(copy))
    }

    fn answer(&self, read: &Read) -> Result<Answer, StoreError> {
        match read {
            Read::Key(key) => self.get(self.rows.entry(key)).map(Answer::Value),
            Read::Range { start, end, .. } if start >= end => Ok(Answer::Entries(Vec::new())),
            Read::Range {
                start,
                end,
                order,
                limit,
            } => self.range(start, end, *order, *limit).map(Answer::Entries),
            Read::Received(from) => {
                let id = self.get(self.rows.received(from))?;
                Ok(Answer::Received(id.map(|id| layout::decode_id(&id)).transpose()?))
            }
        }
    }

    fn range(
        &self,
        start: &Bytes,
        end: &Bytes,
        order: Order,
        limit: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        let (start, end) = (self.rows.entry(start), self.rows.entry(end));
        let changed = self.recent.range::<Bytes, _>(&start..&end);
        let over = changed.map(|(key, value)| (key.clone(), value.clone())).collect();
        let prefix_len = self.rows.entry(b"").len();
        let found = self
            .engine
            .range(over, &self.snapshot, (start, end), order, limit)?;
        let entries = found
            .into_iter()
            .map(|(key, value)| (key.slice(prefix_len..), value));
        Ok(entries.collect())
    }
}

fn nothing(read: &Read) -> Answer {
    match read {
        Read::Key(_) => Answer::Value(None),
        Read::Range { .. } => Answer::Entries(Vec::new()),
        Read::Received(_) => Answer::Received(None),
    }
}

/// The lowest id above `id`.
fn next_id(id: EffectId) -> EffectId {
    match id.index.checked_add(1) {
        Some(index) => EffectId { index, ..id },
        None => EffectId {
            version: Version(id.version.0.saturating_add(1)),
            index: 0,
        },
    }
}

/// A value of its own: a slice of the engine's would keep the whole block in memory.
fn copy(value: fjall::UserValue) -> Bytes {
    Bytes::copy_from_slice(&value)
}

/// An error of the disk may pass; anything else means that what is on it cannot be understood.
fn storage_error(error: fjall::Error) -> StoreError {
    match error {
        fjall::Error::Io(error) => StoreError::Unavailable(error.to_string()),
        fjall::Error::Storage(inner) => match std::error::Error::source(&inner) {
            Some(error) => StoreError::Unavailable(error.to_string()),
            None => StoreError::Corrupt(inner.to_string()),
        },
        // The engine writes tables in the background and keeps the cause of a failure for its log.
        fjall::Error::Poisoned => StoreError::Unavailable(
            "the engine could not write a table, so the disk is full or broken; its log line says more"
                .into(),
        ),
        error => StoreError::Corrupt(error.to_string()),
    }
}
