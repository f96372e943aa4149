//! Which engine keeps everything.

use std::sync::Arc;

use anyhow::{Result, bail};
use havre_store::Store;
use havre_store::engine::memory::Memory;

use crate::config::{Settings, StoreEngine};
use crate::data::DataFolder;

/// Opens the engine that the settings name.
pub async fn open(settings: &Settings, _folder: &DataFolder) -> Result<Arc<dyn Store>> {
    match settings.store {
        StoreEngine::Embedded => Ok(Arc::new(Memory::new())),
        StoreEngine::Postgres => bail!("not yet"),
    }
}
