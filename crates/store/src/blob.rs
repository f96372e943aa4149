//! Files: parts while they are uploaded, then blobs that never change.
//!
//! ```text
//! parts/<uploader>/<file>/<part>   a part of an upload, 16, 16 and 4 hexadecimal digits
//! blobs/<last 2 digits>/<blob>     a whole file, 16 hexadecimal digits
//! ```
//!
//! Everything goes through the trait of `object_store`, so a local folder and S3 behave alike. An object
//! appears whole or not at all: locally it is written beside its place, synced and renamed; on S3 a
//! multipart upload is completed. On S3 give the bucket a rule that ends incomplete multipart uploads;
//! locally [`Blobs::remove_unfinished`] does the same.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt, WriteMultipart};
use sha2::{Digest, Sha256};

/// Longest part of an upload, bytes.
pub const PART_LEN_MAX: usize = 512 << 10;
/// Most parts of an upload.
pub const PARTS_MAX: u32 = 4000;
/// Longest blob, bytes: 2,097,152,000.
pub const BLOB_LEN_MAX: u64 = PART_LEN_MAX as u64 * PARTS_MAX as u64;
/// Longest blob that [`Blobs::put`] takes at once, bytes.
pub const PUT_LEN_MAX: usize = 16 << 20;
/// Longest range that one read returns, bytes.
pub const READ_LEN_MAX: u64 = 1 << 20;

/// What is held of a file while it is assembled, times [`WRITES_MAX`]. S3 takes no less than 5 MiB.
const CHUNK_LEN: usize = 8 << 20;
const WRITES_MAX: usize = 2;
/// What sets the name of a file that `object_store` has not finished apart from all others.
const UNFINISHED_MARK: char = '#';

/// Names an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Upload {
    /// Who uploads. Uploads of different people never meet.
    pub uploader: u64,
    /// The uploader's own name for the file.
    pub file: u64,
}

/// Names a blob. Never used again for other content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId(pub u64);

/// What was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blob {
    /// Length, bytes.
    pub len: u64,
    /// SHA-256 of the content.
    pub sha256: [u8; 32],
}

/// Why a file cannot be written or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// There is no such blob.
    #[error("there is no such blob")]
    Missing,
    /// An upload lacks this part.
    #[error("part {0} of the upload is missing")]
    PartMissing(u32),
    /// The part has another length than the parts before it; only the last one may be shorter.
    #[error("part {0} of the upload has another length than those before")]
    PartLen(u32),
    /// The file is not as long as it was said to be.
    #[error("the file has {found} bytes, not {expected}")]
    Len {
        /// Length of all parts together, bytes.
        found: u64,
        /// Length that the caller named, bytes.
        expected: u64,
    },
    /// Over one of the limits of this module.
    #[error("over a limit of files: {0}")]
    TooLarge(&'static str),
    /// The store of files cannot answer now, a full disk included; trying again later may succeed.
    #[error("the store of files is unavailable: {0}")]
    Unavailable(String),
}

/// All files. Clones share one store.
#[derive(Clone, Debug)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    /// The folder, if it is one.
    folder: Option<PathBuf>,
}

