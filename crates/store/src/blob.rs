//! Files: parts while they are uploaded, then blobs that never change and are named by their content.
//!
//! ```text
//! uploads/<owner>/<upload>/<part>  a part; owner and part in decimal, the upload in 16 hexadecimal digits
//! uploads/<owner>/<upload>/done    which blob was made of the parts; stands as long as they would
//! blobs/<first 2 digits>/<sha256>  a whole file, 64 hexadecimal digits
//! ```
//!
//! Everything goes through the trait of `object_store`, so a local folder and S3 behave alike. An object
//! appears whole or not at all: locally it is written beside its place, synced and renamed; on S3 a
//! multipart upload is completed. On S3 give the bucket a rule that ends incomplete multipart uploads;
//! locally [`Blobs::remove_unfinished`] does the same.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures::TryStreamExt as _;
use md5::Md5;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutPayload};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Longest part of an upload, bytes.
pub const PART_LEN_MAX: usize = 512 << 10;
/// All parts of an upload but the last have a length that is a multiple of this and divides
/// [`PART_LEN_MAX`], bytes.
pub const PART_LEN_STEP: usize = 1 << 10;
/// Most parts of an upload.
pub const PARTS_MAX: u32 = 4000;
/// Longest blob that is taken or given at once, bytes.
pub const WHOLE_LEN_MAX: usize = 16 << 20;
/// Longest range that one read returns, bytes.
pub const READ_LEN_MAX: u64 = 1 << 20;

/// What is held of a file while it is assembled, bytes. S3 takes no less than 5 MiB, and some of its kin want
/// all pieces but the last alike: lengths of parts divide it.
const PIECE_LEN: usize = 8 << 20;
const _: () = assert!(PIECE_LEN.is_multiple_of(PART_LEN_MAX));
/// What sets the name of a file that `object_store` has not finished apart from all others.
const UNFINISHED_MARK: char = '#';

/// Names an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Upload {
    /// Who uploads. Uploads of different people never meet.
    pub owner: i64,
    /// The owner's own number for it.
    pub id: i64,
}

/// Names a blob by what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blob {
    /// SHA-256 of the content.
    pub sha256: [u8; 32],
    /// How many bytes.
    pub size: u64,
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
    /// This part has a length that does not fit: see [`is_part_len`]; the last one may be shorter.
    #[error("part {0} of the upload has a length that does not fit")]
    PartLen(u32),
    /// The parts do not have the MD5 that they were said to have.
    #[error("the upload has another MD5 than it was said to have")]
    Md5,
    /// Over one of the limits of this module.
    #[error("over a limit of files: {0}")]
    TooLarge(&'static str),
    /// The store of files cannot answer now, a full disk included; trying again later may succeed.
    #[error("the store of files is unavailable: {0}")]
    Unavailable(String),
}

/// What was made of an upload by which question, so that the same question has the same answer.
#[derive(Serialize, Deserialize)]
struct Done {
    parts: u32,
    md5: Option<[u8; 16]>,
    blob: Blob,
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
    #[must_use]
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

