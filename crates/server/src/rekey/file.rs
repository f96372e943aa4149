//! The copy as a file.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::{Changes, Target, rekey};

/// The largest program that is read whole.
const FILE_LEN_MAX: u64 = 1 << 30;

/// Writes a copy of the program `original` that talks to `target` to `copy`, with the same mode.
///
/// # Errors
///
/// When `original` is refused by [`rekey`], or `copy` is there already and `force` is not given, or is `original`.
pub fn rekey_file(original: &Path, copy: &Path, target: &Target, force: bool) -> Result<Changes> {
    let named = || original.display().to_string();
    let about = fs::metadata(original).with_context(|| format!("{} cannot be read", named()))?;
    if !about.is_file() || about.len() > FILE_LEN_MAX {
        bail!("{} is not a program of at most 1 GiB", named());
    }
    make_room(copy, &about, force)?;
    let bytes = fs::read(original).with_context(|| format!("{} cannot be read", named()))?;
    let (changed, changes) =
        rekey(&bytes, target).with_context(|| format!("{} cannot be copied", named()))?;
    write(copy, &changed, &about, force).with_context(|| format!("{} cannot be written", copy.display()))?;
    Ok(changes)
}

/// Refuses to write over what may not be lost.
fn make_room(copy: &Path, original: &fs::Metadata, force: bool) -> Result<()> {
    let Ok(there) = fs::metadata(copy) else {
        return Ok(());
    };
    if (there.dev(), there.ino()) == (original.dev(), original.ino()) {
        bail!("{} is the original, which stays as it is", copy.display());
    }
    if !force {
        bail!("{} is there already; --force replaces it", copy.display());
    }
    Ok(())
}

fn write(copy: &Path, bytes: &[u8], original: &fs::Metadata, force: bool) -> Result<()> {
    if force && fs::symlink_metadata(copy).is_ok() {
        fs::remove_file(copy)?;
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(copy)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.set_permissions(original.permissions()));
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(copy);
    }
    Ok(written?)
}
