//! Bytes of files: parts of uploads, and whole blobs named by their content, in an object store: a folder, a
//! bucket, or memory in tests. An upload lives until it is made a blob or [`UPLOAD_TTL`] has passed.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::StreamExt as _;
use havre_domain::files::Blob;
use havre_domain::ids::{Time, UserId};
use havre_domain::limits::{PART_LEN_MAX, UNUSED_UPLOADS_MAX, UPLOAD_TTL, UPLOADS_MAX};
use havre_domain::record;
use havre_store::StoreError;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, RpcError};

/// Why bytes could not be kept or given.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// A part of an upload is not there.
    #[error("part {0} is missing")]
    Missing(u32),
    /// Parts that do not fit each other: all but the last have one size, which divides 512 KiB and is a
    /// multiple of 1 KiB.
    #[error("parts of sizes that do not fit")]
    Sizes,
    /// Too much was uploaded and not used; some of it is forgotten after so many seconds.
    #[error("too much waits, for {0} s")]
    Full(i64),
    /// The object store failed.
    #[error(transparent)]
    Objects(#[from] object_store::Error),
    /// What the object store holds is damaged.
    #[error("a damaged record of an upload")]
    Damaged,
}

impl From<FilesError> for Error {
    fn from(error: FilesError) -> Self {
        match error {
            FilesError::Missing(part) => RpcError::file_part_missing(part).into(),
            FilesError::Sizes => RpcError::FILE_PART_SIZE_INVALID.into(),
            FilesError::Full(seconds) => RpcError::flood_wait(seconds).into(),
            FilesError::Objects(error) => StoreError::Unavailable(error.to_string()).into(),
            FilesError::Damaged => StoreError::Corrupt("a record of an upload".into()).into(),
        }
    }
}

/// Names an upload: whose it is, and the number that their client chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Upload {
    /// Whose.
    pub owner: UserId,
    /// Chosen by the client.
    pub id: i64,
}

impl Upload {
    fn folder(self) -> String {
        format!("uploads/{}/{:016x}", self.owner.0, self.id)
    }
    fn part(self, part: u32) -> Path {
        Path::from(format!("{}/{part}", self.folder()))
    }
    /// Says which blob was made of it; stands as long as the parts would.
    fn done(self) -> Path {
        Path::from(format!("{}/done", self.folder()))
    }
}

/// What an upload was made into.
#[derive(Serialize, Deserialize)]
struct Done {
    parts: u32,
    blob: Blob,
}

#[derive(Clone, Copy)]
struct Waiting {
    bytes: u64,
    last: Time,
}

/// The bytes of all files.
pub struct Files {
    objects: Arc<dyn ObjectStore>,
    /// What was uploaded here and not used yet: the bound of what a person may leave lying around.
    waiting: Mutex<HashMap<UserId, HashMap<i64, Waiting>>>,
}

/// Blobs up to this size are written in one piece, bytes.
const ONE_PIECE_MAX: u64 = 8 << 20;

impl Files {
    /// Files in an object store.
    #[must_use]
    pub fn new(objects: Arc<dyn ObjectStore>) -> Self {
        Self {
            objects,
            waiting: Mutex::default(),
        }
    }

    /// Keeps a part of an upload. A part that comes again replaces the one before.
    ///
    /// # Errors
    /// [`FilesError::Full`], and when the object store fails.
    pub async fn put_part(
        &self,
        upload: Upload,
        part: u32,
        bytes: Vec<u8>,
        now: Time,
    ) -> Result<(), FilesError> {
        self.admit(upload, bytes.len() as u64, now)?;
        if part == 0 {
            // The same number begins anew: what was made of it before is not what comes now.
            self.forget(&upload.done()).await?;
        }
        self.objects.put(&upload.part(part), bytes.into()).await?;
        Ok(())
    }

