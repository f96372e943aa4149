//! `channels.leaveChannel`: out of a channel.

use havre_domain::channel_members;
use havre_tl::{enums, functions, types};

use super::answers;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 CHANNEL_INVALID`, `400 USER_NOT_PARTICIPANT`, `420 FLOOD_WAIT_n`.
pub async fn call(cx: &mut Cx, request: functions::channels::LeaveChannel) -> Result<enums::Updates, Error> {
    let me = cx.me()?;
    let id = cx.input_channel(&request.channel).await?;
    let standing = cx.standing(id).await?.filter(|s| s.is_present());
    let standing = standing.ok_or(RpcError::USER_NOT_PARTICIPANT)?;
    let deed = answers::begin(cx, id, standing).await?;
    let action = types::MessageActionChatDeleteUser { user_id: me.0 };
    answers::announce_people(cx, &deed, action.into()).await?;
    channel_members::dismiss(answers::tx(cx, id)?, id, me).await?;
    Ok(answers::answer_leaving(cx, &deed).await?.into())
}
