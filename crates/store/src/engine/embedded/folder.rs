//! The folder of an embedded store: its lock, its creation, and the witness against going backwards.
//!
//! ```text
//! <folder>
//! ├── lock        locked while a process uses the folder
//! ├── witness     number of a durable batch, and the same with all bits flipped: 16 bytes
//! ├── log/        the commit log: what the engine may lack, see `log.rs`
//! ├── engine/     the engine's files
//! └── engine.new/ an engine that is being created; left over only by a crash, and then removed
//! ```
//!
//! The witness is written after the sync that made a batch durable, and never synced itself. So after any
//! crash it names a batch that engine and log must have: it may lag, it cannot lead, and a lower number proves
//! that acknowledged batches are gone. It has its size from the start and each write stays
//! within one disk sector, so no crash tears it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

use fjall::{Database, KeyspaceCreateOptions, PersistMode};

use crate::engine::embedded::log::{self, Log, Segment, Word};
use crate::engine::embedded::recent::Recent;
use crate::engine::embedded::{Engine, OpenError, Options, storage_error};
use crate::layout::{COMMITS_KEY, EMBEDDED_FORMAT, FORMAT_KEY, FORMAT_WITH_LOG};
use crate::{StoreError, layout};

pub(super) const WITNESS: &str = "witness";
const LOCK: &str = "lock";
const ENGINE: &str = "engine";
const LOG: &str = "log";
const ENGINE_NEW: &str = "engine.new";
const KEYSPACE: &str = "rows";

/// Rows in memory before they are written out as a table, bytes. The engine's default of 64 MiB was
/// measured to be slower under load, and to recover twice as long after a crash.
const MEMTABLE_BYTES: u64 = 16 << 20;

/// Niceness of the engine's own threads: a tenth of the time where they compete with one of usual priority.
const UPKEEP_NICE: i32 = 10;

/// A locked data folder.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Freed by the system with the process, so a crash leaves nothing to clean up.
    _lock: File,
}

