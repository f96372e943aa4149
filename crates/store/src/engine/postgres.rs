//! The engine for more than one machine: one table of a PostgreSQL database, or of one that speaks alike.
//!
//! A commit is one call of a function that touches one partition, and every statement but the one behind
//! [`Store::pending`] has an equality on the partition, so a database that spreads the table by partition
//! keeps each commit on one shard. Servers on many machines may use one database: the version in the
//! partition's first row is what they agree by.
//!
//! Commits are spread by partition over a few writers. Each drains its channel, sends many partitions'
//! commits as one transaction in one round trip, and then answers them. Locks are taken in the order of
//! partitions, so transactions of several servers do not lock one another out.
//!
//! A lost connection is made again by the next call. Until then, and for a commit that was under way,
//! calls fail with [`StoreError::Unavailable`].

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::channel::oneshot;
use tokio::sync::mpsc;
use tokio_postgres::Row;

use crate::engine::postgres::link::{Durability, Link};
use crate::engine::postgres::writer::{Request, Writer};
use crate::layout::{self, Rows};
use crate::limits::{check_commit, check_limit, check_partition, check_reads};
use crate::tuple::Malformed;
use crate::{
    Answer, Commit, CommitError, EffectId, Key, Order, Partition, Pending, Read, Snapshot, Store, StoreError,
    Value, Version,
};

mod link;
mod schema;
mod writer;

/// What can be chosen about a PostgreSQL store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Connections that commit, at least 1. More than the database has cores gains nothing.
    pub writers: usize,
    /// Connections that read, at least 1.
    pub readers: usize,
    /// Most commits in one transaction, at least 1. Use 1 where partitions lie on different shards: there
    /// a transaction over several costs a two-phase commit.
    pub batch_commits_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            writers: 2,
            readers: 4,
            batch_commits_max: 64,
        }
    }
}

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address is not a libpq URL or key-value string.
    #[error("the address of the database cannot be read: {0}")]
    Address(String),
    /// The database cannot be reached, does not let this user in, or refused to make the table.
    #[error("the database cannot be used: {0}")]
    Refused(String),
    /// A newer server wrote the store.
    #[error("the database has format {found}, this server knows {known}: use the newer server again")]
    NewerFormat {
        /// Format of the store.
        found: i64,
        /// Highest format that this server knows.
        known: u32,
    },
}

/// A store in a database.
#[derive(Debug)]
pub struct Postgres {
    writers: Vec<mpsc::UnboundedSender<Request>>,
    readers: Vec<Link>,
    next_reader: AtomicUsize,
    /// Settles effects without waiting for the disk.
    courier: Link,
}

impl Postgres {
    /// Connects to the database at `address`, a libpq URL, and makes the table if there is none. Needs a
    /// tokio runtime, then and later.
    ///
    /// # Errors
    /// Every variant of [`OpenError`].
    pub async fn open(address: &str, options: Options) -> Result<Self, OpenError> {
        let config = link::parse(address)?;
        schema::prepare(&config).await?;
        let link = |durability| Link::new(config.clone(), durability);
        let writers = (0..options.writers.max(1)).map(|_| {
            let (requests, inbox) = mpsc::unbounded_channel();
            let writer = Writer::new(link(Durability::Synced), options.batch_commits_max.max(1));
            tokio::spawn(writer.run(inbox));
            requests
        });
        Ok(Self {
            writers: writers.collect(),
            readers: (0..options.readers.max(1))
                .map(|_| link(Durability::Synced))
                .collect(),
            next_reader: AtomicUsize::new(0),
            courier: link(Durability::Lazy),
        })
    }

    fn reader(&self) -> &Link {
        let turn = self.next_reader.fetch_add(1, Ordering::Relaxed);
        &self.readers[turn % self.readers.len()]
    }

    /// One partition always has the same writer, which keeps its commits in order.
    fn writer(&self, partition: &Partition) -> &mpsc::UnboundedSender<Request> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(partition);
        // The remainder is below the length, so it fits.
        &self.writers[(hash % self.writers.len() as u64) as usize]
    }
}

#[async_trait]
impl Store for Postgres {
    async fn read(&self, partition: &Partition, reads: &[Read]) -> Result<Snapshot, StoreError> {
        check_reads(partition, reads)?;
        let question = Question::new(reads);
        let session = self.reader().session().await?;
        let rows = session
            .query(
                &session.read,
                &[
                    &&partition.0[..],
                    &question.keys,
                    &question.starts,
                    &question.ends,
                    &question.limits,
                    &question.descending,
                ],
            )
            .await?;
        question.answer(reads, &rows)
    }

    async fn commit(&self, commit: Commit) -> Result<Version, CommitError> {
        check_commit(&commit)?;
        let (reply, answer) = oneshot::channel();
        // An answer that cannot come says the same as a request that cannot go.
        let _ = self.writer(&commit.partition).send(Request {
            commit: Arc::new(commit),
            reply,
        });
        answer.await.unwrap_or_else(|oneshot::Canceled| {
            Err(StoreError::Unavailable("the writer has stopped".into()).into())
        })
    }

