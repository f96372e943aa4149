//! The one writer: many commits, one batch, one sync.
//!
//! While a batch is being synced the next commits gather in the channel. If some did, many are at work, and the
//! next batch waits a moment for more of them: a sync costs the same for one commit and for a hundred. Who commits
//! alone never waits.
//!
//! A commit is run on an overlay of the rows that earlier commits of the same batch changed, so it sees them.
//! Answers leave after the sync, conflicts too: whoever is told of a version must then be able to read it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use bytes::Bytes;
use futures::channel::oneshot;

use crate::engine::embedded::Engine;
use crate::engine::embedded::alarm::Alarm;
use crate::engine::embedded::folder::Witness;
use crate::engine::embedded::hot::Hot;
use crate::engine::embedded::log::{Changes, Log};
use crate::engine::embedded::waiting::Waiting;
use crate::layout::{self, Rows};
use crate::limits::commit_bytes;
use crate::{
    Commit, CommitError, Committed, EffectId, Order, Outgoing, Partition, StoreError, Version, Write,
};

/// Most requests in one batch.
const BATCH_REQUESTS_MAX: usize = 4096;
/// A batch that reached this many bytes takes no further request.
const BATCH_BYTES_MAX: usize = 8 << 20;

/// How long a batch waits for more requests when there are some already. Under a steady load on two cores: half a
/// millisecond halves the slowest answers, one millisecond brings them to a fifth, two hardly further.
const GATHER: Duration = Duration::from_millis(1);

/// Undelivered effects of one partition that are remembered; of more only the oldest is.
const REMEMBERED_MAX: usize = 1024;
/// Partitions whose undelivered effects are remembered.
const REMEMBERED_PARTITIONS_MAX: usize = 100_000;

/// All undelivered effects of partitions that had none when the first of them was written: so that settling
/// finds the next one without a search among rows that were just deleted.
pub(super) type Remembered = HashMap<Partition, BTreeSet<EffectId>>;

type Reply<T> = oneshot::Sender<Result<T, CommitError>>;

/// What the committer is asked to do.
#[derive(Debug)]
pub(super) enum Request {
    Commit {
        commit: Commit,
        deliveries: Vec<Commit>,
        reply: Reply<Committed>,
    },
    Settle {
        from: Partition,
        delivered: Vec<EffectId>,
        reply: Reply<()>,
    },
}

impl Request {
    fn bytes(&self) -> usize {
        match self {
            Self::Commit {
                commit, deliveries, ..
            } => commit_bytes(commit) + deliveries.iter().map(commit_bytes).sum::<usize>(),
            Self::Settle { delivered, .. } => size_of_val(delivered.as_slice()),
        }
    }

    /// Who asked may have gone away, so the answers here and below may find nobody.
    fn refuse(self, error: StoreError) {
        match self {
            Self::Commit { reply, .. } => drop(reply.send(Err(error.into()))),
            Self::Settle { reply, .. } => drop(reply.send(Err(error.into()))),
        }
    }
}

pub(super) struct Committer {
    pub(super) engine: Engine,
    pub(super) waiting: Waiting,
    pub(super) hot: Arc<Hot>,
    pub(super) remembered: Remembered,
    pub(super) log: Log,
    pub(super) witness: Witness,
    /// Number of the last batch.
    pub(super) number: u64,
    pub(super) alarm: Alarm,
    pub(super) batches: Arc<AtomicU64>,
}

impl Committer {
    /// Works until every sender is gone.
    pub(super) fn run(mut self, inbox: &mpsc::Receiver<Request>) {
        while let Ok(first) = next(inbox) {
            if let Err(error) = self.serve(drain(first, inbox)) {
                self.alarm.raise(error.to_string());
                inbox
                    .iter()
                    .for_each(|request| request.refuse(unavailable(&error)));
            }
        }
    }

