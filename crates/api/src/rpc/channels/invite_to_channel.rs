//! `channels.inviteToChannel`: takes people into a channel.

use havre_domain::channel_members;
use havre_domain::ids::UserId;
use havre_domain::limits::{CHANNELS_MAX, INVITED_MAX};
use havre_domain::tx::Tx;
use havre_tl::{enums, functions, types};

use super::answers::{self, Deed};
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::rpc::messages::groups;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. Somebody whose privacy settings forbid it is not taken in and named as missing.
///
/// # Errors
/// `400 CHANNEL_INVALID`, `406 CHANNEL_PRIVATE`, `400 CHAT_ADMIN_REQUIRED`, `400 USERS_TOO_MUCH`,
/// `400 USER_ID_INVALID`, `400 INPUT_USER_DEACTIVATED`, `400 USER_KICKED`, `400 USER_CHANNELS_TOO_MUCH`.
pub async fn call(
    cx: &mut Cx,
    request: functions::channels::InviteToChannel,
) -> Result<enums::messages::InvitedUsers, Error> {
    let (me, now) = (cx.me()?, cx.world.now);
    if request.users.len() > INVITED_MAX {
        return Err(RpcError::USERS_TOO_MUCH.into());
    }
    let deed = answers::deed(cx, &request.channel).await?;
    if !deed.standing.may(now, |b| b.invite_users, |a| a.invite_users) {
        return Err(RpcError::CHAT_ADMIN_REQUIRED.into());
    }
    let (invited, missing) = invitees(cx, &deed, &request.users).await?;
    let mut admitted = Vec::with_capacity(invited.len());
    for user in invited {
        let tx = answers::tx(cx, deed.id)?;
        if channel_members::admit(tx, now, deed.id, user, me).await? {
            admitted.push(user.0);
        }
    }
    if !admitted.is_empty() {
        let action = types::MessageActionChatAddUser { users: admitted };
        answers::announce_people(cx, &deed, action.into()).await?;
    }
    let updates = answers::answer(cx, &deed).await?.into();
    Ok(types::messages::InvitedUsers {
        updates,
        missing_invitees: missing.into_iter().map(groups::missing).collect(),
    }
    .into())
}

/// Who is to come in, and who does not let themselves be brought in.
async fn invitees(
    cx: &mut Cx,
    deed: &Deed,
    inputs: &[enums::InputUser],
) -> Result<(Vec<UserId>, Vec<UserId>), Error> {
    let (mut invited, mut missing) = (Vec::new(), Vec::new());
    for input in inputs {
        let user = groups::addable(cx, input).await?;
        check(cx, deed, user).await?;
        if groups::lets_be_added(cx, user).await? {
            invited.push(user);
        } else {
            missing.push(user);
        }
    }
    Ok((invited, missing))
}

/// Whether somebody can be brought in.
async fn check(cx: &mut Cx, deed: &Deed, user: UserId) -> Result<(), Error> {
    let now = cx.world.now;
    let tx: &mut Tx = answers::tx(cx, deed.id)?;
    let limits = channel_members::member(tx, user)
        .await?
        .and_then(|m| m.limits(now));
    let may_lift = deed.standing.admin().is_some_and(|rights| rights.ban_users);
    if limits.is_some_and(|limits| limits.view_messages) && !may_lift {
        return Err(RpcError::USER_KICKED.into());
    }
    if channel_members::joined(cx.world.view_user(user)).await?.len() >= CHANNELS_MAX {
        return Err(RpcError::USER_CHANNELS_TOO_MUCH.into());
    }
    Ok(())
}
