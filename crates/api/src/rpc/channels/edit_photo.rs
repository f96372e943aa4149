//! `channels.editPhoto`: gives a channel another photo, or none.

use havre_domain::channels;
use havre_tl::{Serialize as _, enums, functions, types};

use super::answers;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::rpc::messages::edit_chat_photo::chosen;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 CHANNEL_INVALID`, `406 CHANNEL_PRIVATE`, `400 CHAT_ADMIN_REQUIRED`, `400 PHOTO_INVALID`,
/// `400 CHAT_NOT_MODIFIED`, `420 FLOOD_WAIT_n`, and what the upload says.
pub async fn call(cx: &mut Cx, request: functions::channels::EditPhoto) -> Result<enums::Updates, Error> {
    let now = cx.world.now;
    let mut deed = answers::deed(cx, &request.channel).await?;
    if !deed.standing.may(now, |b| b.change_info, |a| a.change_info) {
        return Err(RpcError::CHAT_ADMIN_REQUIRED.into());
    }
    let photo = chosen(cx, &request.photo).await?;
    let stored = photo.as_ref().map(enums::Photo::to_bytes);
    if stored == deed.standing.channel.photo {
        return Err(RpcError::CHAT_NOT_MODIFIED.into());
    }
    deed.standing.channel.photo = stored;
    channels::save(answers::tx(cx, deed.id)?, &deed.standing.channel);
    let action = match photo {
        Some(photo) => types::MessageActionChatEditPhoto { photo }.into(),
        None => enums::MessageAction::MessageActionChatDeletePhoto,
    };
    answers::announce(cx, &deed, action).await?;
    Ok(answers::answer(cx, &deed).await?.into())
}
