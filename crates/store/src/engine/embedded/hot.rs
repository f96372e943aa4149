//! Rows of partitions in use, beside the engine: a message's boxes are read again and again, and finding a row
//! in the engine costs microseconds each time.
//!
//! Only the committer changes what is known here, in the order of its commits and before it answers them, so
//! whoever was told of a commit reads it. A reader that had to ask the engine adds what it found, unless the
//! partition has moved on since.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher as _, RandomState};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::{Answer, Commit, EffectId, Order, Partition, Read, Snapshot, Version, Write};

/// Bytes that are kept, all together, about.
pub(super) const HOT_BYTES_MAX: usize = 32 << 20;
/// Bytes that are kept of one partition; beyond it those rows are dropped that nobody has wanted lately.
const PARTITION_BYTES_MAX: usize = 64 << 10;
/// Longest value that is kept, bytes.
const VALUE_LEN_MAX: usize = 4 << 10;
/// Parts with a lock of their own.
pub(super) const SHARDS: usize = 16;
/// What a row costs besides its bytes, and a partition besides its rows.
const OVERHEAD: usize = 64;

/// A row, or that there is none.
#[derive(Debug, Default)]
struct Row {
    value: Option<Bytes>,
    /// How often somebody wanted it since rows were last dropped.
    wanted: u8,
}

impl Row {
    fn bytes(&self, key: &Bytes) -> usize {
        key.len() + self.value.as_ref().map_or(0, Bytes::len) + OVERHEAD
    }
}

/// Keys from `first` up to but not including `beyond`, or without an end.
#[derive(Clone, Debug, Default)]
struct Span {
    first: Bytes,
    beyond: Option<Bytes>,
}

impl Span {
    fn holds(&self, key: &Bytes) -> bool {
        self.first <= *key && self.beyond.as_ref().is_none_or(|beyond| key < beyond)
    }

    fn holds_range(&self, start: &Bytes, end: &Bytes) -> bool {
        self.first <= *start && self.beyond.as_ref().is_none_or(|beyond| end <= beyond)
    }

    /// With a range that it overlaps or touches; nothing if there is a gap between them.
    fn with(self, start: &Bytes, end: &Bytes) -> Option<Self> {
        let touches = self.beyond.as_ref().is_none_or(|beyond| start <= beyond) && self.first <= *end;
        touches.then(|| Self {
            first: self.first.min(start.clone()),
            beyond: self.beyond.map(|beyond| beyond.max(end.clone())),
        })
    }

    fn bounds(&self) -> (Bound<&Bytes>, Bound<&Bytes>) {
        let beyond = self.beyond.as_ref();
        (
            Bound::Included(&self.first),
            beyond.map_or(Bound::Unbounded, Bound::Excluded),
        )
    }
}

/// What is known of one partition at one version.
#[derive(Debug, Default)]
struct Entry {
    version: Version,
    values: BTreeMap<Bytes, Row>,
    /// Keys among which there is no row that is not in `values`.
    whole: Option<Span>,
    received: HashMap<Partition, Option<EffectId>>,
    /// Whether nothing was received from whom `received` does not name.
    received_whole: bool,
    bytes: usize,
}

impl Entry {
    fn at(version: Version) -> Self {
        Self {
            version,
            ..Self::default()
        }
    }

    /// What the engine says it is, so far as it does. Of a partition that nobody has written to yet everything is
    /// known, and who has just come is asked for many rows that are not there.
    fn found(version: Version) -> Self {
        let is_new = version == Version(0);
        Self {
            whole: is_new.then(Span::default),
            received_whole: is_new,
            ..Self::at(version)
        }
    }

    fn answer(&mut self, read: &Read) -> Option<Answer> {
        match read {
            Read::Key(key) => self.row(key),
            Read::Received(from) => match self.received.get(from) {
                Some(id) => Some(Answer::Received(*id)),
                None => self.received_whole.then_some(Answer::Received(None)),
            },
            Read::Range {
                start,
                end,
                order,
                limit,
            } => self.range(start, end, *order, *limit),
        }
    }

