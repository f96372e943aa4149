//! The commit log: a batch is durable once its record here is, and reaches the engine a moment later.
//!
//! The engine could sync its own journal, but it holds locks while it syncs and while it tells the disk of new
//! tables, tens of milliseconds under load, and its journal grows into space that is not there yet, so that
//! each sync allocates. A record here overwrites space that was written before, in a file nobody else touches.
//!
//! ```text
//! log/
//! └── <n>                 a segment: records one after the other, and after the last one anything
//!     └── record
//!         ├── number u64      of the batch; each record of a segment has the next one
//!         ├── length u32      of the rows, bytes
//!         ├── checksum u64    XXH3 of number, length and rows
//!         └── rows            length of key u32, key, and 0 (removed) or 1, length of value u32, value
//! ```
//!
//! What follows the last record is zeros, a record that a crash has torn, or records of the segment's former
//! use; none of them has the next number and a right checksum. A segment is used again once the engine has
//! made durable what is in it. Numbers are big-endian.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use bytes::Bytes;
use xxhash_rust::xxh3::Xxh3Default;

use crate::StoreError;
use crate::tuple::{Malformed, Reader};

/// Rows as they will be after a batch; `None` is removed.
pub(super) type Changes = BTreeMap<Bytes, Option<Bytes>>;

/// A segment takes no further record beyond this size, bytes.
const SEGMENT_BYTES: u64 = 8 << 20;
/// Space that is written before it is needed, bytes.
const STRIDE_BYTES: u64 = 1 << 20;
/// Most segments: when the engine is that far behind, the committer waits for it.
const SEGMENTS_MAX: usize = 8;
static ZEROS: [u8; 1 << 16] = [0; 1 << 16];
/// Length of a record without its rows.
const HEADER_LEN: usize = 20;

/// What the applier is told.
#[derive(Debug)]
pub(super) enum Word {
    /// There are rows.
    Rows,
    /// A segment has all that it can hold; it is to be given back once the engine has made durable what is in it.
    Full(Segment),
}

/// The log as the committer writes it.
#[derive(Debug)]
pub(super) struct Log {
    folder: PathBuf,
    segment: Segment,
    /// How many there are.
    segments: usize,
    applier: mpsc::Sender<Word>,
    free: mpsc::Receiver<Segment>,
}

impl Log {
    /// Begins a log in a folder that holds none.
    pub(super) fn begin(
        folder: PathBuf,
        applier: mpsc::Sender<Word>,
        free: mpsc::Receiver<Segment>,
    ) -> io::Result<Self> {
        Ok(Self {
            segment: Segment::create(&folder, 0)?,
            folder,
            segments: 1,
            applier,
            free,
        })
    }

    /// Adds a record, which is durable after the next [`Self::sync`].
    pub(super) fn append(&mut self, number: u64, changes: &Changes) -> Result<(), StoreError> {
        if self.segment.end >= SEGMENT_BYTES {
            self.turn()?;
        }
        self.segment.append(number, changes).map_err(unavailable)
    }

    pub(super) fn sync(&self) -> Result<(), StoreError> {
        self.segment.file.sync_data().map_err(unavailable)
    }

    /// Tells the applier of rows.
    pub(super) fn tell(&self) -> Result<(), StoreError> {
        self.applier.send(Word::Rows).map_err(|_| stopped())
    }

    /// Goes on in another segment.
    fn turn(&mut self) -> Result<(), StoreError> {
        // Its last records may be such as wait for no sync.
        self.sync()?;
        let next = self.next()?;
        let full = std::mem::replace(&mut self.segment, next);
        self.applier.send(Word::Full(full)).map_err(|_| stopped())
    }

    fn next(&mut self) -> Result<Segment, StoreError> {
        if let Ok(free) = self.free.try_recv() {
            return Ok(free);
        }
        if self.segments == SEGMENTS_MAX {
            return self.free.recv().map_err(|_| stopped());
        }
        let next = Segment::create(&self.folder, self.segments).map_err(unavailable)?;
        self.segments += 1;
        Ok(next)
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable("the engine takes up nothing any more".into())
}

/// A file of the log.
#[derive(Debug)]
pub(super) struct Segment {
    file: File,
    /// End of the last record.
    end: u64,
    /// End of the space that was written before.
    ready: u64,
}

impl Segment {
    fn create(folder: &Path, n: usize) -> io::Result<Self> {
        let file = OpenOptions::new()
            .create_new(true)
            .write(true)
            .open(folder.join(n.to_string()))?;
        File::open(folder)?.sync_all()?;
        Ok(Self {
            file,
            end: 0,
            ready: 0,
        })
    }

