//! `upload.saveBigFilePart`: a part of a big file.

use havre_store::blob::PARTS_MAX;
use havre_tl::functions;

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// What clients say while they do not know how many parts there will be.
const TOTAL_UNKNOWN: i32 = -1;

/// Answers. A part that comes again replaces the one before.
///
/// # Errors
/// `400 FILE_PART_EMPTY`, `400 FILE_PART_INVALID`, `400 FILE_PART_TOO_BIG`, `400 FILE_PARTS_INVALID`,
/// `400 FILE_PART_SIZE_INVALID` for a part but the last with a size that is not allowed,
/// `420 FLOOD_WAIT_n` when too much was uploaded and not used.
pub async fn call(cx: &mut Cx, request: functions::upload::SaveBigFilePart) -> Result<bool, Error> {
    let total = request.file_total_parts;
    if total != TOTAL_UNKNOWN {
        if !u32::try_from(total).is_ok_and(|total| (1..=PARTS_MAX).contains(&total)) {
            return Err(RpcError::FILE_PARTS_INVALID.into());
        }
        if request.file_part >= total {
            return Err(RpcError::FILE_PART_INVALID.into());
        }
    }
    // Whoever does not know how many parts there will be does not send the last.
    let is_last = request.file_part.checked_add(1) == Some(total);
    super::save(cx, request.file_id, request.file_part, request.bytes, is_last).await
}
