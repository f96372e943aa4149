//! `messages.editChatPhoto`: gives a basic group a photo, uploaded for it or one of the asker's own, or takes it
//! away.

use havre_domain::ids::ChatId;
use havre_domain::keys;
use havre_domain::limits::PHOTOS_MAX;
use havre_domain::users::Photo;
use havre_store::Order;
use havre_tl::{Deserialize as _, Serialize as _, enums, functions, types};

use super::groups;
use crate::content::photo;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 CHAT_ID_INVALID`, `400 CHAT_ADMIN_REQUIRED`, `400 PHOTO_INVALID`, `400 CHAT_NOT_MODIFIED`, and what the
/// upload says.
pub async fn call(cx: &mut Cx, request: functions::messages::EditChatPhoto) -> Result<enums::Updates, Error> {
    let me = cx.me()?;
    let before = cx.cursor().await?;
    let mut group = groups::group(cx, ChatId(request.chat_id)).await?;
    if !group.may_change_info(me) {
        return Err(RpcError::CHAT_ADMIN_REQUIRED.into());
    }
    let photo = chosen(cx, &request.photo).await?;
    let stored = photo.as_ref().map(enums::Photo::to_bytes);
    if stored == group.chat.photo {
        return Err(RpcError::CHAT_NOT_MODIFIED.into());
    }
    group.chat.photo = stored;
    let action = match photo {
        Some(photo) => types::MessageActionChatEditPhoto { photo }.into(),
        None => enums::MessageAction::MessageActionChatDeletePhoto,
    };
    let told = group.people();
    Ok(groups::publish(cx, group, action, &told, before).await?.into())
}

/// The photo that the asker chose: an upload, one of their own, or none.
async fn chosen(cx: &mut Cx, input: &enums::InputChatPhoto) -> Result<Option<enums::Photo>, Error> {
    let wanted = match input {
        enums::InputChatPhoto::InputChatPhotoEmpty => return Ok(None),
        enums::InputChatPhoto::InputChatUploadedPhoto(types::InputChatUploadedPhoto {
            file: Some(file),
            ..
        }) => return Ok(Some(photo::of_profile(cx, file).await?.into())),
        enums::InputChatPhoto::InputChatPhoto(types::InputChatPhoto {
            id: enums::InputPhoto::InputPhoto(photo),
        }) => photo,
        _ => return Err(RpcError::PHOTO_INVALID.into()),
    };
    let own = cx
        .view_own()?
        .records::<Photo>(&keys::photos(), Order::Descending, PHOTOS_MAX)
        .await?;
    let is_wanted = |p: &enums::Photo| {
        matches!(p, enums::Photo::Photo(p)
        if p.id == wanted.id && p.access_hash == wanted.access_hash)
    };
    let found = own
        .iter()
        .filter_map(|(_, p)| enums::Photo::from_bytes(&p.photo).ok())
        .find(is_wanted);
    found.map(Some).ok_or(RpcError::PHOTO_INVALID.into())
}