    /// Keeps one part, in place of an earlier one of the same number. With part 0 the upload begins anew:
    /// what was made of it before is not what comes now.
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
        if part == 0 {
            self.remove(&done_path(upload)).await?;
        }
        self.put_object(&part_path(upload, part), content.into()).await
    }

    /// Makes a blob of the parts `0..parts` of an upload; with `md5`, only if they have it. Then the parts go,
    /// and whoever asks the same again is told the same blob, until part 0 comes again or a sweep. Holds at
    /// most 8 MiB and a part of the file in memory.
    ///
    /// # Errors
    /// Every variant of [`BlobError`] but `Missing`; nothing is published then, and the parts stay.
    pub async fn assemble(
        &self,
        upload: Upload,
        parts: u32,
        md5: Option<[u8; 16]>,
    ) -> Result<Blob, BlobError> {
        if parts > PARTS_MAX {
            return Err(BlobError::TooLarge("parts of an upload"));
        }
        if let Some(blob) = self.done(upload, parts, md5).await? {
            return Ok(blob);
        }
        let blob = match self.join(upload, parts, md5).await {
            Ok(blob) => blob,
            // A rival call that made the blob meanwhile took the parts away.
            Err(BlobError::PartMissing(part)) => {
                let done = self.done(upload, parts, md5).await?;
                return done.ok_or(BlobError::PartMissing(part));
            }
            Err(error) => return Err(error),
        };
        self.set_done(upload, &Done { parts, md5, blob }).await?;
        for part in 0..parts {
            self.remove(&part_path(upload, part)).await?;
        }
        Ok(blob)
    }

    async fn done(
        &self,
        upload: Upload,
        parts: u32,
        md5: Option<[u8; 16]>,
    ) -> Result<Option<Blob>, BlobError> {
        let found = match self.object(&done_path(upload)).await {
            Ok(found) => found,
            Err(BlobError::Missing) => return Ok(None),
            Err(error) => return Err(error),
        };
        // What cannot be read says nothing: the parts do, or are asked for again.
        let done = postcard::from_bytes::<Done>(&found).ok();
        let same = done.filter(|done| (done.parts, done.md5) == (parts, md5));
        Ok(same.map(|done| done.blob))
    }

    async fn set_done(&self, upload: Upload, done: &Done) -> Result<(), BlobError> {
        let note = postcard::to_stdvec(done).map_err(|error| BlobError::Unavailable(error.to_string()))?;
        self.put_object(&done_path(upload), note.into()).await
    }

    async fn join(&self, upload: Upload, parts: u32, md5: Option<[u8; 16]>) -> Result<Blob, BlobError> {
        let (blob, held) = self.measure(upload, parts, md5).await?;
        // The same content is kept once.
        if !self.is_kept(&blob).await? {
            match held {
                Some(held) => {
                    self.put_object(&blob_path(&blob), held.into_iter().collect())
                        .await?
                }
                None => self.copy_parts(upload, parts, &blob).await?,
            }
        }
        Ok(blob)
    }

    /// What the parts make, and all of it if it is short.
    async fn measure(
        &self,
        upload: Upload,
        parts: u32,
        md5: Option<[u8; 16]>,
    ) -> Result<(Blob, Option<Vec<Bytes>>), BlobError> {
        let (mut sum, mut held) = (Sum::new(parts), Some(Vec::new()));
        let mut md5_found = md5.map(|_| Md5::new());
        for part in 0..parts {
            let content = self.part(upload, part).await?;
            sum.add(part, &content)?;
            if let Some(found) = &mut md5_found {
                found.update(&content);
            }
            held = held.filter(|_| sum.size <= PIECE_LEN as u64);
            if let Some(held) = &mut held {
                held.push(content);
            }
        }
        if md5_found.map(|found| found.finalize().into()) != md5 {
            return Err(BlobError::Md5);
        }
        Ok((sum.blob(), held))
    }

    async fn is_kept(&self, blob: &Blob) -> Result<bool, BlobError> {
        match self.store.head(&blob_path(blob)).await {
            Ok(found) => Ok(found.size == blob.size),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(unavailable(error)),
        }
    }

    async fn copy_parts(&self, upload: Upload, parts: u32, blob: &Blob) -> Result<(), BlobError> {
        let target = self.store.put_multipart(&blob_path(blob)).await;
        let mut target = target.map_err(unavailable)?;
        let written = match self.write_parts(upload, parts, &mut *target).await {
            // Parts that were replaced since they were measured must not be published under this name, as
            // everybody who has the true content would be given these instead.
            Ok(found) if found != *blob => Err(BlobError::Unavailable("parts changed meanwhile".into())),
            Ok(_) => target.complete().await.map(drop).map_err(unavailable),
            Err(error) => Err(error),
        };
        if written.is_err() {
            // The first error is the one to tell; what this leaves, a clean-up removes.
            let _ = target.abort().await;
        }
        written
    }

    async fn write_parts(
        &self,
        upload: Upload,
        parts: u32,
        target: &mut dyn MultipartUpload,
    ) -> Result<Blob, BlobError> {
        let mut sum = Sum::new(parts);
        let (mut piece, mut piece_len) = (Vec::new(), 0);
        for part in 0..parts {
            let content = self.part(upload, part).await?;
            sum.add(part, &content)?;
            piece_len += content.len();
            piece.push(content);
            if piece_len >= PIECE_LEN || part + 1 == parts {
                let payload = std::mem::take(&mut piece).into_iter().collect();
                piece_len = 0;
                target.put_part(payload).await.map_err(unavailable)?;
            }
        }
        Ok(sum.blob())
    }

    async fn part(&self, upload: Upload, part: u32) -> Result<Bytes, BlobError> {
        let found = self.object(&part_path(upload, part)).await;
        found.map_err(|error| match error {
            BlobError::Missing => BlobError::PartMissing(part),
            error => error,
        })
    }

    /// Keeps a short blob that is there at once.
    ///
    /// # Errors
    /// [`BlobError::TooLarge`]: longer than [`WHOLE_LEN_MAX`]. [`BlobError::Unavailable`].
    pub async fn put(&self, content: Bytes) -> Result<Blob, BlobError> {
        if content.len() > WHOLE_LEN_MAX {
            return Err(BlobError::TooLarge("bytes of a blob put at once"));
        }
        let blob = Blob {
            sha256: Sha256::digest(&content).into(),
            size: content.len() as u64,
        };
        self.put_object(&blob_path(&blob), content.into()).await?;
        Ok(blob)
    }

    /// The bytes of `range` that the blob has; none of them if it ends before.
    ///
    /// # Errors
    /// [`BlobError::TooLarge`]: more than [`READ_LEN_MAX`] asked for. [`BlobError::Missing`],
    /// [`BlobError::Unavailable`].
    pub async fn read(&self, blob: &Blob, range: Range<u64>) -> Result<Bytes, BlobError> {
        if range.end.saturating_sub(range.start) > READ_LEN_MAX {
            return Err(BlobError::TooLarge("bytes of one read"));
        }
        let range = range.start..range.end.min(blob.size);
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let found = self.store.get_range(&blob_path(blob), range).await;
        found.map_err(missing_or_unavailable)
    }

    /// All bytes of a short blob.
    ///
    /// # Errors
    /// [`BlobError::TooLarge`]: longer than [`WHOLE_LEN_MAX`]. [`BlobError::Missing`],
    /// [`BlobError::Unavailable`].
    pub async fn whole(&self, blob: &Blob) -> Result<Bytes, BlobError> {
        if blob.size > WHOLE_LEN_MAX as u64 {
            return Err(BlobError::TooLarge("bytes of a blob read at once"));
        }
        self.object(&blob_path(blob)).await
    }

    async fn object(&self, path: &Path) -> Result<Bytes, BlobError> {
        let found = self.store.get(path).await.map_err(missing_or_unavailable)?;
        found.bytes().await.map_err(missing_or_unavailable)
    }

    async fn put_object(&self, path: &Path, content: PutPayload) -> Result<(), BlobError> {
        self.store.put(path, content).await.map(drop).map_err(unavailable)
    }

    async fn remove(&self, path: &Path) -> Result<(), BlobError> {
        match self.store.delete(path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Removes uploads that got no part since `before`, with what was noted of those that became blobs, and
    /// says how many uploads that were. Looks at every part that is kept.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`]: some may be left; call again.
    pub async fn sweep(&self, before: SystemTime) -> Result<usize, BlobError> {
        let folder = Path::from("uploads");
        let owners = self.store.list_with_delimiter(Some(&folder)).await;
        let mut removed = 0;
        for owner in owners.map_err(unavailable)?.common_prefixes {
            for upload in self.uploads(&owner).await? {
                let newest = upload.iter().map(|object| object.last_modified).max();
                if newest.is_some_and(|newest| SystemTime::from(newest) < before) {
                    self.remove_all(&upload).await?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    /// What there is of an owner's uploads, together what belongs together.
    async fn uploads(&self, owner: &Path) -> Result<Vec<Vec<ObjectMeta>>, BlobError> {
        let mut uploads: BTreeMap<String, Vec<ObjectMeta>> = BTreeMap::new();
        let mut objects = self.store.list(Some(owner));
        while let Some(object) = objects.try_next().await.map_err(unavailable)? {
            if let Some((upload, _)) = object.location.as_ref().rsplit_once('/') {
                uploads.entry(upload.to_owned()).or_default().push(object);
            }
        }
        Ok(uploads.into_values().collect())
    }

    async fn remove_all(&self, objects: &[ObjectMeta]) -> Result<(), BlobError> {
        for object in objects {
            self.remove(&object.location).await?;
        }
        Ok(())
    }

    /// Removes what a crash left half written since before `before`, and says how many files that were.
    /// Walks the whole folder; nothing to do unless files are in one, which takes a runtime of tokio.
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

/// What parts make when they are put one behind the other.
struct Sum {
    parts: u32,
    part_len: usize,
    hash: Sha256,
    size: u64,
}

impl Sum {
    fn new(parts: u32) -> Self {
        Self {
            parts,
            part_len: 0,
            hash: Sha256::new(),
            size: 0,
        }
    }

    fn add(&mut self, part: u32, content: &[u8]) -> Result<(), BlobError> {
        let is_last = part + 1 == self.parts;
        if part == 0 {
            self.part_len = content.len();
            if !is_last && !is_part_len(self.part_len) {
                return Err(BlobError::PartLen(part));
            }
        }
        if content.len() > self.part_len || (content.len() < self.part_len && !is_last) {
            return Err(BlobError::PartLen(part));
        }
        self.hash.update(content);
        self.size += content.len() as u64;
        Ok(())
    }

    fn blob(self) -> Blob {
        Blob {
            sha256: self.hash.finalize().into(),
            size: self.size,
        }
    }
}

/// Whether parts of an upload but the last may have this length: a multiple of [`PART_LEN_STEP`] that divides
/// [`PART_LEN_MAX`] (core.telegram.org/api/files, "Uploading files").
#[must_use]
pub fn is_part_len(len: usize) -> bool {
    len > 0 && len.is_multiple_of(PART_LEN_STEP) && PART_LEN_MAX.is_multiple_of(len)
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

fn blob_path(blob: &Blob) -> Path {
    let mut name = String::with_capacity(64);
    for byte in blob.sha256 {
        // Writing to a string cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    let (folder, _) = name.split_at(2);
    Path::from(format!("blobs/{folder}/{name}"))
}

fn upload_path(Upload { owner, id }: Upload) -> Path {
    Path::from(format!("uploads/{owner}/{id:016x}"))
}

fn part_path(upload: Upload, part: u32) -> Path {
    upload_path(upload).join(part.to_string())
}

fn done_path(upload: Upload) -> Path {
    upload_path(upload).join("done")
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