impl Blobs {
    /// Files in an object store.
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self { store, folder: None }
    }

    /// Files in a folder of this machine, which is created if need be. What is written is on the disk before
    /// it is acknowledged.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`]: the folder can be neither created nor used.
    pub fn local(folder: impl Into<PathBuf>) -> Result<Self, BlobError> {
        let folder = folder.into();
        let unusable = |error: &dyn std::fmt::Display| {
            BlobError::Unavailable(format!("{} cannot be used: {error}", folder.display()))
        };
        fs::create_dir_all(&folder).map_err(|error| unusable(&error))?;
        let store = LocalFileSystem::new_with_prefix(&folder).map_err(|error| unusable(&error))?;
        let store = store.with_automatic_cleanup(true).with_fsync(true);
        Ok(Self {
            store: Arc::new(store),
            folder: Some(folder),
        })
    }

    /// Keeps one part, in place of an earlier one of the same number.
    ///
    /// # Errors
    /// [`BlobError::TooLarge`]: `part` is not below [`PARTS_MAX`] or `content` is longer than
    /// [`PART_LEN_MAX`]. [`BlobError::Unavailable`].
    pub async fn put_part(&self, upload: Upload, part: u32, content: Bytes) -> Result<(), BlobError> {
        if part >= PARTS_MAX {
            return Err(BlobError::TooLarge("parts of an upload"));
        }
        if content.len() > PART_LEN_MAX {
            return Err(BlobError::TooLarge("bytes of a part"));
        }
        self.store
            .put(&part_path(upload, part), content.into())
            .await
            .map_err(unavailable)?;
        Ok(())
    }

    /// Publishes the first `parts` parts of an upload as a blob; with `len`, only if it is as long as that.
    /// Holds a few chunks of the file in memory, never all of it. The parts stay until
    /// [`Blobs::discard`], so this can be done again after a failure.
    ///
    /// # Errors
    /// Every variant of [`BlobError`] but `Missing`; nothing is published then.
    pub async fn assemble(
        &self,
        upload: Upload,
        parts: u32,
        into: BlobId,
        len: Option<u64>,
    ) -> Result<Blob, BlobError> {
        if parts > PARTS_MAX {
            return Err(BlobError::TooLarge("parts of an upload"));
        }
        let target = self
            .store
            .put_multipart(&blob_path(into))
            .await
            .map_err(unavailable)?;
        let mut target = WriteMultipart::new_with_chunk_size(target, CHUNK_LEN);
        match self.copy_parts(upload, parts, len, &mut target).await {
            Ok(blob) => {
                target.finish().await.map_err(unavailable)?;
                Ok(blob)
            }
            Err(error) => {
                // The first error is the one to tell; what this leaves, a clean-up removes.
                let _ = target.abort().await;
                Err(error)
            }
        }
    }

    async fn copy_parts(
        &self,
        upload: Upload,
        parts: u32,
        expected: Option<u64>,
        target: &mut WriteMultipart,
    ) -> Result<Blob, BlobError> {
        let mut hash = Sha256::new();
        let (mut len, mut part_len) = (0, None);
        for part in 0..parts {
            let content = self.part(upload, part).await?;
            let first_len = *part_len.get_or_insert(content.len());
            let is_last = part + 1 == parts;
            if content.len() > first_len || (content.len() < first_len && !is_last) {
                return Err(BlobError::PartLen(part));
            }
            hash.update(&content);
            len += content.len() as u64;
            target.wait_for_capacity(WRITES_MAX).await.map_err(unavailable)?;
            target.put(content);
        }
        match expected.filter(|expected| *expected != len) {
            Some(expected) => Err(BlobError::Len { found: len, expected }),
            None => Ok(Blob {
                len,
                sha256: hash.finalize().into(),
            }),
        }
    }

    async fn part(&self, upload: Upload, part: u32) -> Result<Bytes, BlobError> {
        let found = self
            .store
            .get(&part_path(upload, part))
            .await
            .map_err(|error| match error {
                object_store::Error::NotFound { .. } => BlobError::PartMissing(part),
                error => unavailable(error),
            })?;
        if found.meta.size > PART_LEN_MAX as u64 {
            return Err(BlobError::TooLarge("bytes of a part"));
        }
        found.bytes().await.map_err(unavailable)
    }

    /// Publishes a short blob at once.
    ///
    /// # Errors
    /// [`BlobError::TooLarge`]: longer than [`PUT_LEN_MAX`]. [`BlobError::Unavailable`].
    pub async fn put(&self, into: BlobId, content: Bytes) -> Result<Blob, BlobError> {
        if content.len() > PUT_LEN_MAX {
            return Err(BlobError::TooLarge("bytes of a blob put at once"));
        }
        let blob = Blob {
            len: content.len() as u64,
            sha256: Sha256::digest(&content).into(),
        };
        self.store
            .put(&blob_path(into), content.into())
            .await
            .map_err(unavailable)?;
        Ok(blob)
    }

    /// Length of a blob, bytes.
    ///
    /// # Errors
    /// [`BlobError::Missing`], [`BlobError::Unavailable`].
    pub async fn len(&self, blob: BlobId) -> Result<u64, BlobError> {
        Ok(self
            .store
            .head(&blob_path(blob))
            .await
            .map_err(missing_or_unavailable)?
            .size)
    }

    /// The bytes of `range` that the blob has; none of them if it ends before.
    ///
    /// # Errors
    /// [`BlobError::TooLarge`]: more than [`READ_LEN_MAX`] asked for. [`BlobError::Missing`],
    /// [`BlobError::Unavailable`].
    pub async fn read(&self, blob: BlobId, range: Range<u64>) -> Result<Bytes, BlobError> {
        if range.end.saturating_sub(range.start) > READ_LEN_MAX {
            return Err(BlobError::TooLarge("bytes of one read"));
        }
        // Stores differ in what they say to a range that holds nothing, so none is asked for one.
        if range.is_empty() {
            return self.len(blob).await.map(|_| Bytes::new());
        }
        let options = GetOptions::new().with_range(Some(range.clone()));
        let error = match self.store.get_opts(&blob_path(blob), options).await {
            Ok(found) => return found.bytes().await.map_err(unavailable),
            Err(error) => missing_or_unavailable(error),
        };
        match error {
            BlobError::Unavailable(_) if self.len(blob).await? <= range.start => Ok(Bytes::new()),
            error => Err(error),
        }
    }

    /// Removes a blob; removing an absent one is nothing.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`].
    pub async fn delete(&self, blob: BlobId) -> Result<(), BlobError> {
        self.remove(&blob_path(blob)).await
    }

    /// Removes all parts of an upload.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`]: some may be left; call again.
    pub async fn discard(&self, upload: Upload) -> Result<(), BlobError> {
        let folder = upload_path(upload);
        let parts: Vec<_> = self
            .store
            .list(Some(&folder))
            .try_collect()
            .await
            .map_err(unavailable)?;
        for part in parts {
            self.remove(&part.location).await?;
        }
        Ok(())
    }

    async fn remove(&self, path: &Path) -> Result<(), BlobError> {
        match self.store.delete(path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// At most `limit` uploads that got no part since `before`, in ascending order. Looks at every part
    /// that is kept.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`].
    pub async fn expired(&self, before: SystemTime, limit: usize) -> Result<Vec<Upload>, BlobError> {
        let mut newest: BTreeMap<Upload, SystemTime> = BTreeMap::new();
        let mut parts = self.store.list(Some(&Path::from("parts")));
        while let Some(part) = parts.try_next().await.map_err(unavailable)? {
            // Anything else there is not ours to judge.
            let Some(upload) = parse_upload(&part.location) else {
                continue;
            };
            let written = SystemTime::from(part.last_modified);
            let newest = newest.entry(upload).or_insert(written);
            *newest = written.max(*newest);
        }
        let expired = newest.into_iter().filter(|(_, newest)| *newest < before);
        Ok(expired.map(|(upload, _)| upload).take(limit).collect())
    }

    /// Removes what a crash left half written since before `before`, and says how many files that were.
    /// Walks the whole folder; nothing to do unless files are in one.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`]: the folder cannot be walked.
    pub async fn remove_unfinished(&self, before: SystemTime) -> Result<u64, BlobError> {
        let Some(folder) = self.folder.clone() else {
            return Ok(0);
        };
        let walk = tokio::task::spawn_blocking(move || remove_unfinished(folder, before));
        match walk.await {
            Ok(removed) => removed.map_err(|error| BlobError::Unavailable(error.to_string())),
            Err(error) => Err(BlobError::Unavailable(error.to_string())),
        }
    }
}

fn remove_unfinished(folder: PathBuf, before: SystemTime) -> io::Result<u64> {
    let mut removed = 0;
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            // The last file in it was removed meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if is_unfinished(&entry, before) {
                fs::remove_file(entry.path())?;
                removed += 1;
            }
        }
    }
    Ok(removed)
}

