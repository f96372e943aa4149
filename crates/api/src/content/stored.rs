//! Files: from what a client uploaded or names to the record that is kept.

use havre_domain::files::{self, File, Kind};
use havre_domain::ids::FileId;
use havre_domain::keys::{self, partition};
use havre_domain::tx::Fault;
use havre_store::blob::{Blob, PARTS_MAX, Upload};
use havre_tl::enums;

use crate::cx::Cx;
use crate::error::{Error, RpcError};

/// The bytes of an upload of the asker, put together.
///
/// # Errors
/// `400 FILE_PARTS_INVALID`, `400 FILE_PART_n_MISSING`, `400 FILE_PART_LENGTH_INVALID`,
/// `400 MD5_CHECKSUM_INVALID`, `400 MEDIA_INVALID` for what is not an upload.
pub async fn upload(cx: &mut Cx, input: &enums::InputFile) -> Result<Blob, Error> {
    let (id, parts, md5) = match input {
        enums::InputFile::InputFile(file) => (file.id, file.parts, md5_of(&file.md5_checksum)?),
        enums::InputFile::InputFileBig(file) => (file.id, file.parts, None),
        enums::InputFile::InputFileStoryDocument(_) => return Err(RpcError::MEDIA_INVALID.into()),
    };
    let parts = u32::try_from(parts).ok().filter(|n| (1..=PARTS_MAX).contains(n));
    let parts = parts.ok_or(RpcError::FILE_PARTS_INVALID)?;
    let upload = Upload {
        owner: cx.me()?.0,
        id,
    };
    let blob = cx.api.files.assemble(upload, parts, md5).await?;
    cx.api.uploads.used(upload);
    Ok(blob)
}

/// The MD5 that a client says: hexadecimal, or nothing at all.
fn md5_of(text: &str) -> Result<Option<[u8; 16]>, RpcError> {
    if text.is_empty() {
        return Ok(None);
    }
    let number = u128::from_str_radix(text, 16);
    let valid = text.len() == 32 && !text.starts_with('+');
    match number {
        Ok(number) if valid => Ok(Some(number.to_be_bytes())),
        _ => Err(RpcError::MD5_CHECKSUM_INVALID),
    }
}

/// Keeps the record of a file, in a commit of its own before the call's: the file then exists whatever becomes
/// of the message. The same file is kept once.
///
/// # Errors
/// [`Error`].
pub async fn keep(cx: &mut Cx, id: FileId, file: &File) -> Result<File, Error> {
    loop {
        let mut world = cx.api.world();
        let tx = world.subject(partition::file(id))?;
        if let Some(known) = files::file(tx).await? {
            return Ok(known);
        }
        tx.put(keys::subject(), file);
        match world.commit().await {
            Ok(_) => return Ok(file.clone()),
            Err(Fault::Conflict) => {}
            Err(fault) => return Err(fault.into()),
        }
    }
}

/// A file by its id alone.
///
/// # Errors
/// [`Error`].
pub async fn file(cx: &mut Cx, id: FileId) -> Result<Option<File>, Error> {
    Ok(files::file(cx.world.view(partition::file(id))).await?)
}

/// The file that a client names with what it was given along with it.
///
/// # Errors
/// `400 FILE_ID_INVALID` for no such file of this kind or a wrong access hash, `400 FILE_REFERENCE_EMPTY`,
/// `400 FILE_REFERENCE_INVALID`, `400 FILE_REFERENCE_EXPIRED`.
pub async fn named(
    cx: &mut Cx,
    kind: Kind,
    id: FileId,
    access_hash: i64,
    reference: &[u8],
) -> Result<File, Error> {
    if files::access_hash(&cx.world.secret, id) != access_hash {
        return Err(RpcError::FILE_ID_INVALID.into());
    }
    files::check_reference(&cx.world.secret, id, reference, cx.world.now)?;
    let found = file(cx, id).await?.filter(|file| file.kind == kind);
    found.ok_or(RpcError::FILE_ID_INVALID.into())
}