    fn serve(&mut self, requests: Vec<Request>) -> Result<(), StoreError> {
        match self.write(&requests) {
            Ok(outcomes) => {
                requests
                    .into_iter()
                    .zip(outcomes)
                    .for_each(|(request, outcome)| answer(request, outcome));
                Ok(())
            }
            Err(error) => {
                requests
                    .into_iter()
                    .for_each(|request| request.refuse(unavailable(&error)));
                Err(error)
            }
        }
    }

    /// Returns when what was asked is durable: for each request, the outcome.
    fn write(&mut self, requests: &[Request]) -> Result<Vec<Outcome>, StoreError> {
        let mut overlay = Overlay::new(&self.engine, &self.waiting, &self.hot, &mut self.remembered);
        let outcomes: Vec<_> = requests
            .iter()
            .map(|request| overlay.run(request))
            .collect::<Result<_, StoreError>>()?;
        let Overlay {
            rows,
            oldest,
            commits,
            ..
        } = overlay;
        if !rows.is_empty() {
            self.make_durable(rows, commits)?;
        }
        self.waiting.apply(oldest);
        for (request, outcome) in requests.iter().zip(&outcomes) {
            self.keep(request, outcome);
        }
        Ok(outcomes)
    }

    /// What only settles is in the log too, so that it keeps its place among the commits, but waits for no sync.
    fn make_durable(&mut self, rows: Changes, commits: bool) -> Result<(), StoreError> {
        self.number += 1;
        self.log.append(self.number, &rows)?;
        if commits {
            self.log.sync()?;
            self.witness.write(self.number)?;
            self.batches.fetch_add(1, Ordering::Relaxed);
        }
        self.engine.recent.add(self.number, rows);
        self.log.tell()
    }

    /// Lets the rows in use be what they are now.
    fn keep(&self, request: &Request, outcome: &Outcome) {
        let (
            Request::Commit {
                commit, deliveries, ..
            },
            Outcome::Committed { version, delivered },
        ) = (request, outcome)
        else {
            return;
        };
        self.hot.apply(commit, *version);
        for (delivery, version) in deliveries.iter().zip(delivered) {
            if let Some(version) = version {
                self.hot.apply(delivery, *version);
            }
        }
    }
}

/// The first request of the next batch.
fn next(inbox: &mpsc::Receiver<Request>) -> Result<Request, mpsc::RecvError> {
    match inbox.try_recv() {
        Ok(first) => {
            std::thread::sleep(GATHER);
            Ok(first)
        }
        Err(_) => inbox.recv(),
    }
}

fn drain(first: Request, inbox: &mpsc::Receiver<Request>) -> Vec<Request> {
    let mut bytes = first.bytes();
    let mut requests = vec![first];
    while bytes < BATCH_BYTES_MAX && requests.len() < BATCH_REQUESTS_MAX {
        let Ok(request) = inbox.try_recv() else { break };
        bytes += request.bytes();
        requests.push(request);
    }
    requests
}

fn answer(request: Request, outcome: Outcome) {
    match (request, outcome) {
        (Request::Commit { reply, .. }, Outcome::Committed { version, delivered }) => {
            let delivered = delivered.iter().map(Option::is_some).collect();
            drop(reply.send(Ok(Committed { version, delivered })));
        }
        (Request::Commit { reply, .. }, Outcome::Conflict(version)) => {
            drop(reply.send(Err(CommitError::Conflict(version))));
        }
        (Request::Settle { reply, .. }, _) => drop(reply.send(Ok(()))),
        (Request::Commit { .. }, Outcome::Settled) => unreachable!("a commit is not settled"),
    }
}

fn unavailable(cause: &StoreError) -> StoreError {
    StoreError::Unavailable(format!("the store has failed and must be restarted: {cause}"))
}

enum Outcome {
    Committed {
        version: Version,
        /// The versions that the deliveries created which were made.
        delivered: Vec<Option<Version>>,
    },
    Conflict(Version),
    Settled,
}

