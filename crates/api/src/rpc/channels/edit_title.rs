//! `channels.editTitle`: gives a channel another title.

use havre_domain::channels;
use havre_tl::{enums, functions, types};

use super::answers;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::rpc::messages::groups;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 CHANNEL_INVALID`, `406 CHANNEL_PRIVATE`, `400 CHAT_ADMIN_REQUIRED`, `400 CHAT_TITLE_EMPTY`,
/// `400 CHAT_NOT_MODIFIED`, `420 FLOOD_WAIT_n`.
pub async fn call(cx: &mut Cx, request: functions::channels::EditTitle) -> Result<enums::Updates, Error> {
    let now = cx.world.now;
    let title = groups::title(&request.title)?;
    let mut deed = answers::deed(cx, &request.channel).await?;
    if !deed.standing.may(now, |b| b.change_info, |a| a.change_info) {
        return Err(RpcError::CHAT_ADMIN_REQUIRED.into());
    }
    if deed.standing.channel.title == title {
        return Err(RpcError::CHAT_NOT_MODIFIED.into());
    }
    deed.standing.channel.title.clone_from(&title);
    channels::save(answers::tx(cx, deed.id)?, &deed.standing.channel);
    let action = types::MessageActionChatEditTitle { title };
    answers::announce(cx, &deed, action.into()).await?;
    Ok(answers::answer(cx, &deed).await?.into())
}