    async fn pending(&self, after: Option<&Partition>, limit: usize) -> Result<Vec<Partition>, StoreError> {
        check_limit(limit)?;
        let session = self.reader().session().await?;
        // The lowest name above `after` is the same with a zero byte.
        let start = after.map_or_else(Vec::new, |after| [&after.0[..], &[0]].concat());
        let rows = session
            .query(&session.pending, &[&start, &sql_limit(limit)])
            .await?;
        Ok(rows.iter().map(|row| Partition(bytes(row, 0))).collect())
    }

    async fn outbox(
        &self,
        from: &Partition,
        after: Option<EffectId>,
        limit: usize,
    ) -> Result<Vec<Pending>, StoreError> {
        check_partition(from)?;
        check_limit(limit)?;
        let rows = Rows::bare();
        let start = after.map_or_else(|| rows.outbox_start(), |after| rows.outbox(after));
        let (start, end) = (&start[..], &rows.outbox_end()[..]);
        let session = self.reader().session().await?;
        let found = session
            .query(&session.outbox, &[&&from.0[..], &start, &end, &sql_limit(limit)])
            .await?;
        found.iter().map(|row| Ok(decode_pending(row)?)).collect()
    }

    async fn settle(&self, from: &Partition, delivered: &[EffectId]) -> Result<(), StoreError> {
        check_partition(from)?;
        let rows = Rows::bare();
        let keys: Vec<_> = delivered.iter().map(|id| rows.outbox(*id)).collect();
        let keys: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
        let session = self.courier.session().await?;
        session.query(&session.settle, &[&&from.0[..], &keys]).await?;
        Ok(())
    }
}

/// The reads of one call as arguments of one statement, which is one snapshot.
#[derive(Debug, Default)]
struct Question {
    keys: Vec<Vec<u8>>,
    starts: Vec<Vec<u8>>,
    ends: Vec<Vec<u8>>,
    limits: Vec<i64>,
    descending: Vec<bool>,
}

impl Question {
    fn new(reads: &[Read]) -> Self {
        let rows = Rows::bare();
        let mut question = Self {
            keys: vec![rows.version().into()],
            ..Self::default()
        };
        for read in reads {
            match read {
                Read::Key(key) => question.keys.push(rows.entry(key).into()),
                Read::Received(from) => question.keys.push(rows.received(from).into()),
                Read::Range {
                    start,
                    end,
                    order,
                    limit,
                } => {
                    question.starts.push(rows.entry(start).into());
                    question.ends.push(rows.entry(end).into());
                    question.limits.push(sql_limit(*limit));
                    question.descending.push(*order == Order::Descending);
                }
            }
        }
        question
    }

    /// Puts the rows of the statement (number of the range or 0, key, value) in the order of `reads`.
    fn answer(&self, reads: &[Read], found: &[Row]) -> Result<Snapshot, StoreError> {
        let mut ranges: Vec<Vec<(Key, Value)>> = vec![Vec::new(); self.starts.len() + 1];
        for row in found {
            let range = usize::try_from(row.get::<_, i64>(0)).map_err(|_| Malformed)?;
            ranges
                .get_mut(range)
                .ok_or(Malformed)?
                .push((bytes(row, 1), bytes(row, 2)));
        }
        let mut ranges = ranges.into_iter();
        let mut points = ranges.next().unwrap_or_default();
        points.sort_unstable();
        let point = |key: Bytes| {
            let place = points.binary_search_by(|(found, _)| found.cmp(&key)).ok()?;
            Some(points[place].1.clone())
        };
        let rows = Rows::bare();
        let version = point(rows.version())
            .map(|version| layout::decode_version(&version))
            .transpose()?;
        let answers = reads.iter().map(|read| match read {
            Read::Key(key) => Ok(Answer::Value(point(rows.entry(key)))),
            Read::Received(from) => {
                let id = point(rows.received(from))
                    .map(|id| layout::decode_id(&id))
                    .transpose()?;
                Ok(Answer::Received(id))
            }
            Read::Range { order, .. } => {
                Ok(Answer::Entries(in_order(ranges.next().ok_or(Malformed)?, *order)))
            }
        });
        let answers = answers.collect::<Result<_, Malformed>>()?;
        Ok(Snapshot {
            version: version.unwrap_or_default(),
            answers,
        })
    }
}

/// Entries of a range, without the kind of row; a statement of several parts promises no order of its rows.
fn in_order(mut entries: Vec<(Key, Value)>, order: Order) -> Vec<(Key, Value)> {
    entries.sort_unstable();
    if order == Order::Descending {
        entries.reverse();
    }
    entries
        .into_iter()
        .map(|(key, value)| (key.slice(1..), value))
        .collect()
}

fn decode_pending(row: &Row) -> Result<Pending, Malformed> {
    let id = layout::decode_id(&bytes(row, 0)[1..])?;
    Ok(Pending {
        id,
        effect: layout::decode_effect(&bytes(row, 1))?,
    })
}

fn bytes(row: &Row, column: usize) -> Bytes {
    Bytes::copy_from_slice(row.get(column))
}

/// Limits are checked before, so they fit.
fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
