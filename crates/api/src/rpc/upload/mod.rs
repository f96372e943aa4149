//! `upload.*`
pub mod get_file;
pub mod save_big_file_part;
pub mod save_file_part;

use havre_store::blob::{PART_LEN_MAX, PARTS_MAX, Upload, is_part_len};

use crate::cx::Cx;
use crate::error::{Error, RpcError};

/// Keeps a part of an upload. Nothing of it is a partition's: an upload that is not used is forgotten.
async fn save(cx: &mut Cx, id: i64, part: i32, bytes: Vec<u8>, may_be_last: bool) -> Result<bool, Error> {
    let owner = cx.me()?;
    let part = u32::try_from(part).ok().filter(|part| *part < PARTS_MAX);
    let part = part.ok_or(RpcError::FILE_PART_INVALID)?;
    if bytes.is_empty() {
        return Err(RpcError::FILE_PART_EMPTY.into());
    }
    if bytes.len() > PART_LEN_MAX {
        return Err(RpcError::FILE_PART_TOO_BIG.into());
    }
    if !may_be_last && !is_part_len(bytes.len()) {
        return Err(RpcError::FILE_PART_SIZE_INVALID.into());
    }
    let upload = Upload { owner: owner.0, id };
    cx.api.uploads.admit(upload, bytes.len() as u64, cx.world.now)?;
    cx.api.files.put_part(upload, part, bytes.into()).await?;
    Ok(true)
}