/// A file that is gone by now has been finished.
fn is_unfinished(entry: &fs::DirEntry, before: SystemTime) -> bool {
    let written = entry.metadata().and_then(|metadata| metadata.modified());
    entry.file_name().to_string_lossy().contains(UNFINISHED_MARK)
        && written.is_ok_and(|written| written < before)
}

fn blob_path(BlobId(id): BlobId) -> Path {
    Path::from(format!("blobs/{:02x}/{id:016x}", id & 0xff))
}

fn upload_path(Upload { uploader, file }: Upload) -> Path {
    Path::from(format!("parts/{uploader:016x}/{file:016x}"))
}

fn part_path(upload: Upload, part: u32) -> Path {
    upload_path(upload).join(format!("{part:04x}"))
}

fn parse_upload(path: &Path) -> Option<Upload> {
    let mut names = path.as_ref().split('/').skip(1);
    let mut number = || u64::from_str_radix(names.next()?, 16).ok();
    Some(Upload {
        uploader: number()?,
        file: number()?,
    })
}

fn missing_or_unavailable(error: object_store::Error) -> BlobError {
    match error {
        object_store::Error::NotFound { .. } => BlobError::Missing,
        error => unavailable(error),
    }
}

fn unavailable(error: object_store::Error) -> BlobError {
    BlobError::Unavailable(error.to_string())
}
