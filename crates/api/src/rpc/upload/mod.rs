//! `upload.*`
pub mod get_file;
pub mod save_big_file_part;
pub mod save_file_part;

use havre_domain::limits::{PART_LEN_MAX, PARTS_MAX};

use crate::cx::Cx;
use crate::error::{Error, RpcError};
use crate::files::Upload;

/// Keeps a part of an upload. Nothing of it is a partition's: an upload that is not used is forgotten.
async fn save(cx: &mut Cx, id: i64, part: i32, bytes: Vec<u8>) -> Result<bool, Error> {
    let owner = cx.me()?;
    let part = u32::try_from(part).ok().filter(|part| *part < PARTS_MAX);
    let part = part.ok_or(RpcError::FILE_PART_INVALID)?;
    if bytes.is_empty() {
        return Err(RpcError::FILE_PART_EMPTY.into());
    }
    if bytes.len() > PART_LEN_MAX {
        return Err(RpcError::FILE_PART_TOO_BIG.into());
    }
    let (upload, now) = (Upload { owner, id }, cx.world.now);
    cx.api.files.put_part(upload, part, bytes, now).await?;
    Ok(true)
}
