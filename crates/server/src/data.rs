//! The data folder: who owns it, and how files come into it without ever being half there.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// A data folder that belongs to this process until it is dropped.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    /// Holds the lock. The kernel frees it with the process, so a crash leaves nothing to clean up.
    _lock: File,
}

impl DataFolder {
    /// Takes the folder, and makes it first if it is missing.
    pub fn create(path: &Path) -> Result<Self> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.with_context(|| format!("the data folder {} cannot be made", path.display()))?;
        Self::open(path)
    }

    /// Takes a folder that exists.
    pub fn open(path: &Path) -> Result<Self> {
        if !path.is_dir() {
            bail!("there is no data folder {}", path.display());
        }
        let mut options = OpenOptions::new();
        let lock = options
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join("lock"));
        let lock = lock.with_context(|| format!("the data folder {} cannot be written", path.display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => {
                bail!("another server is running on the data folder {}", path.display())
            }
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("the data folder {} cannot be locked", path.display()))
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Writes a file that only its owner may read: under another name first, so that a crash or a full disk
/// leaves either the whole file or none.
pub fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("new");
    let written = write_durably(&draft, content).and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        // The first error is the one to tell; a draft that stays is replaced at the next try.
        let _ = fs::remove_file(&draft);
    }
    written?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

fn write_durably(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_owner() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b");
        assert!(format!("{:#}", DataFolder::open(&path).unwrap_err()).starts_with("there is no data folder"));
        let first = DataFolder::create(&path).unwrap();
        let refused = format!("{:#}", DataFolder::create(&path).unwrap_err());
        assert!(refused.starts_with("another server is running"), "{refused}");
        drop(first);
        DataFolder::open(&path).unwrap();
    }

    #[test]
    fn a_failed_write_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x.pem");
        fs::create_dir(&target).unwrap();
        fs::write(target.join("inside"), "").unwrap();
        assert!(write_private(&target, b"text").is_err());
        assert!(!folder.path().join("x.new").exists());
    }
}
