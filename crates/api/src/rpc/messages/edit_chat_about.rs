//! `messages.editChatAbout`: describes a basic group.

use havre_domain::keys::partition;
use havre_domain::limits::ABOUT_LEN_MAX;
use havre_domain::outbox::Effect;
use havre_tl::functions;

use super::groups;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 PEER_ID_INVALID`, `400 CHAT_ID_INVALID`, `400 CHAT_ADMIN_REQUIRED`, `400 CHAT_ABOUT_TOO_LONG`,
/// `400 CHAT_ABOUT_NOT_MODIFIED`.
pub async fn call(cx: &mut Cx, request: functions::messages::EditChatAbout) -> Result<bool, Error> {
    let me = cx.me()?;
    let mut group = groups::group(cx, groups::chat_of(&request.peer)?).await?;
    if !group.may_change_info(me) {
        return Err(RpcError::CHAT_ADMIN_REQUIRED.into());
    }
    let about = request.about.trim().to_owned();
    if about.chars().count() > ABOUT_LEN_MAX {
        return Err(RpcError::CHAT_ABOUT_TOO_LONG.into());
    }
    if about == group.chat.about {
        return Err(RpcError::CHAT_ABOUT_NOT_MODIFIED.into());
    }
    group.chat.about = about;
    let told = group.people();
    let tx = cx.world.subject(partition::chat(group.id))?;
    group.tell(tx, &Effect::ChatChanged(group.id), &told);
    group.save(tx);
    Ok(true)
}
