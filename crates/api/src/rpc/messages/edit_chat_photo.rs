//! `messages.editChatPhoto`: gives a basic group a photo, uploaded for it or one of the asker's own, or takes it
//! away.

use havre_domain::ids::ChatId;
use havre_tl::{Serialize as _, enums, functions, types};

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

/// The photo that the asker chose: a new one, one of theirs, or none. Videos are not built.
///
/// # Errors
/// `400 PHOTO_INVALID`, and what the upload says.
pub async fn chosen(cx: &mut Cx, input: &enums::InputChatPhoto) -> Result<Option<enums::Photo>, Error> {
    let photo = match input {
        enums::InputChatPhoto::InputChatPhotoEmpty => return Ok(None),
        enums::InputChatPhoto::InputChatPhoto(chosen) => photo::named(cx, &chosen.id).await?,
        enums::InputChatPhoto::InputChatUploadedPhoto(uploaded) => match &uploaded.file {
            Some(file) => photo::of_profile(cx, file).await?,
            None => return Err(RpcError::PHOTO_INVALID.into()),
        },
    };
    // Photos of messages are made in other sizes than what a group is shown by.
    let shown = |size: &enums::PhotoSize| matches!(size, enums::PhotoSize::PhotoSize(s) if s.r#type == "a");
    if !photo.sizes.iter().any(shown) {
        return Err(RpcError::PHOTO_INVALID.into());
    }
    Ok(Some(photo.into()))
}