/// The engine's rows as they will be after the batch.
struct Overlay<'a> {
    engine: &'a Engine,
    waiting: &'a Waiting,
    hot: &'a Hot,
    remembered: &'a mut Remembered,
    /// Versions that commits of this batch made.
    versions: HashMap<Partition, Version>,
    /// One change for each row: in a batch of the engine the order of two changes of a row is not defined.
    rows: Changes,
    /// Changed partitions' oldest undelivered effects.
    oldest: BTreeMap<Partition, Option<EffectId>>,
    /// Whether a commit was made; settling alone needs no sync.
    commits: bool,
}

impl<'a> Overlay<'a> {
    fn new(engine: &'a Engine, waiting: &'a Waiting, hot: &'a Hot, remembered: &'a mut Remembered) -> Self {
        Self {
            engine,
            waiting,
            hot,
            remembered,
            versions: HashMap::new(),
            rows: Changes::new(),
            oldest: BTreeMap::new(),
            commits: false,
        }
    }

    fn run(&mut self, request: &Request) -> Result<Outcome, StoreError> {
        match request {
            Request::Commit {
                commit, deliveries, ..
            } => self.commit(commit, deliveries),
            Request::Settle { from, delivered, .. } => {
                self.settle(from, delivered)?;
                Ok(Outcome::Settled)
            }
        }
    }

    fn commit(&mut self, commit: &Commit, deliveries: &[Commit]) -> Result<Outcome, StoreError> {
        let rows = Rows::of(&commit.partition);
        let version = match self.next_version(&rows, commit)? {
            Ok(version) => version,
            Err(present) => return Ok(Outcome::Conflict(present)),
        };
        let delivered = self.deliver(&commit.partition, deliveries)?;
        let made = deliveries
            .iter()
            .zip(&delivered)
            .filter(|(_, made)| made.is_some());
        let reached: BTreeSet<&Partition> = made.map(|(delivery, _)| &delivery.partition).collect();
        let waits = |effect: &&Outgoing| !reached.contains(&effect.to);
        let effects: Vec<_> = commit.effects.iter().filter(waits).collect();
        self.apply(&rows, commit, version, &effects);
        Ok(Outcome::Committed { version, delivered })
    }

    /// The version that a commit would create, or the present one if it cannot be made.
    fn next_version(&self, rows: &Rows, commit: &Commit) -> Result<Result<Version, Version>, StoreError> {
        let version = self.version(&commit.partition, rows)?;
        if version != commit.expected || self.has_received(rows, commit)? {
            return Ok(Err(version));
        }
        Ok(Ok(Version(version.0 + 1)))
    }

    /// Makes the deliveries that can be made, unless earlier effects wait; gives the versions they create.
    fn deliver(
        &mut self,
        from: &Partition,
        deliveries: &[Commit],
    ) -> Result<Vec<Option<Version>>, StoreError> {
        if self.oldest(from).is_some() {
            return Ok(vec![None; deliveries.len()]);
        }
        let one = |delivery: &Commit| {
            if delivery.partition == *from {
                return Ok(None);
            }
            let rows = Rows::of(&delivery.partition);
            let Ok(version) = self.next_version(&rows, delivery)? else {
                return Ok(None);
            };
            let effects: Vec<_> = delivery.effects.iter().collect();
            self.apply(&rows, delivery, version, &effects);
            Ok(Some(version))
        };
        deliveries.iter().map(one).collect()
    }

    fn version(&self, partition: &Partition, rows: &Rows) -> Result<Version, StoreError> {
        let known = self.versions.get(partition).copied();
        if let Some(version) = known.or_else(|| self.hot.version(partition)) {
            return Ok(version);
        }
        match self.get(&rows.version())? {
            Some(version) => Ok(layout::decode_version(&version)?),
            None => Ok(Version(0)),
        }
    }

    fn has_received(&self, rows: &Rows, commit: &Commit) -> Result<bool, StoreError> {
        let Some((from, id)) = &commit.received else {
            return Ok(false);
        };
        match self.get(&rows.received(from))? {
            Some(highest) => Ok(layout::decode_id(&highest)? >= *id),
            None => Ok(false),
        }
    }

