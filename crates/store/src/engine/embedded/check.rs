//! Verifies a whole store by walking it.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;

use crate::engine::embedded::folder::Folder;
use crate::engine::embedded::{Engine, OpenError, Options, storage_error};
use crate::layout::{self, COMMITS_KEY, FORMAT_KEY, row, space};
use crate::limits::{KEY_LEN_MAX, PARTITION_LEN_MAX, VALUE_LEN_MAX};
use crate::tuple::{Malformed, Reader};
use crate::{EffectId, Partition, StoreError, Version};

/// Most problems that a [`Report`] describes.
pub const PROBLEMS_MAX: usize = 100;

/// What a store holds and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Partitions that were ever written.
    pub partitions: u64,
    /// Entries of all partitions.
    pub entries: u64,
    /// Undelivered effects of all partitions.
    pub effects: u64,
    /// Bytes of all keys and values, before compression.
    pub bytes: u64,
    /// How many problems there are; 0 is a whole store.
    pub problem_count: u64,
    /// The first [`PROBLEMS_MAX`] problems, one sentence each. Names of partitions are in hexadecimal.
    pub problems: Vec<String>,
}

impl Report {
    fn problem(&mut self, problem: String) {
        self.problem_count += 1;
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem);
        }
    }
}

/// Reads everything in the store at `path`, which no process may have open: every row must decode, lie in a
/// partition with a version, and agree with the index of undelivered effects. Changes nothing of what is
/// stored, though the engine may finish what a crash interrupted.
///
/// # Errors
/// The store cannot be opened at all. One that went backwards can: that is a problem in the report.
pub fn check(path: &Path, options: Options) -> Result<Report, OpenError> {
    let folder = Folder::lock_existing(path)?;
    let (engine, found) = folder.open_existing_engine(options)?;
    let mut walk = Walk::default();
    if let Some(witnessed) = folder.witnessed()?.filter(|witnessed| found < *witnessed) {
        let problem = format!("the store ends at batch {found}, but batch {witnessed} was durable");
        walk.report.problem(problem);
    }
    if let Err(error) = walk.all(&engine) {
        walk.report.problem(format!("reading stopped early: {error}"));
    }
    Ok(walk.finish())
}

#[derive(Default)]
struct Walk {
    report: Report,
    /// The index of undelivered effects, without the partitions that were found to agree.
    index: BTreeMap<Partition, EffectId>,
    current: Option<Current>,
}

/// The partition whose rows are being walked.
struct Current {
    partition: Partition,
    version: Option<Version>,
    oldest: Option<EffectId>,
}

impl Walk {
    fn all(&mut self, engine: &Engine) -> Result<(), StoreError> {
        for guard in engine.rows.iter() {
            let (key, value) = guard.into_inner().map_err(storage_error)?;
            self.report.bytes += (key.len() + value.len()) as u64;
            if self.row(&key, &value).is_err() {
                self.report
                    .problem(format!("the row {} cannot be decoded", hex(&key)));
            }
        }
        self.leave();
        Ok(())
    }

    fn finish(mut self) -> Report {
        for partition in std::mem::take(&mut self.index).into_keys() {
            self.report.problem(format!(
                "{} is indexed but has no undelivered effects",
                hex(&partition.0)
            ));
        }
        self.report
    }

    fn row(&mut self, key: &[u8], value: &[u8]) -> Result<(), Malformed> {
        let mut reader = Reader::new(key);
        match reader.u8()? {
            space::META if key == FORMAT_KEY || key == COMMITS_KEY => {
                layout::decode_number(value).map(|_| ())
            }
            space::PENDING => {
                let partition = Partition(Bytes::copy_from_slice(reader.rest()));
                self.index.insert(partition, layout::decode_id(value)?);
                Ok(())
            }
            space::PARTITION => {
                let len = reader.u8()?;
                let partition = reader.raw(len.into())?;
                self.enter(partition);
                self.partition_row(reader.u8()?, reader.rest(), value)
            }
            _ => Err(Malformed),
        }
    }

    fn partition_row(&mut self, kind: u8, key: &[u8], value: &[u8]) -> Result<(), Malformed> {
        match kind {
            row::VERSION if key.is_empty() => {
                let version = layout::decode_version(value)?;
                self.current().version = Some(version);
            }
            row::ENTRY if key.len() <= KEY_LEN_MAX && value.len() <= VALUE_LEN_MAX => {
                self.report.entries += 1
            }
            row::RECEIVED if key.len() <= PARTITION_LEN_MAX => drop(layout::decode_id(value)?),
            row::OUTBOX => self.effect(layout::decode_id(key)?, value)?,
            _ => return Err(Malformed),
        }
        Ok(())
    }

    fn effect(&mut self, id: EffectId, value: &[u8]) -> Result<(), Malformed> {
        layout::decode_effect(value)?;
        self.report.effects += 1;
        let current = self.current();
        current.oldest.get_or_insert(id);
        if current.version.is_some_and(|version| id.version > version) {
            let problem = format!("{} has an effect of a later version", hex(&current.partition.0));
            self.report.problem(problem);
        }
        Ok(())
    }

    fn enter(&mut self, partition: &[u8]) {
        if self
            .current
            .as_ref()
            .is_some_and(|current| current.partition.0 == partition)
        {
            return;
        }
        self.leave();
        let partition = Partition(Bytes::copy_from_slice(partition));
        self.current = Some(Current {
            partition,
            version: None,
            oldest: None,
        });
    }

    /// Compares what was walked of the current partition with the index, which lies before all partitions.
    fn leave(&mut self) {
        let Some(current) = self.current.take() else {
            return;
        };
        let name = hex(&current.partition.0);
        self.report.partitions += 1;
        if current.version.unwrap_or_default() == Version(0) {
            self.report.problem(format!("{name} has rows but no version"));
        }
        match (self.index.remove(&current.partition), current.oldest) {
            (indexed, oldest) if indexed == oldest => {}
            (None, _) => self
                .report
                .problem(format!("{name} has undelivered effects but is not indexed")),
            (Some(_), _) => self
                .report
                .problem(format!("{name} is indexed with another effect than its oldest")),
        }
    }

    fn current(&mut self) -> &mut Current {
        self.current.as_mut().expect("a partition was entered")
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
