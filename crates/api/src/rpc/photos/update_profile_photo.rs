//! `photos.updateProfilePhoto`: an earlier photo becomes the current one, or none is.

use havre_domain::photos;
use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 PHOTO_ID_INVALID` for a photo that is not among the asker's, `400 PHOTO_INVALID` for what is not built.
pub async fn call(
    cx: &mut Cx,
    request: functions::photos::UpdateProfilePhoto,
) -> Result<enums::photos::Photo, Error> {
    let (me, now) = (cx.me()?, cx.world.now);
    if request.fallback || request.bot.is_some() {
        return Err(RpcError::PHOTO_INVALID.into());
    }
    let enums::InputPhoto::InputPhoto(input) = request.id else {
        photos::show(cx.own()?, me, now, None).await?;
        return super::shown(cx, types::PhotoEmpty { id: 0 }.into()).await;
    };
    let known = photos::all(cx.view_own()?).await?;
    let known = known.iter().filter_map(|known| super::kept(&known.photo));
    let found = known
        .into_iter()
        .find(|photo| photo.id == input.id && photo.access_hash == input.access_hash);
    super::set(cx, found.ok_or(RpcError::PHOTO_ID_INVALID)?).await
}