    /// Begins again at the start; the space is kept.
    pub(super) fn rewind(self) -> Self {
        Self { end: 0, ..self }
    }

    fn append(&mut self, number: u64, changes: &Changes) -> io::Result<()> {
        let record = encode(number, changes);
        let end = self.end + record.len() as u64;
        while self.ready < end {
            self.prepare()?;
        }
        self.file.write_all_at(&record, self.end)?;
        self.end = end;
        Ok(())
    }

    /// Space that was written once needs no decision of the file system at each sync.
    fn prepare(&mut self) -> io::Result<()> {
        for _ in 0..STRIDE_BYTES / ZEROS.len() as u64 {
            self.file.write_all_at(&ZEROS, self.ready)?;
            self.ready += ZEROS.len() as u64;
        }
        Ok(())
    }
}

fn encode(number: u64, changes: &Changes) -> Vec<u8> {
    let len: usize = changes
        .iter()
        .map(|(key, value)| 9 + key.len() + value.as_ref().map_or(0, Bytes::len))
        .sum();
    let mut record = Vec::with_capacity(HEADER_LEN + len);
    record.resize(HEADER_LEN, 0);
    for (key, value) in changes {
        part(&mut record, key);
        record.push(value.is_some().into());
        if let Some(value) = value {
            part(&mut record, value);
        }
    }
    let (header, rows) = record.split_at_mut(HEADER_LEN);
    header[..8].copy_from_slice(&number.to_be_bytes());
    header[8..12].copy_from_slice(&length(rows).to_be_bytes());
    let checksum = checksum(&header[..12], rows);
    header[12..].copy_from_slice(&checksum.to_be_bytes());
    record
}

fn part(record: &mut Vec<u8>, bytes: &[u8]) {
    record.extend(length(bytes).to_be_bytes());
    record.extend(bytes);
}

/// Batches are bounded far below 4 GiB.
fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("a batch is bounded")
}

fn checksum(header: &[u8], rows: &[u8]) -> u64 {
    let mut hash = Xxh3Default::new();
    hash.update(header);
    hash.update(rows);
    hash.digest()
}

/// A record that was read.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) number: u64,
    rows: Vec<u8>,
}

impl Record {
    /// The rows.
    ///
    /// # Errors
    /// They cannot be decoded, although their checksum is right.
    pub(super) fn changes(&self) -> Result<Changes, Malformed> {
        let mut reader = Reader::new(&self.rows);
        let mut changes = Changes::new();
        while !reader.clone().rest().is_empty() {
            let key = field(&mut reader)?;
            let value = match reader.u8()? {
                0 => None,
                _ => Some(field(&mut reader)?),
            };
            changes.insert(key, value);
        }
        Ok(changes)
    }
}

fn field(reader: &mut Reader) -> Result<Bytes, Malformed> {
    let len = reader.u32()? as usize;
    reader.raw(len).map(Bytes::copy_from_slice)
}

/// The records of a segment, up to the first that is not whole or has not the next number.
fn records(bytes: &[u8]) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    let mut rest = bytes;
    while let Some((record, after)) = record(rest) {
        if records
            .last()
            .is_some_and(|last| last.number + 1 != record.number)
        {
            break;
        }
        records.push(record);
        rest = after;
    }
    records
}

fn record(bytes: &[u8]) -> Option<(Record, &[u8])> {
    let (header, rest) = bytes.split_at_checked(HEADER_LEN)?;
    let number = u64::from_be_bytes(header[..8].try_into().ok()?);
    let len = u32::from_be_bytes(header[8..12].try_into().ok()?);
    let expected = u64::from_be_bytes(header[12..].try_into().ok()?);
    let (rows, rest) = rest.split_at_checked(len as usize)?;
    let record = Record {
        number,
        rows: rows.to_vec(),
    };
    // A space of zeros says number 0, which no batch has.
    (number > 0 && checksum(&header[..12], rows) == expected).then_some((record, rest))
}

