//! How the suite makes, reopens and names stores.

use std::sync::Arc;

use bytes::Bytes;
use havre_store::engine::embedded::{self, Embedded};
use havre_store::engine::memory::Memory;
use havre_store::{Commit, EffectId, Outgoing, Partition, Store, Version, Write};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// An engine under test, empty when made.
pub trait World {
    /// How many random sequences the model runs through one engine.
    const CASES: u32;

    fn new(runtime: &Runtime) -> Self;

    fn store(&self) -> Arc<dyn Store>;

    /// Closes the store and opens it again, if it is durable.
    fn reopen(&mut self, runtime: &Runtime);
}

pub struct MemoryWorld(Arc<Memory>);

impl World for MemoryWorld {
    const CASES: u32 = 16;

    fn new(_: &Runtime) -> Self {
        Self(Arc::new(Memory::new()))
    }

    fn store(&self) -> Arc<dyn Store> {
        self.0.clone()
    }

    fn reopen(&mut self, _: &Runtime) {}
}

pub struct EmbeddedWorld {
    store: Option<Arc<Embedded>>,
    folder: TempDir,
}

impl EmbeddedWorld {
    fn open(folder: &TempDir) -> Option<Arc<Embedded>> {
        let options = embedded::Options { cache_bytes: 1 << 20 };
        Some(Arc::new(Embedded::open(folder.path(), options).unwrap()))
    }
}

impl World for EmbeddedWorld {
    const CASES: u32 = 48;

    fn new(_: &Runtime) -> Self {
        let folder = TempDir::new().unwrap();
        Self {
            store: Self::open(&folder),
            folder,
        }
    }

    fn store(&self) -> Arc<dyn Store> {
        self.store.clone().unwrap()
    }

    fn reopen(&mut self, _: &Runtime) {
        self.store = None;
        self.store = Self::open(&self.folder);
    }
}

impl Drop for EmbeddedWorld {
    /// Every store that the suite leaves behind must be whole.
    fn drop(&mut self) {
        self.store = None;
        if !std::thread::panicking() {
            let report = embedded::check(self.folder.path(), embedded::Options::default()).unwrap();
            assert_eq!(report.problems, Vec::<String>::new());
        }
    }
}

pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

pub fn partition(name: &str) -> Partition {
    Partition(Bytes::copy_from_slice(name.as_bytes()))
}

pub fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

pub fn put(key: &str, value: &str) -> Write {
    Write::Put(bytes(key), bytes(value))
}

pub fn effect(to: &str, body: &str) -> Outgoing {
    Outgoing {
        to: partition(to),
        body: bytes(body),
    }
}

pub fn id(version: u64, index: u32) -> EffectId {
    EffectId {
        version: Version(version),
        index,
    }
}

pub fn commit(name: &str, expected: u64) -> Commit {
    Commit {
        partition: partition(name),
        expected: Version(expected),
        writes: Vec::new(),
        effects: Vec::new(),
        received: None,
    }
}
