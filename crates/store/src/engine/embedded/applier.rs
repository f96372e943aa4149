//! The thread that brings what the log holds to the engine.

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use fjall::PersistMode;

use crate::StoreError;
use crate::engine::embedded::alarm::Alarm;
use crate::engine::embedded::log::{self, Segment, Word};
use crate::engine::embedded::{Engine, storage_error};
use crate::layout::COMMITS_KEY;

/// How long rows gather before they are written to the engine: those that change often are written less.
const GATHER: Duration = Duration::from_millis(20);

pub(super) struct Applier {
    pub(super) engine: Engine,
    pub(super) free: mpsc::Sender<Segment>,
    pub(super) alarm: Alarm,
}

impl Applier {
    /// Works until every sender is gone, and then makes all of it durable in the engine.
    pub(super) fn run(self, inbox: &mpsc::Receiver<Word>) {
        let worked = self.work(inbox).and_then(|()| {
            self.engine.apply()?;
            self.persist(PersistMode::SyncAll)
        });
        if let Err(error) = worked {
            self.alarm.raise(error.to_string());
        }
    }

    fn work(&self, inbox: &mpsc::Receiver<Word>) -> Result<(), StoreError> {
        while let Ok(first) = inbox.recv() {
            std::thread::sleep(GATHER);
            let words: Vec<_> = std::iter::once(first).chain(inbox.try_iter()).collect();
            self.engine.apply()?;
            let full = |word| match word {
                Word::Full(segment) => Some(segment),
                Word::Rows => None,
            };
            let full: Vec<_> = words.into_iter().filter_map(full).collect();
            if !full.is_empty() {
                self.persist(PersistMode::SyncData)?;
            }
            // Whoever would write to them may have stopped.
            full.into_iter()
                .for_each(|segment| drop(self.free.send(segment.rewind())));
        }
        Ok(())
    }

    fn persist(&self, mode: PersistMode) -> Result<(), StoreError> {
        self.engine.database.persist(mode).map_err(storage_error)
    }
}

impl Engine {
    /// Writes to the engine what waits for it, as one batch.
    fn apply(&self) -> Result<(), StoreError> {
        let (number, changes) = self.recent.take();
        if changes.is_empty() {
            return Ok(());
        }
        let mut batch = self.database.batch();
        for (key, value) in &*changes {
            match value {
                Some(value) => batch.insert(&self.rows, &**key, &**value),
                None => batch.remove(&self.rows, &**key),
            }
        }
        batch.insert(&self.rows, COMMITS_KEY, number.to_be_bytes());
        batch.commit().map_err(storage_error)?;
        drop(changes);
        self.recent.written();
        Ok(())
    }

    /// Brings what a crash left in the log in `folder` to the engine, durably; returns the number of the last
    /// batch.
    ///
    /// # Errors
    /// The log is damaged, or the disk fails.
    pub(super) fn catch_up(&self, folder: &Path, number: u64) -> Result<u64, StoreError> {
        let last = log::replay(folder, number, |record| {
            self.recent.add(record.number, record.changes()?);
            self.apply()
        })?;
        self.database
            .persist(PersistMode::SyncAll)
            .map_err(storage_error)?;
        Ok(last)
    }
}
