//! Where the bytes of files lie: a folder of the data folder.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use havre_api::dispatch::Api;
use havre_domain::ids::Time;
use havre_domain::limits::UPLOAD_TTL;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;

use crate::data::DataFolder;
use crate::env;

/// Opens the folder, and makes it first if it is missing.
pub fn open(folder: &DataFolder) -> Result<Arc<dyn ObjectStore>> {
    let path = folder.path().join("files");
    std::fs::create_dir_all(&path)
        .with_context(|| format!("the folder {} cannot be made", path.display()))?;
    let files = LocalFileSystem::new_with_prefix(&path)
        .with_context(|| format!("the folder {} cannot be opened", path.display()))?;
    // A message may name a file as soon as it is acknowledged: the file is on the disk by then.
    Ok(Arc::new(files.with_fsync(true).with_automatic_cleanup(true)))
}

/// How often unused uploads are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);

/// Forgets uploads that nobody used, now and then, for ever.
pub async fn sweep(api: Arc<Api>) {
    loop {
        let now = Time(env::now().0 / 1000);
        if let Err(error) = api.files.forget_uploads(now.plus(-UPLOAD_TTL)).await {
            tracing::warn!(%error, "unused uploads stay for now");
        }
        tokio::time::sleep(SWEEP_EVERY).await;
    }
}