impl Folder {
    /// Locks `path`, creating the folder if its parent exists.
    pub(super) fn lock(path: &Path) -> Result<Self, OpenError> {
        match fs::create_dir(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(OpenError::Missing(path.into()));
            }
            Err(error) => return Err(open_error(path, error)),
        }
        Self::lock_existing(path)
    }

    pub(super) fn lock_existing(path: &Path) -> Result<Self, OpenError> {
        match fs::metadata(path) {
            Ok(metadata) if !metadata.is_dir() => return Err(OpenError::NotAFolder(path.into())),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(OpenError::Missing(path.into()));
            }
            Err(error) => return Err(open_error(path, error)),
        }
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join(LOCK));
        let lock = lock.map_err(|error| open_error(path, error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.into(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(OpenError::Locked(path.into())),
            Err(TryLockError::Error(error)) => Err(open_error(path, error)),
        }
    }

    /// Opens the engine, creating it in a folder that never held one; gives the number of its last batch.
    pub(super) fn open_engine(&mut self, options: Options) -> Result<(Engine, u64), OpenError> {
        if !self.holds(ENGINE)? {
            if self.holds(WITNESS)? {
                return Err(self.damaged(&format!("it has lost its folder {ENGINE}")));
            }
            self.create_engine(options)?;
        }
        let (engine, number) = self.open_existing_engine(options)?;
        self.confirm_witness(number)?;
        self.raise_format(&engine)?;
        Ok((engine, number))
    }

    /// Opens an engine with everything that its log holds; gives the number of its last batch.
    pub(super) fn open_existing_engine(&self, options: Options) -> Result<(Engine, u64), OpenError> {
        if !self.holds(ENGINE)? {
            return Err(self.damaged(&format!("it has no folder {ENGINE}")));
        }
        let engine = self.open_fjall(ENGINE, options)?;
        let format = self.format(&engine)?;
        if format > EMBEDDED_FORMAT.into() {
            return Err(OpenError::NewerFormat {
                path: self.path.clone(),
                found: format,
                known: EMBEDDED_FORMAT,
            });
        }
        let number = self.commit_number(&engine)?;
        if format < FORMAT_WITH_LOG.into() {
            return Ok((engine, number));
        }
        if !self.holds(LOG)? {
            return Err(self.damaged(&format!("it has lost its folder {LOG}")));
        }
        let caught_up = engine.catch_up(&self.path.join(LOG), number);
        let number = caught_up.map_err(|error| self.damaged(&error))?;
        Ok((engine, number))
    }

    fn format(&self, engine: &Engine) -> Result<u64, OpenError> {
        let format = engine.number(FORMAT_KEY).map_err(|error| self.damaged(&error))?;
        format.ok_or_else(|| self.damaged(&"it has no format"))
    }

    /// Lets a store of an older format be one of the present.
    fn raise_format(&self, engine: &Engine) -> Result<(), OpenError> {
        if self.format(engine)? == EMBEDDED_FORMAT.into() {
            return Ok(());
        }
        self.create_log()?;
        let mut batch = engine.database.batch().durability(Some(PersistMode::SyncAll));
        batch.insert(&engine.rows, FORMAT_KEY, u64::from(EMBEDDED_FORMAT).to_be_bytes());
        batch.commit().map_err(|error| self.fjall(error))
    }

    fn create_log(&self) -> Result<(), OpenError> {
        if !self.holds(LOG)? {
            fs::create_dir(self.path.join(LOG)).map_err(|error| self.io(error))?;
        }
        self.sync()
    }

    /// Begins a log anew. Call once the engine has what the former one holds.
    pub(super) fn begin_log(
        &self,
        applier: mpsc::Sender<Word>,
        free: mpsc::Receiver<Segment>,
    ) -> Result<Log, OpenError> {
        let folder = self.path.join(LOG);
        let log = log::clear(&folder).and_then(|()| Log::begin(folder, applier, free));
        log.map_err(|error| self.io(error))
    }

    /// Creates the engine beside its place and moves it there, so that `engine/` is whole if it exists.
    fn create_engine(&self, options: Options) -> Result<(), OpenError> {
        self.create_log()?;
        let new = self.path.join(ENGINE_NEW);
        if self.holds(ENGINE_NEW)? {
            fs::remove_dir_all(&new).map_err(|error| self.io(error))?;
        }
        let engine = self.open_fjall(ENGINE_NEW, options)?;
        let mut batch = engine.database.batch().durability(Some(PersistMode::SyncAll));
        batch.insert(&engine.rows, FORMAT_KEY, u64::from(EMBEDDED_FORMAT).to_be_bytes());
        batch.insert(&engine.rows, COMMITS_KEY, 0u64.to_be_bytes());
        batch.commit().map_err(|error| self.fjall(error))?;
        drop(engine);
        fs::rename(&new, self.path.join(ENGINE)).map_err(|error| self.io(error))?;
        self.sync()
    }

    fn open_fjall(&self, name: &str, options: Options) -> Result<Engine, OpenError> {
        let builder = Database::builder(self.path.join(name))
            .cache_size(options.cache_bytes)
            .worker_threads(upkeep_threads());
        let database = with_less_priority(|| builder.open()).map_err(|error| self.fjall(error))?;
        let create = || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES);
        let rows = database
            .keyspace(KEYSPACE, create)
            .map_err(|error| self.fjall(error))?;
        let recent = Arc::<Recent>::default();
        Ok(Engine {
            database,
            rows,
            recent,
        })
    }

    /// Refuses a store that lacks what was durable.
    fn confirm_witness(&self, found: u64) -> Result<(), OpenError> {
        match self.witnessed()? {
            Some(witnessed) if found < witnessed => Err(OpenError::WentBackwards {
                path: self.path.clone(),
                found,
                witnessed,
            }),
            _ => Ok(()),
        }
    }

    fn commit_number(&self, engine: &Engine) -> Result<u64, OpenError> {
        let number = engine.number(COMMITS_KEY).map_err(|error| self.damaged(&error))?;
        number.ok_or_else(|| self.damaged(&"it has no commit number"))
    }

    /// The number in the witness; `None` without a witness, as after creation or when it was removed.
    pub(super) fn witnessed(&self) -> Result<Option<u64>, OpenError> {
        match fs::read(self.path.join(WITNESS)) {
            Ok(bytes) => {
                let number = decode_witness(&bytes);
                number
                    .map(Some)
                    .ok_or_else(|| self.damaged(&"its witness cannot be read"))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.io(error)),
        }
    }

    /// Opens the witness for the committer, creating it whole if there is none.
    pub(super) fn witness(&mut self) -> Result<Witness, OpenError> {
        let path = self.path.join(WITNESS);
        if !self.holds(WITNESS)? {
            let new = self.path.join("witness.new");
            let created = File::create(&new).and_then(|file| {
                file.write_all_at(&encode_witness(0), 0)?;
                file.sync_all()?;
                fs::rename(&new, &path)
            });
            created.map_err(|error| self.io(error))?;
            self.sync()?;
        }
        let file = OpenOptions::new()
            .write(true)
            .open(path)
            .map_err(|error| self.io(error))?;
        Ok(Witness(file))
    }

    pub(super) fn damaged(&self, cause: &dyn std::fmt::Display) -> OpenError {
        OpenError::Damaged {
            path: self.path.clone(),
            cause: cause.to_string(),
        }
    }

    pub(super) fn io(&self, error: io::Error) -> OpenError {
        open_error(&self.path, error)
    }

    fn fjall(&self, error: fjall::Error) -> OpenError {
        match error {
            fjall::Error::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => self.io(error),
            fjall::Error::Locked => OpenError::Locked(self.path.clone()),
            error => self.damaged(&storage_error(error)),
        }
    }

    fn holds(&self, name: &str) -> Result<bool, OpenError> {
        self.path.join(name).try_exists().map_err(|error| self.io(error))
    }

    fn sync(&self) -> Result<(), OpenError> {
        File::open(&self.path)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| self.io(error))
    }
}

