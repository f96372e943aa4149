//! Which engine keeps everything.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use anyhow::Result;
use futures::future::BoxFuture;
use havre_store::Store;
use havre_store::engine::embedded::{self, Embedded, Options, Report};
use havre_store::engine::postgres::{self, Postgres};

use crate::config::{Settings, StoreEngine};
use crate::data::DataFolder;

/// An open store.
pub struct Opened {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Resolves with the cause once the store has failed for good: the server must stop then, as it can
    /// acknowledge nothing any more.
    pub failed: BoxFuture<'static, String>,
    /// Batches that were made durable, where the engine makes them.
    pub batches: Arc<AtomicU64>,
}

/// Opens the engine that the settings name.
pub async fn open(settings: &Settings, folder: &DataFolder) -> Result<Opened> {
    match settings.store {
        StoreEngine::Embedded => {
            let store = Embedded::open(&path(folder.path()), Options::default())?;
            let failed = Box::pin(store.failed());
            let batches = store.batches();
            Ok(Opened {
                store: Arc::new(store),
                failed,
                batches,
            })
        }
        StoreEngine::Postgres => {
            let url = settings.postgres_url.as_ref().map_or("", |url| &url.0);
            let store = Postgres::open(url, postgres::Options::default()).await?;
            // A database that fails may come back; meanwhile calls are answered with an error.
            let failed = Box::pin(std::future::pending());
            Ok(Opened {
                store: Arc::new(store),
                failed,
                batches: Arc::default(),
            })
        }
    }
}

/// Walks through the embedded store of a data folder.
pub fn check(folder: &DataFolder) -> Result<Report> {
    Ok(embedded::check(&path(folder.path()), Options::default())?)
}

fn path(data: &Path) -> PathBuf {
    data.join("store")
}