/// Gives every record after batch `number` to `apply`, in order, and returns the number of the last.
///
/// # Errors
/// A record between others is missing or damaged, or `apply` fails.
pub(super) fn replay(
    folder: &Path,
    number: u64,
    mut apply: impl FnMut(&Record) -> Result<(), StoreError>,
) -> Result<u64, StoreError> {
    let mut segments = Vec::new();
    for path in paths(folder).map_err(unavailable)? {
        // One segment in memory at a time: of the others only where they begin.
        let first = records(&fs::read(&path).map_err(unavailable)?)
            .first()
            .map(|record| record.number);
        segments.extend(first.map(|first| (first, path)));
    }
    segments.sort();
    let mut last = number;
    for (_, path) in segments {
        for record in records(&fs::read(path).map_err(unavailable)?) {
            if record.number > last + 1 {
                let lacking = format!("its log lacks batch {}", last + 1);
                return Err(StoreError::Corrupt(lacking));
            }
            if record.number > last {
                apply(&record)?;
                last = record.number;
            }
        }
    }
    Ok(last)
}

/// Removes all segments. Call once the engine has made durable what is in them.
pub(super) fn clear(folder: &Path) -> io::Result<()> {
    paths(folder)?.iter().try_for_each(fs::remove_file)
}

fn paths(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}

pub(super) fn unavailable(error: io::Error) -> StoreError {
    StoreError::Unavailable(format!("the log: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(text: &str) -> Changes {
        let row = |n: usize| {
            (
                Bytes::from(format!("{text} {n}")),
                Some(Bytes::from(text.repeat(n))),
            )
        };
        let mut changes: Changes = (0..4).map(row).collect();
        changes.insert(Bytes::from_static(b"gone"), None);
        changes
    }

    fn written(numbers: std::ops::Range<u64>) -> Vec<u8> {
        numbers
            .flat_map(|n| encode(n, &changes(&n.to_string())))
            .collect()
    }

    fn numbers(bytes: &[u8]) -> Vec<u64> {
        records(bytes).iter().map(|record| record.number).collect()
    }

    #[test]
    fn records_come_back_as_they_were() {
        let read = records(&written(5..8));
        assert_eq!(
            read.iter().map(|record| record.number).collect::<Vec<_>>(),
            [5, 6, 7]
        );
        assert_eq!(read[1].changes(), Ok(changes("6")));
    }

    #[test]
    fn any_changed_byte_ends_the_log_there() {
        let whole = written(1..4);
        let second = written(1..2).len();
        for at in second..written(1..3).len() {
            let mut torn = whole.clone();
            torn[at] ^= 0x40;
            assert_eq!(numbers(&torn), [1], "byte {at}");
        }
    }

    #[test]
    fn a_torn_end_is_no_record() {
        let whole = written(1..3);
        for len in written(1..2).len()..whole.len() {
            assert_eq!(numbers(&whole[..len]), [1], "{len} bytes");
        }
    }

    #[test]
    fn what_a_segment_held_before_does_not_come_back() {
        let mut segment = written(1..9);
        let again = written(20..22);
        segment[..again.len()].copy_from_slice(&again);
        assert_eq!(numbers(&segment), [20, 21]);
        // Even where an old record happens to begin where the last new one ends.
        let aligned = [written(20..22), written(3..5)].concat();
        assert_eq!(numbers(&aligned), [20, 21]);
    }

    #[test]
    fn segments_are_used_again_and_are_bounded() {
        let folder = tempfile::TempDir::new().unwrap();
        let (words, inbox) = mpsc::channel();
        let (free, freed) = mpsc::channel();
        let mut log = Log::begin(folder.path().into(), words, freed).unwrap();
        let large: Changes = [(Bytes::from_static(b"k"), Some(Bytes::from(vec![7; 3 << 20])))].into();
        let applier = std::thread::spawn(move || {
            for word in inbox {
                if let Word::Full(segment) = word {
                    drop(free.send(segment.rewind()));
                }
            }
        });
        for number in 1..=60 {
            log.append(number, &large).unwrap();
        }
        log.sync().unwrap();
        drop(log);
        applier.join().unwrap();
        let files = paths(folder.path()).unwrap();
        assert!(files.len() <= SEGMENTS_MAX, "{files:?}");
        let mut seen = Vec::new();
        let last = replay(folder.path(), 57, |record| {
            seen.push(record.number);
            Ok(())
        });
        assert_eq!((last, seen), (Ok(60), vec![58, 59, 60]));
    }
}
