//! `channels.editAdmin`: appoints an administrator, changes their rights, or takes them away.

use havre_domain::channel_members::{self, Admin, Member, Role, Standing};
use havre_domain::ids::UserId;
use havre_domain::keys::partition;
use havre_domain::limits::{CHANNEL_ADMINS_MAX, RANK_LEN_MAX};
use havre_domain::outbox::Effect;
use havre_tl::{Serialize as _, enums, functions, types};

use super::answers::{self, Deed};
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::rpc::messages::groups;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. Somebody who is not in the channel comes in by it.
///
/// # Errors
/// `400 CHANNEL_INVALID`, `406 CHANNEL_PRIVATE`, `400 CHAT_ADMIN_REQUIRED`, `400 USER_ID_INVALID`,
/// `400 USER_CREATOR`, `400 USER_KICKED`, `400 ADMINS_TOO_MUCH`, `400 ADMIN_RANK_INVALID`,
/// `403 RIGHT_FORBIDDEN`, `403 USER_PRIVACY_RESTRICTED`, `420 FLOOD_WAIT_n`.
pub async fn call(cx: &mut Cx, request: functions::channels::EditAdmin) -> Result<enums::Updates, Error> {
    let me = cx.me()?;
    let deed = answers::admin_deed(cx, &request.channel, |a| a.add_admins).await?;
    let user = groups::addable(cx, &request.user_id).await?;
    let enums::ChatAdminRights::ChatAdminRights(rights) = request.admin_rights;
    if !holds_all(&deed.standing, &rights) {
        return Err(RpcError::RIGHT_FORBIDDEN.into());
    }
    if request
        .rank
        .as_deref()
        .is_some_and(|rank| rank.chars().count() > RANK_LEN_MAX)
    {
        return Err(RpcError::ADMIN_RANK_INVALID.into());
    }
    let appoints = rights != types::ChatAdminRights::default();
    if appoints {
        admit(cx, &deed, user).await?;
    }
    let tx = answers::tx(cx, deed.id)?;
    let Some(member) = channel_members::member(tx, user).await? else {
        return Err(RpcError::USER_NOT_PARTICIPANT.into());
    };
    check(&deed, &member, me)?;
    let is_new = !matches!(member.role, Role::Admin(_));
    if appoints && is_new && channel_members::census(tx).await?.admins >= CHANNEL_ADMINS_MAX {
        return Err(RpcError::ADMINS_TOO_MUCH.into());
    }
    let role = match appoints {
        true => Role::Admin(Admin {
            rights: enums::ChatAdminRights::ChatAdminRights(rights).to_bytes(),
            by: me,
            rank: request.rank.filter(|rank| !rank.is_empty()),
        }),
        false if is_new => member.role.clone(),
        false => Role::Plain,
    };
    channel_members::set(tx, user, Some(Member { role, ..member })).await?;
    tx.send(partition::user(user), &Effect::ChannelChanged(deed.id));
    Ok(answers::answer(cx, &deed).await?.into())
}

/// Takes somebody in who is to be an administrator.
async fn admit(cx: &mut Cx, deed: &Deed, user: UserId) -> Result<(), Error> {
    let (me, now) = (cx.me()?, cx.world.now);
    let known = channel_members::member(answers::tx(cx, deed.id)?, user).await?;
    if known.as_ref().is_some_and(|m| m.present) {
        return Ok(());
    }
    let limits = known.and_then(|m| m.limits(now));
    if limits.is_some_and(|limits| limits.view_messages) {
        return Err(RpcError::USER_KICKED.into());
    }
    if !groups::lets_be_added(cx, user).await? {
        return Err(RpcError::USER_PRIVACY_RESTRICTED.into());
    }
    channel_members::admit(answers::tx(cx, deed.id)?, now, deed.id, user, me).await?;
    let action = types::MessageActionChatAddUser { users: vec![user.0] };
    answers::announce_people(cx, deed, action.into()).await
}

/// Whether the asker may change what somebody may do: the creator everybody's, administrators that of those
/// whom they appointed.
fn check(deed: &Deed, member: &Member, me: UserId) -> Result<(), RpcError> {
    match &member.role {
        Role::Creator(_) => Err(RpcError::USER_CREATOR),
        Role::Admin(admin) if admin.by != me && !deed.standing.is_creator() => {
            Err(RpcError::CHAT_ADMIN_REQUIRED)
        }
        _ => Ok(()),
    }
}

/// Whether the asker has all the rights that they give.
fn holds_all(standing: &Standing, given: &types::ChatAdminRights) -> bool {
    let Some(own) = standing.admin() else { return false };
    if standing.is_creator() {
        return true;
    }
    [
        (given.change_info, own.change_info),
        (given.post_messages, own.post_messages),
        (given.edit_messages, own.edit_messages),
        (given.delete_messages, own.delete_messages),
        (given.ban_users, own.ban_users),
        (given.invite_users, own.invite_users),
        (given.pin_messages, own.pin_messages),
        (given.add_admins, own.add_admins),
        (given.manage_call, own.manage_call),
        (given.anonymous, own.anonymous),
    ]
    .iter()
    .all(|(given, own)| *own || !*given)
}
