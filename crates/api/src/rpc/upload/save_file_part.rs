//! `upload.saveFilePart`: a part of a small file.

use havre_tl::functions;

use crate::cx::{Access, Cx};
use crate::error::Error;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. A part that comes again replaces the one before.
///
/// # Errors
/// `400 FILE_PART_EMPTY`, `400 FILE_PART_INVALID`, `400 FILE_PART_TOO_BIG`, `420 FLOOD_WAIT_n` when too much
/// was uploaded and not used.
pub async fn call(cx: &mut Cx, request: functions::upload::SaveFilePart) -> Result<bool, Error> {
    // Nothing says how many parts there will be, so each may be the last.
    super::save(cx, request.file_id, request.file_part, request.bytes, true).await
}
