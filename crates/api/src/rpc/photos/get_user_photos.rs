//! `photos.getUserPhotos`: a page of somebody's profile photos, the newest first.

use havre_domain::limits::PAGE_MAX;
use havre_domain::{photos, privacy};
use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::Error;
use crate::render;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers; with nothing to who may not see them.
///
/// # Errors
/// `400 USER_ID_INVALID`.
pub async fn call(
    cx: &mut Cx,
    request: functions::photos::GetUserPhotos,
) -> Result<enums::photos::Photos, Error> {
    let me = cx.me()?;
    let user = cx.input_user(&request.user_id).await?;
    let mut all: Vec<types::Photo> = Vec::new();
    if privacy::sees(&mut cx.world, me, user).await?.photo {
        let stored = photos::all(cx.world.view_user(user)).await?;
        all.extend(stored.iter().filter_map(|known| super::kept(&known.photo)));
    }
    let count = i32::try_from(all.len()).unwrap_or(i32::MAX);
    let limit = usize::try_from(request.limit).unwrap_or(0);
    let limit = if limit == 0 { PAGE_MAX } else { limit.min(PAGE_MAX) };
    let page = place(&all, request.offset, request.max_id);
    let photos: Vec<enums::Photo> = all
        .drain(..)
        .skip(page)
        .take(limit)
        .map(|photo| render::reference::photo(&cx.world, photo).into())
        .collect();
    let users = vec![render::user(&mut cx.world, me, user).await?];
    Ok(if i32::try_from(photos.len()) == Ok(count) {
        types::photos::Photos { photos, users }.into()
    } else {
        types::photos::PhotosSlice { count, photos, users }.into()
    })
}

/// Where the page begins: `offset` from the newest, or from the photo `max_id` where that is given.
fn place(all: &[types::Photo], offset: i32, max_id: i64) -> usize {
    let from = match max_id {
        0 => 0,
        id => all.iter().position(|photo| photo.id == id).unwrap_or(all.len()),
    };
    if offset < 0 {
        from.saturating_sub(usize::try_from(offset.unsigned_abs()).unwrap_or(0))
    } else {
        from.saturating_add(usize::try_from(offset).unwrap_or(0))
    }
}