    fn row(&mut self, key: &Bytes) -> Option<Answer> {
        let Some(row) = self.values.get_mut(key) else {
            return self.is_known(key).then_some(Answer::Value(None));
        };
        row.wanted = row.wanted.saturating_add(1);
        Some(Answer::Value(row.value.clone()))
    }

    fn range(&mut self, start: &Bytes, end: &Bytes, order: Order, limit: usize) -> Option<Answer> {
        if start >= end || !self.whole.as_ref()?.holds_range(start, end) {
            return None;
        }
        let rows = self.values.range_mut::<Bytes, _>(start..end);
        let rows = rows.filter_map(|(key, row)| {
            row.wanted = row.wanted.saturating_add(1);
            Some((key.clone(), row.value.clone()?))
        });
        Some(Answer::Entries(match order {
            Order::Ascending => rows.take(limit).collect(),
            Order::Descending => rows.rev().take(limit).collect(),
        }))
    }

    /// Takes up a range of which the engine gave every row.
    fn learn_range(&mut self, start: &Bytes, end: &Bytes, rows: &[(Bytes, Bytes)]) {
        if start >= end {
            return;
        }
        let merged = self.whole.take().and_then(|whole| whole.with(start, end));
        // Two ranges with a gap between them: the newer one is of more use.
        let whole = merged.unwrap_or_else(|| Span {
            first: start.clone(),
            beyond: Some(end.clone()),
        });
        self.whole = Some(whole);
        for (key, value) in rows {
            self.value(key, Some(value));
        }
    }

    fn is_known(&self, key: &Bytes) -> bool {
        let whole = self.whole.as_ref();
        whole.is_some_and(|whole| whole.holds(key)) || self.values.contains_key(key)
    }

    /// Rows of indices say what they say by their keys, and are looked for by range: the next to read
    /// something new is not about to ask for one by its key.
    fn is_worth_keeping(&self, key: &Bytes, value: &Bytes) -> bool {
        value.len() > 1 || self.is_known(key)
    }

    fn value(&mut self, key: &Bytes, value: Option<&Bytes>) {
        let before = self.values.remove(key);
        self.bytes -= before.as_ref().map_or(0, |before| before.bytes(key));
        if value.is_some_and(|value| value.len() > VALUE_LEN_MAX) {
            self.whole = None;
            return;
        }
        let row = Row {
            value: value.cloned(),
            wanted: before.map_or(0, |before| before.wanted),
        };
        self.bytes += row.bytes(key);
        self.values.insert(key.clone(), row);
    }

    fn received(&mut self, from: &Partition, id: Option<EffectId>) {
        if self.received.insert(from.clone(), id).is_none() {
            self.bytes += from.0.len() + OVERHEAD;
        }
    }

    fn apply(&mut self, commit: &Commit) {
        for write in &commit.writes {
            match write {
                Write::Put(key, value) if self.is_worth_keeping(key, value) => self.value(key, Some(value)),
                Write::Delete(key) if self.is_known(key) => self.value(key, None),
                Write::Put(..) | Write::Delete(_) => {}
            }
        }
        if let Some((from, id)) = &commit.received {
            self.received(from, Some(*id));
        }
        self.shrink();
    }

    fn learn(&mut self, reads: &[Read], answers: &[Answer]) {
        for answered in reads.iter().zip(answers) {
            match answered {
                (Read::Key(key), Answer::Value(value)) => self.value(key, value.as_ref()),
                (Read::Received(from), Answer::Received(id)) => self.received(from, *id),
                (
                    Read::Range {
                        start, end, limit, ..
                    },
                    Answer::Entries(rows),
                ) if rows.len() < *limit => {
                    self.learn_range(start, end, rows);
                }
                _ => {}
            }
        }
        self.shrink();
    }

