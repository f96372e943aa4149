//! `channels.joinChannel`: into a public channel, or back into one that the asker made.

use havre_domain::channel_members::{self, Standing};
use havre_domain::ids::{ChannelId, UserId};
use havre_domain::limits::CHANNELS_MAX;
use havre_tl::{enums, functions, types};

use super::answers;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 CHANNEL_INVALID`, `406 CHANNEL_PRIVATE`, `400 USER_ALREADY_PARTICIPANT`, `400 CHANNELS_TOO_MUCH`,
/// `420 FLOOD_WAIT_n`.
pub async fn call(
    cx: &mut Cx,
    request: functions::channels::JoinChannel,
) -> Result<enums::messages::ChatInviteJoinResult, Error> {
    let (me, now) = (cx.me()?, cx.world.now);
    let id = cx.input_channel(&request.channel).await?;
    let standing = cx.standing(id).await?.ok_or(RpcError::CHANNEL_INVALID)?;
    if !standing.may_read(now) && !standing.is_creator() {
        return Err(RpcError::CHANNEL_PRIVATE.into());
    }
    let action = types::MessageActionChatAddUser { users: vec![me.0] };
    let updates = join(cx, id, standing, me, action.into()).await?;
    Ok(types::messages::ChatInviteJoinResultOk {
        updates: updates.into(),
    }
    .into())
}

/// Takes the asker in, brought by `inviter`, which a supergroup tells by `action`.
///
/// # Errors
/// As for [`call`].
pub async fn join(
    cx: &mut Cx,
    id: ChannelId,
    standing: Standing,
    inviter: UserId,
    action: enums::MessageAction,
) -> Result<types::Updates, Error> {
    let (me, now) = (cx.me()?, cx.world.now);
    if standing.is_present() {
        return Err(RpcError::USER_ALREADY_PARTICIPANT.into());
    }
    if channel_members::joined(cx.view_own()?).await?.len() >= CHANNELS_MAX {
        return Err(RpcError::CHANNELS_TOO_MUCH.into());
    }
    let deed = answers::begin(cx, id, standing).await?;
    let tx = answers::tx(cx, id)?;
    channel_members::admit(tx, now, id, me, inviter).await?;
    answers::announce_people(cx, &deed, action).await?;
    answers::answer(cx, &deed).await
}
