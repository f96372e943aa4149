//! `messages.deleteChatUser`: takes somebody out of a basic group; oneself is to leave.

use havre_domain::ids::ChatId;
use havre_domain::invites;
use havre_domain::keys::partition;
use havre_domain::outbox::Effect;
use havre_tl::{enums, functions, types};

use super::groups;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 CHAT_ID_INVALID`, `400 USER_ID_INVALID`, `400 USER_NOT_PARTICIPANT`, `400 CHAT_ADMIN_REQUIRED`.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::DeleteChatUser,
) -> Result<enums::Updates, Error> {
    let me = cx.me()?;
    let before = cx.cursor().await?;
    let user = cx.input_user(&request.user_id).await?;
    let mut group = groups::group(cx, ChatId(request.chat_id)).await?;
    if group.member(user).is_none() {
        return Err(RpcError::USER_NOT_PARTICIPANT.into());
    }
    if !group.may_remove(me, user) {
        return Err(RpcError::CHAT_ADMIN_REQUIRED.into());
    }
    // Who leaves or is taken out is told as well.
    let told = group.people();
    let tx = cx.world.subject(partition::chat(group.id))?;
    invites::revoke_all(tx, user).await?;
    group.expel(tx, user);
    if request.revoke_history {
        let purge = Effect::Purge {
            chat: group.id,
            author: user,
        };
        group.tell(tx, &purge, &told);
    }
    let action = types::MessageActionChatDeleteUser { user_id: user.0 };
    let updates = groups::publish(cx, group, action.into(), &told, before).await?;
    Ok(updates.into())
}