    /// Drops rows when there are too many. What is read with every message stays; most others, such as the messages
    /// themselves, are wanted once, soon after they were written. Of a range its end stays, where rows are added.
    fn shrink(&mut self) {
        if self.bytes <= PARTITION_BYTES_MAX {
            return;
        }
        if let Some(whole) = &mut self.whole {
            let last = self.values.range::<Bytes, _>(whole.bounds()).next_back();
            whole.first = last.map_or_else(|| whole.first.clone(), |(key, _)| key.clone());
        }
        let end = self.whole.as_ref();
        let in_the_end = |key: &Bytes| end.is_some_and(|end| end.holds(key));
        self.values.retain(|key, row| {
            let stays = row.wanted > 1 || in_the_end(key);
            row.wanted = 0;
            stays
        });
        self.received.clear();
        self.received_whole = false;
        self.bytes = self.values.iter().map(|(key, row)| row.bytes(key)).sum();
        if self.bytes > PARTITION_BYTES_MAX / 2 {
            *self = Self::at(self.version);
        }
    }
}

/// Partitions that were in use lately, and those before them: when the first are too many they become the
/// second, which are forgotten.
#[derive(Debug, Default)]
struct Shard {
    young: HashMap<Partition, Entry>,
    old: HashMap<Partition, Entry>,
    young_bytes: usize,
    /// How often partitions were forgotten.
    turns: u64,
    bytes_max: usize,
}

impl Shard {
    /// Does something to what is known of a partition, which is in use from now on.
    fn with<T>(&mut self, partition: &Partition, deed: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        if !self.young.contains_key(partition) {
            let entry = self.old.remove(partition)?;
            self.insert(partition, entry);
        }
        let entry = self.young.get_mut(partition)?;
        let before = entry.bytes;
        let result = deed(entry);
        self.young_bytes = self.young_bytes + entry.bytes - before;
        Some(result)
    }

    fn insert(&mut self, partition: &Partition, entry: Entry) {
        if self.young_bytes > self.bytes_max / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
            self.turns += 1;
        }
        self.young_bytes += entry.bytes + partition.0.len() + OVERHEAD;
        self.young.insert(partition.clone(), entry);
    }
}

/// Where a reader stood before it asked the engine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before {
    turns: u64,
}

/// Rows of partitions in use.
#[derive(Debug)]
pub(super) struct Hot {
    shards: Vec<Mutex<Shard>>,
    hasher: RandomState,
}

impl Hot {
    /// Nothing is known yet; about so many bytes may be kept, in so many parts.
    pub(super) fn new(bytes_max: usize, shards: usize) -> Self {
        let shard = || Shard {
            bytes_max: bytes_max / shards,
            ..Shard::default()
        };
        Self {
            shards: (0..shards).map(|_| Mutex::new(shard())).collect(),
            hasher: RandomState::new(),
        }
    }

    fn shard(&self, partition: &Partition) -> MutexGuard<'_, Shard> {
        #[expect(clippy::cast_possible_truncation, reason = "any bits of a hash will do")]
        let n = self.hasher.hash_one(partition) as usize % self.shards.len();
        self.shards[n].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers, if everything that is asked is known.
    ///
    /// # Errors
    /// What to give to [`Self::learn`] along with the engine's answer.
    pub(super) fn answer(&self, partition: &Partition, reads: &[Read]) -> Result<Snapshot, Before> {
        let mut shard = self.shard(partition);
        let known = shard.with(partition, |entry| {
            let answers: Option<Vec<Answer>> = reads.iter().map(|read| entry.answer(read)).collect();
            answers.map(|answers| Snapshot {
                version: entry.version,
                answers,
            })
        });
        known.flatten().ok_or(Before { turns: shard.turns })
    }

