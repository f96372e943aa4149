//! `photos.deletePhotos`: profile photos go.

use havre_domain::limits::PHOTOS_MAX;
use havre_domain::photos;
use havre_tl::{enums, functions};

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::telling;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers with the ids of those that were there. When the current photo goes, the one before is current.
///
/// # Errors
/// `400 LIMIT_INVALID` for too many at once.
pub async fn call(cx: &mut Cx, request: functions::photos::DeletePhotos) -> Result<Vec<i64>, Error> {
    let (me, now) = (cx.me()?, cx.world.now);
    if request.id.len() > PHOTOS_MAX {
        return Err(RpcError::LIMIT_INVALID.into());
    }
    let asked = |id: i64| {
        request
            .id
            .iter()
            .any(|i| matches!(i, enums::InputPhoto::InputPhoto(i) if i.id == id))
    };
    let (mut ids, mut numbers) = (Vec::new(), Vec::new());
    for known in photos::all(cx.view_own()?).await? {
        if let Some(file) = super::file_of(&known.photo).filter(|file| asked(file.0)) {
            ids.push(file.0);
            numbers.push(known.n);
        }
    }
    photos::remove(cx.own()?, me, now, &numbers, super::file_of).await?;
    if !numbers.is_empty() {
        telling::person_changed(cx).await?;
    }
    Ok(ids)
}