/// Where the committer writes the number of each durable batch.
#[derive(Debug)]
pub(super) struct Witness(File);

impl Witness {
    /// Call only once batch `number` is durable.
    pub(super) fn write(&self, number: u64) -> Result<(), StoreError> {
        let written = self.0.write_all_at(&encode_witness(number), 0);
        written.map_err(|error| StoreError::Unavailable(format!("the witness cannot be written: {error}")))
    }
}

/// Half of the cores, so that the other half is free of it.
fn upkeep_threads() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2))
}

/// Runs `open` on a thread of lower priority, and the threads that it starts inherit that: the engine sorts tables
/// for seconds on end, and whoever sends a message must not wait for it. It still comes before what runs only when
/// nothing else wants to. Where the system refuses, it is only less polite.
fn with_less_priority<T: Send>(open: impl FnOnce() -> T + Send) -> T {
    let opened = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let _ = rustix::process::setpriority_process(None, UPKEEP_NICE);
            open()
        });
        thread.join()
    });
    opened.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn encode_witness(number: u64) -> [u8; 16] {
    ((u128::from(number) << 64) | u128::from(!number)).to_be_bytes()
}

fn decode_witness(bytes: &[u8]) -> Option<u64> {
    let (number, flipped) = bytes.split_at_checked(8)?;
    let number = layout::decode_number(number).ok()?;
    (layout::decode_number(flipped).ok()? == !number).then_some(number)
}

fn open_error(path: &Path, error: io::Error) -> OpenError {
    match error.kind() {
        io::ErrorKind::PermissionDenied => OpenError::Denied(path.into()),
        io::ErrorKind::NotADirectory => OpenError::NotAFolder(path.into()),
        _ => OpenError::Io {
            path: path.into(),
            source: error,
        },
    }
}
