//! `messages.editChatAdmin`: makes a member of a basic group an administrator, or the other way.

use havre_domain::ids::ChatId;
use havre_domain::invites;
use havre_domain::keys::partition;
use havre_domain::outbox::Effect;
use havre_tl::functions;

use super::groups;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. Only the creator may do it; saying what is so already is no error.
///
/// # Errors
/// `400 CHAT_ID_INVALID`, `400 CHAT_ADMIN_REQUIRED`, `400 USER_ID_INVALID`, `400 USER_NOT_PARTICIPANT`.
pub async fn call(cx: &mut Cx, request: functions::messages::EditChatAdmin) -> Result<bool, Error> {
    let me = cx.me()?;
    let user = cx.input_user(&request.user_id).await?;
    let mut group = groups::group(cx, ChatId(request.chat_id)).await?;
    if group.chat.creator != me {
        return Err(RpcError::CHAT_ADMIN_REQUIRED.into());
    }
    if group.member(user).is_none() {
        return Err(RpcError::USER_NOT_PARTICIPANT.into());
    }
    if user == me {
        return Err(RpcError::USER_ID_INVALID.into());
    }
    let tx = cx.world.subject(partition::chat(group.id))?;
    if group.appoint(tx, user, request.is_admin) {
        if !request.is_admin {
            invites::revoke_all(tx, user).await?;
        }
        group.tell(tx, &Effect::ChatChanged(group.id), &group.people());
        group.save(tx);
    }
    Ok(true)
}