    /// Counts bytes that come, unless too many wait already.
    fn admit(&self, upload: Upload, len: u64, now: Time) -> Result<(), FilesError> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = waiting.entry(upload.owner).or_default();
        mine.retain(|_, w| w.last.plus(UPLOAD_TTL) > now);
        let bytes: u64 = mine.values().map(|w| w.bytes).sum();
        let crowded = mine.len() >= UPLOADS_MAX && !mine.contains_key(&upload.id);
        if crowded || bytes.saturating_add(len) > UNUSED_UPLOADS_MAX {
            let first = mine.values().map(|w| w.last).min().unwrap_or(now);
            return Err(FilesError::Full(first.plus(UPLOAD_TTL).0 - now.0));
        }
        let entry = mine.entry(upload.id).or_insert(Waiting { bytes: 0, last: now });
        entry.bytes += len;
        entry.last = now;
        Ok(())
    }

    fn used(&self, upload: Upload) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mine) = waiting.get_mut(&upload.owner) {
            mine.remove(&upload.id);
            if mine.is_empty() {
                waiting.remove(&upload.owner);
            }
        }
    }

    /// Makes a blob of the parts `0..parts` of an upload. Asked again, it says the same blob again.
    ///
    /// # Errors
    /// [`FilesError::Missing`], [`FilesError::Sizes`], and when the object store fails.
    pub async fn assemble(&self, upload: Upload, parts: u32) -> Result<Blob, FilesError> {
        if let Some(done) = self.done(upload).await?
            && done.parts == parts
        {
            return Ok(done.blob);
        }
        let blob = self.measure(upload, parts).await?;
        if self.objects.head(&path(&blob)).await.is_err() {
            self.copy_parts(upload, parts, &blob).await?;
        }
        let done = record::encode(&Done { parts, blob });
        self.objects.put(&upload.done(), done.into()).await?;
        for part in 0..parts {
            self.forget(&upload.part(part)).await?;
        }
        self.used(upload);
        Ok(blob)
    }

    async fn done(&self, upload: Upload) -> Result<Option<Done>, FilesError> {
        match self.objects.get(&upload.done()).await {
            Ok(found) => record::decode(&found.bytes().await?)
                .map(Some)
                .map_err(|_| FilesError::Damaged),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn part(&self, upload: Upload, part: u32) -> Result<Bytes, FilesError> {
        match self.objects.get(&upload.part(part)).await {
            Ok(found) => Ok(found.bytes().await?),
            Err(object_store::Error::NotFound { .. }) => Err(FilesError::Missing(part)),
            Err(error) => Err(error.into()),
        }
    }

    async fn measure(&self, upload: Upload, parts: u32) -> Result<Blob, FilesError> {
        let (mut hash, mut size, mut part_len) = (Sha256::new(), 0, 0);
        for part in 0..parts {
            let bytes = self.part(upload, part).await?;
            if part == 0 {
                part_len = bytes.len();
            }
            let whole = part_len > 0 && part_len % 1024 == 0 && PART_LEN_MAX.is_multiple_of(part_len);
            let last = part + 1 == parts;
            if bytes.len() > part_len || (!last && (bytes.len() != part_len || !whole)) {
                return Err(FilesError::Sizes);
            }
            hash.update(&bytes);
            size += bytes.len() as u64;
        }
        let sha256 = hash.finalize().into();
        Ok(Blob { sha256, size })
    }

    async fn copy_parts(&self, upload: Upload, parts: u32, blob: &Blob) -> Result<(), FilesError> {
        if blob.size <= ONE_PIECE_MAX {
            let mut bytes = Vec::new();
            for part in 0..parts {
                bytes.extend(self.part(upload, part).await?);
            }
            self.objects.put(&path(blob), bytes.into()).await?;
            return Ok(());
        }
        let mut target = self.objects.put_multipart(&path(blob)).await?;
        let mut piece = Vec::new();
        for part in 0..parts {
            piece.extend(self.part(upload, part).await?);
            if piece.len() as u64 >= ONE_PIECE_MAX || part + 1 == parts {
                target.put_part(std::mem::take(&mut piece).into()).await?;
            }
        }
        target.complete().await?;
        Ok(())
    }

    /// Keeps bytes that the server made itself.
    ///
    /// # Errors
    /// When the object store fails.
    pub async fn put(&self, bytes: Vec<u8>) -> Result<Blob, FilesError> {
        let blob = Blob {
            sha256: Sha256::digest(&bytes).into(),
            size: bytes.len() as u64,
        };
        self.objects.put(&path(&blob), bytes.into()).await?;
        Ok(blob)
    }

    /// Bytes of a blob; a range that ends behind its end is cut, one that begins there is empty.
    ///
    /// # Errors
    /// When the object store fails.
    pub async fn read(&self, blob: &Blob, range: Range<u64>) -> Result<Bytes, FilesError> {
        let range = range.start..range.end.min(blob.size);
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        Ok(self.objects.get_range(&path(blob), range).await?)
    }

    /// Forgets uploads that nothing was made of since `before`, and what was noted of those used.
    ///
    /// # Errors
    /// When the object store fails.
    pub async fn forget_uploads(&self, before: Time) -> Result<(), FilesError> {
        let folder = Path::from("uploads");
        let mut listed = self.objects.list(Some(&folder));
        while let Some(found) = listed.next().await {
            let found = found?;
            if found.last_modified.timestamp() < before.0 {
                self.forget(&found.location).await?;
            }
        }
        Ok(())
    }

    async fn forget(&self, path: &Path) -> Result<(), FilesError> {
        match self.objects.delete(path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn path(blob: &Blob) -> Path {
    use std::fmt::Write as _;
    let mut name = String::with_capacity(64);
    for byte in blob.sha256 {
        // Writing to a string cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    let (folder, _) = name.split_at(2);
    Path::from(format!("blobs/{folder}/{name}"))
}
