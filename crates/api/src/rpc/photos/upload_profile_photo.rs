//! `photos.uploadProfilePhoto`: a new profile photo.

use havre_tl::{enums, functions};

use crate::content::photo;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. Videos, and photos for those who may not see the real one, are not built.
///
/// # Errors
/// `400 PHOTO_INVALID`, `400 PHOTO_FILE_MISSING`, `400 IMAGE_PROCESS_FAILED`, `400 PHOTO_INVALID_DIMENSIONS`, and what the upload says.
pub async fn call(
    cx: &mut Cx,
    request: functions::photos::UploadProfilePhoto,
) -> Result<enums::photos::Photo, Error> {
    let moves = request.video.is_some() || request.video_emoji_markup.is_some();
    let file = match request.file {
        _ if request.fallback || request.bot.is_some() => return Err(RpcError::PHOTO_INVALID.into()),
        Some(file) => file,
        None if moves => return Err(RpcError::PHOTO_INVALID.into()),
        None => return Err(RpcError::PHOTO_FILE_MISSING.into()),
    };
    let photo = photo::of_profile(cx, &file).await?;
    super::set(cx, photo).await
}
