//! `messages.importChatInvite`: joins a basic group by an invite link.

use havre_domain::invites;
use havre_domain::keys::partition;
use havre_domain::limits::CHAT_MEMBERS_MAX;
use havre_tl::{enums, functions, types};

use super::{check_chat_invite::invited, groups};
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 INVITE_HASH_EMPTY`, `400 INVITE_HASH_INVALID`, `400 INVITE_HASH_EXPIRED`,
/// `400 USER_ALREADY_PARTICIPANT`, `400 USERS_TOO_MUCH`.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::ImportChatInvite,
) -> Result<enums::messages::ChatInviteJoinResult, Error> {
    let (me, now) = (cx.me()?, cx.world.now);
    let before = cx.cursor().await?;
    let (mut group, mut link) = invited(cx, &request.hash).await?;
    if group.member(me).is_some() {
        return Err(RpcError::USER_ALREADY_PARTICIPANT.into());
    }
    if !link.is_open(now) {
        return Err(RpcError::INVITE_HASH_EXPIRED.into());
    }
    if group.members.len() >= CHAT_MEMBERS_MAX {
        return Err(RpcError::USERS_TOO_MUCH.into());
    }
    let tx = cx.world.subject(partition::chat(group.id))?;
    link.usage += 1;
    invites::save(tx, &link);
    group.admit(tx, me, link.admin, now);
    let action = types::MessageActionChatJoinedByLink {
        inviter_id: link.admin.0,
    };
    let told = group.people();
    let updates = groups::publish(cx, group, action.into(), &told, before).await?;
    Ok(types::messages::ChatInviteJoinResultOk {
        updates: updates.into(),
    }
    .into())
}
