//! How the suite makes, reopens and names stores.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use havre_store::engine::embedded::{self, Embedded};
use havre_store::engine::memory::Memory;
use havre_store::engine::postgres::{self, Postgres};
use havre_store::{Commit, EffectId, Outgoing, Partition, Store, Version, Write};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// An engine under test, empty when made.
pub trait World {
    /// How many random sequences the model runs through one engine.
    const CASES: u32;
    /// Whether it makes deliveries together with their commit.
    const DELIVERS: bool;

    /// Why the suite is not run on this engine, if whoever runs it has said so.
    fn skipped() -> Option<&'static str> {
        None
    }

    fn new(runtime: &Runtime) -> Self;

    fn store(&self) -> Arc<dyn Store>;

    /// Closes the store and opens it again, if it is durable.
    fn reopen(&mut self, runtime: &Runtime);
}

pub struct MemoryWorld(Arc<Memory>);

impl World for MemoryWorld {
    const CASES: u32 = 16;
    const DELIVERS: bool = true;

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
    const DELIVERS: bool = true;

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

/// A schema of its own in the database named by `HAVRE_TEST_POSTGRES`.
pub struct PostgresWorld {
    store: Option<Arc<Postgres>>,
    base: String,
    pub schema: String,
}

impl PostgresWorld {
    /// The database's address, narrowed to the schema of this world.
    pub fn address(&self) -> String {
        let separator = if self.base.contains('?') { '&' } else { '?' };
        let (base, schema) = (&self.base, &self.schema);
        format!("{base}{separator}options=-csearch_path%3D{schema}&application_name={schema}")
    }

    fn open(&mut self, runtime: &Runtime) {
        let address = self.address();
        // Few commits in a batch, so that a burst is several transactions.
        let options = postgres::Options {
            writers: 2,
            readers: 2,
            batch_commits_max: 5,
        };
        self.store = Some(Arc::new(
            runtime.block_on(Postgres::open(&address, options)).unwrap(),
        ));
    }

    pub fn administer(&self, runtime: &Runtime, sql: &str) {
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&self.base, tokio_postgres::NoTls)
                .await
                .unwrap();
            let connection = tokio::spawn(connection);
            client.batch_execute(sql).await.unwrap();
            drop(client);
            connection.await.unwrap().unwrap();
        });
    }
}

impl World for PostgresWorld {
    const CASES: u32 = 48;
    const DELIVERS: bool = false;

    fn skipped() -> Option<&'static str> {
        (std::env::var("HAVRE_TEST_POSTGRES").as_deref() == Ok("skip")).then_some("HAVRE_TEST_POSTGRES=skip")
    }

    fn new(runtime: &Runtime) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let base = std::env::var("HAVRE_TEST_POSTGRES").expect(
            "HAVRE_TEST_POSTGRES is not set: give it the URL that `scripts/test-postgres.sh start DIR` \
             prints, or `skip` to leave PostgreSQL out",
        );
        let schema = format!(
            "t{}_{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let mut world = Self {
            store: None,
            base,
            schema,
        };
        let create = format!(
            "DROP SCHEMA IF EXISTS {0} CASCADE; CREATE SCHEMA {0}",
            world.schema
        );
        world.administer(runtime, &create);
        world.open(runtime);
        world
    }

    fn store(&self) -> Arc<dyn Store> {
        self.store.clone().unwrap()
    }

    fn reopen(&mut self, runtime: &Runtime) {
        self.store = None;
        self.open(runtime);
    }
}

impl Drop for PostgresWorld {
    fn drop(&mut self) {
        self.store = None;
        if !std::thread::panicking() {
            self.administer(&runtime(), &format!("DROP SCHEMA {} CASCADE", self.schema));
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
