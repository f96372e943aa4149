//! Where the bytes of files lie: a folder of the data folder.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use havre_api::dispatch::Api;
use havre_domain::ids::Time;
use havre_domain::limits::UPLOAD_TTL;
use havre_store::blob::{BlobError, Blobs};

use crate::data::DataFolder;
use crate::env;

/// Opens the folder, and makes it first if it is missing.
pub fn open(folder: &DataFolder) -> Result<Blobs> {
    Blobs::local(folder.path().join("files")).context("the folder of files cannot be opened")
}

/// How often unused uploads are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);
/// How long an upload waits to be made a file of.
const TTL: Duration = Duration::from_secs(UPLOAD_TTL.unsigned_abs());

/// Forgets uploads that nobody used, and files that a crash left half written, now and then, for ever.
pub async fn sweep(api: Arc<Api>) {
    loop {
        api.uploads.sweep(Time(env::now().0 / 1000));
        if let Err(error) = sweep_files(&api.files).await {
            tracing::warn!(%error, "unused uploads stay for now");
        }
        tokio::time::sleep(SWEEP_EVERY).await;
    }
}

async fn sweep_files(files: &Blobs) -> Result<(), BlobError> {
    let before = SystemTime::now() - TTL;
    files.sweep(before).await?;
    files.remove_unfinished(before).await.map(drop)
}
