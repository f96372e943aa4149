//! `messages.getMessages`: messages by id, in the order asked; `messageEmpty` for those that are not there.

use havre_domain::ids::MessageId;
use havre_domain::limits::IDS_MAX;
use havre_domain::messages;
use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::render::{self, Named};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 LIMIT_INVALID` for too many at once.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::GetMessages,
) -> Result<enums::messages::Messages, Error> {
    let me = cx.me()?;
    if request.id.len() > IDS_MAX {
        return Err(RpcError::LIMIT_INVALID.into());
    }
    let mut named = Named::default();
    let mut found = Vec::with_capacity(request.id.len());
    for input in &request.id {
        found.push(one(cx, input, &mut named).await?);
    }
    let (users, chats) = named.load(&mut cx.world, me).await?;
    Ok(types::messages::Messages {
        messages: found,
        chats,
        users,
        ..Default::default()
    }
    .into())
}

async fn one(cx: &mut Cx, input: &enums::InputMessage, named: &mut Named) -> Result<enums::Message, Error> {
    let tx = cx.view_own()?;
    let id = match input {
        enums::InputMessage::InputMessageID(input) => MessageId(input.id),
        enums::InputMessage::InputMessageReplyTo(input) => {
            let asked = messages::find(tx, MessageId(input.id)).await?;
            asked.and_then(|(_, message)| message.reply).unwrap_or_default()
        }
        _ => MessageId(0),
    };
    Ok(match messages::find(tx, id).await? {
        Some((peer, message)) => render::message(&cx.world, peer, id, &message, named),
        None => render::message_empty(id),
    })
}
