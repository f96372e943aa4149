//! `messages.getChats`: basic groups, in the order asked; `chatEmpty` for those that the asker does not know.

use havre_domain::ids::ChatId;
use havre_domain::limits::IDS_MAX;
use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::render;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 LIMIT_INVALID` for too many at once.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::GetChats,
) -> Result<enums::messages::Chats, Error> {
    let me = cx.me()?;
    if request.id.len() > IDS_MAX {
        return Err(RpcError::LIMIT_INVALID.into());
    }
    let mut chats = Vec::with_capacity(request.id.len());
    for id in request.id {
        chats.push(match cx.known_chat(ChatId(id)).await {
            Ok(chat) => render::chat_or_forbidden(&mut cx.world, me, chat).await?,
            Err(Error::Rpc(_)) => types::ChatEmpty { id }.into(),
            Err(fault) => return Err(fault),
        });
    }
    Ok(types::messages::Chats { chats }.into())
}