    /// Takes up what the engine answered to a reader. It may be older than what is known; and if partitions were
    /// forgotten meanwhile, it may be older than what was known.
    pub(super) fn learn(&self, partition: &Partition, reads: &[Read], snapshot: &Snapshot, before: Before) {
        let mut shard = self.shard(partition);
        let is_known = shard.with(partition, |entry| {
            if entry.version < snapshot.version {
                *entry = Entry::at(snapshot.version);
            }
            if entry.version == snapshot.version {
                entry.learn(reads, &snapshot.answers);
            }
        });
        if is_known.is_none() && shard.turns == before.turns {
            let mut entry = Entry::found(snapshot.version);
            entry.learn(reads, &snapshot.answers);
            shard.insert(partition, entry);
        }
    }

    /// The version of a partition, if it is known. For the committer, to whom it is the newest.
    pub(super) fn version(&self, partition: &Partition) -> Option<Version> {
        self.shard(partition).with(partition, |entry| entry.version)
    }

    /// Takes up a commit that is durable and made this version.
    pub(super) fn apply(&self, commit: &Commit, version: Version) {
        let mut shard = self.shard(&commit.partition);
        let is_known = shard.with(&commit.partition, |entry| {
            if entry.version < commit.expected {
                *entry = Entry::at(version);
            }
            // A reader may have learned of this commit, and of later ones of the same batch, before.
            if entry.version <= version {
                entry.version = version;
                entry.apply(commit);
            }
        });
        if is_known.is_none() {
            let mut entry = Entry::found(commit.expected);
            entry.version = version;
            entry.apply(commit);
            shard.insert(&commit.partition, entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, VecDeque};

    use proptest::prelude::*;

    use super::*;

    /// The engine: each partition at each version.
    #[derive(Default)]
    struct Engine(BTreeMap<u8, Vec<BTreeMap<u8, u8>>>);

    impl Engine {
        fn versions(&mut self, partition: u8) -> &mut Vec<BTreeMap<u8, u8>> {
            self.0.entry(partition).or_insert_with(|| vec![BTreeMap::new()])
        }

        fn snapshot(&mut self, partition: u8, version: usize, asked: &Asked) -> Snapshot {
            let rows = &self.versions(partition)[version];
            let value = |key| Answer::Value(rows.get(key).map(|value| text(*value)));
            let (start, end, limit) = asked.range;
            let entries = rows
                .range(start..end.max(start))
                .map(|(key, value)| (bytes(*key), text(*value)));
            let range = Answer::Entries(if asked.descending {
                entries.rev().take(limit).collect()
            } else {
                entries.take(limit).collect()
            });
            Snapshot {
                version: Version(version as u64),
                answers: asked
                    .keys
                    .iter()
                    .map(value)
                    .chain(asked.limited().then_some(range))
                    .collect(),
            }
        }

        fn newest(&mut self, partition: u8) -> usize {
            self.versions(partition).len() - 1
        }
    }

    fn bytes(n: u8) -> Bytes {
        Bytes::copy_from_slice(&[n; 30])
    }

    /// Some values are too long to be kept.
    fn text(n: u8) -> Bytes {
        match n {
            ..200 => bytes(n),
            _ => Bytes::from(vec![n; VALUE_LEN_MAX + 1]),
        }
    }

    fn name(n: u8) -> Partition {
        Partition(Bytes::copy_from_slice(&[n]))
    }

    fn reads(keys: &[u8]) -> Vec<Read> {
        keys.iter().map(|key| Read::Key(bytes(*key))).collect()
    }

    /// Keys, and a range if its limit is not 0.
    #[derive(Clone, Debug)]
    struct Asked {
        keys: Vec<u8>,
        range: (u8, u8, usize),
        descending: bool,
    }

    impl Asked {
        fn limited(&self) -> bool {
            self.range.2 > 0
        }

        fn reads(&self) -> Vec<Read> {
            let (start, end, limit) = self.range;
            let order = if self.descending {
                Order::Descending
            } else {
                Order::Ascending
            };
            let range = Read::Range {
                start: bytes(start),
                end: bytes(end),
                order,
                limit,
            };
            let mut reads = reads(&self.keys);
            reads.extend(self.limited().then_some(range));
            reads
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        /// A reader asks; what it does not get it asks the engine.
        Read(u8, Asked),
        /// The reader that has waited longest gives what the engine said.
        Learn,
        /// The engine takes a commit: a value, or none.
        Commit(u8, u8, Option<u8>),
        /// The committer gives the oldest commit that it has not given yet.
        Apply,
    }

    fn asked() -> impl Strategy<Value = Asked> {
        let keys = prop::collection::vec(0..4u8, 0..3);
        (keys, (0..5u8, 0..6u8, 0..4usize), any::<bool>()).prop_map(|(keys, range, descending)| Asked {
            keys,
            range,
            descending,
        })
    }

    fn step() -> impl Strategy<Value = Step> {
        let (partition, key) = (0..6u8, 0..4u8);
        prop_oneof![
            4 => (partition.clone(), asked()).prop_map(|(p, asked)| Step::Read(p, asked)),
            3 => Just(Step::Learn),
            3 => (partition, key, prop::option::of(any::<u8>())).prop_map(|(p, k, v)| Step::Commit(p, k, v)),
            3 => Just(Step::Apply),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// Whatever readers and committer do in between, an answer is what the partition held at the version
        /// that it names, and never older than what was applied before.
        #[test]
        fn what_is_answered_is_true(steps in prop::collection::vec(step(), 1..200), room in 1..40_usize) {
            let hot = Hot::new(room * 100, 1);
            let mut engine = Engine::default();
            let mut applied: BTreeMap<u8, u64> = BTreeMap::new();
            let (mut learning, mut committed) = (VecDeque::new(), VecDeque::new());
            for step in steps {
                match step {
                    Step::Read(p, asked) => match hot.answer(&name(p), &asked.reads()) {
                        Ok(answer) => {
                            let version = usize::try_from(answer.version.0).expect("small");
                            prop_assert!(answer.version.0 >= applied.get(&p).copied().unwrap_or(0));
                            prop_assert_eq!(answer, engine.snapshot(p, version, &asked));
                        }
                        Err(before) => {
                            let newest = engine.newest(p);
                            let snapshot = engine.snapshot(p, newest, &asked);
                            learning.push_back((p, asked, snapshot, before));
                        }
                    },
                    Step::Learn => if let Some((p, asked, snapshot, before)) = learning.pop_front() {
                        hot.learn(&name(p), &asked.reads(), &snapshot, before);
                    },
                    Step::Commit(p, key, value) => {
                        let expected = engine.newest(p);
                        let mut rows = engine.versions(p)[expected].clone();
                        let write = match value {
                            Some(value) => { rows.insert(key, value); Write::Put(bytes(key), text(value)) }
                            None => { rows.remove(&key); Write::Delete(bytes(key)) }
                        };
                        engine.versions(p).push(rows);
                        committed.push_back((p, Commit {
                            partition: name(p),
                            expected: Version(expected as u64),
                            writes: vec![write],
                            effects: vec![],
                            received: None,
                        }));
                    }
                    Step::Apply => if let Some((p, commit)) = committed.pop_front() {
                        let version = Version(commit.expected.0 + 1);
                        hot.apply(&commit, version);
                        applied.insert(p, version.0);
                        prop_assert!(hot.version(&name(p)).is_none_or(|known| known >= version));
                    },
                }
            }
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let hot = Hot::new(1 << 20, SHARDS);
        for n in 0..100_000_u32 {
            let partition = Partition(Bytes::copy_from_slice(&n.to_be_bytes()));
            let snapshot = Snapshot {
                version: Version(1),
                answers: vec![Answer::Value(Some(bytes(1)))],
            };
            let before = hot.answer(&partition, &reads(&[1])).expect_err("new");
            hot.learn(&partition, &reads(&[1]), &snapshot, before);
        }
        let kept: usize = hot
            .shards
            .iter()
            .map(|shard| {
                let shard = shard.lock().expect("whole");
                shard.young.len() + shard.old.len()
            })
            .sum();
        assert!((2_000..(1 << 20) / 100).contains(&kept), "{kept}");
    }
}