    fn apply(&mut self, rows: &Rows, commit: &Commit, version: Version, effects: &[&Outgoing]) {
        self.commits = true;
        self.versions.insert(commit.partition.clone(), version);
        self.rows
            .insert(rows.version(), Some(layout::encode_version(version)));
        for write in &commit.writes {
            match write {
                Write::Put(key, value) => self.rows.insert(rows.entry(key), Some(value.clone())),
                Write::Delete(key) => self.rows.insert(rows.entry(key), None),
            };
        }
        if let Some((from, id)) = &commit.received {
            self.rows
                .insert(rows.received(from), Some(layout::encode_id(*id)));
        }
        self.remember(&commit.partition, version, effects.len());
        for (index, effect) in (0u32..).zip(effects) {
            let id = EffectId { version, index };
            self.rows
                .insert(rows.outbox(id), Some(layout::encode_effect(effect)));
        }
        if !effects.is_empty() && self.oldest(&commit.partition).is_none() {
            self.set_oldest(&commit.partition, Some(EffectId { version, index: 0 }));
        }
    }

    /// Before the effects of a commit are written.
    fn remember(&mut self, partition: &Partition, version: Version, count: usize) {
        if count == 0 {
            return;
        }
        if self.oldest(partition).is_none() && self.remembered.len() < REMEMBERED_PARTITIONS_MAX {
            self.remembered.insert(partition.clone(), BTreeSet::new());
        }
        if let Some(ids) = self.remembered.get_mut(partition) {
            let indices = (0u32..).take(count);
            ids.extend(indices.map(|index| EffectId { version, index }));
            if ids.len() > REMEMBERED_MAX {
                self.remembered.remove(partition);
            }
        }
    }

    /// After effects of a partition were settled: the first that was not, if all of them are remembered.
    fn next_remembered(&mut self, from: &Partition, delivered: &[EffectId]) -> Option<Option<EffectId>> {
        let ids = self.remembered.get_mut(from)?;
        for id in delivered {
            ids.remove(id);
        }
        let next = ids.first().copied();
        if next.is_none() {
            self.remembered.remove(from);
        }
        Some(next)
    }

    fn settle(&mut self, from: &Partition, delivered: &[EffectId]) -> Result<(), StoreError> {
        let Some(oldest) = self.oldest(from) else {
            return Ok(());
        };
        let rows = Rows::of(from);
        for id in delivered.iter().filter(|id| **id >= oldest) {
            self.rows.insert(rows.outbox(*id), None);
        }
        let remembered = self.next_remembered(from, delivered);
        if delivered.contains(&oldest) {
            let next = match remembered {
                Some(next) => next,
                None => self.first_undelivered(&rows, oldest)?,
            };
            self.set_oldest(from, next);
        }
        Ok(())
    }

    /// The first effect from `start` on that is neither deleted in the engine nor here.
    fn first_undelivered(&self, rows: &Rows, start: EffectId) -> Result<Option<EffectId>, StoreError> {
        let (start, end) = (rows.outbox(start), rows.outbox_end());
        let prefix_len = end.len();
        let (mut over, snapshot) = self.engine.view(&start, &end);
        let changed = self.rows.range::<Bytes, _>(&start..&end);
        over.extend(changed.map(|(key, value)| (key.clone(), value.clone())));
        let first = self
            .engine
            .range(over, &snapshot, (start, end), Order::Ascending, 1)?;
        let id = first
            .first()
            .map(|(key, _)| layout::decode_id(&key[prefix_len..]));
        Ok(id.transpose()?)
    }

    fn oldest(&self, partition: &Partition) -> Option<EffectId> {
        match self.oldest.get(partition) {
            Some(changed) => *changed,
            None => self.waiting.oldest(partition),
        }
    }

    fn set_oldest(&mut self, partition: &Partition, oldest: Option<EffectId>) {
        self.rows
            .insert(layout::pending(partition), oldest.map(layout::encode_id));
        self.oldest.insert(partition.clone(), oldest);
    }

    fn get(&self, key: &Bytes) -> Result<Option<Bytes>, StoreError> {
        if let Some(changed) = self.rows.get(key) {
            return Ok(changed.clone());
        }
        self.engine.get(key)
    }
}
