//! `messages.editChatTitle`: renames a basic group.

use havre_domain::ids::ChatId;
use havre_tl::{enums, functions, types};

use super::groups;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 CHAT_ID_INVALID`, `400 CHAT_ADMIN_REQUIRED`, `400 CHAT_TITLE_EMPTY`, `400 CHAT_NOT_MODIFIED`.
pub async fn call(cx: &mut Cx, request: functions::messages::EditChatTitle) -> Result<enums::Updates, Error> {
    let me = cx.me()?;
    let before = cx.cursor().await?;
    let mut group = groups::group(cx, ChatId(request.chat_id)).await?;
    if !group.may_change_info(me) {
        return Err(RpcError::CHAT_ADMIN_REQUIRED.into());
    }
    let title = groups::title(&request.title)?;
    if title == group.chat.title {
        return Err(RpcError::CHAT_NOT_MODIFIED.into());
    }
    group.chat.title.clone_from(&title);
    let told = group.people();
    let action = types::MessageActionChatEditTitle { title };
    let updates = groups::publish(cx, group, action.into(), &told, before).await?;
    Ok(updates.into())
}
