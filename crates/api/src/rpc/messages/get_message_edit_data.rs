//! `messages.getMessageEditData`: whether a message may be edited, and whether its text is a caption.

use havre_domain::ids::MessageId;
use havre_domain::messages;
use havre_tl::{enums, functions, types};

use super::dialog_rows::seen_in;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::render;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 MESSAGE_ID_INVALID`, `403 MESSAGE_AUTHOR_REQUIRED`.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::GetMessageEditData,
) -> Result<enums::messages::MessageEditData, Error> {
    let peer = cx.input_peer(&request.peer).await?;
    let me = cx.me()?;
    let stored = messages::find_in(cx.view_box(peer)?, peer, MessageId(request.id)).await?;
    let stored = seen_in(peer, stored.ok_or(RpcError::MESSAGE_ID_INVALID)?, me);
    match render::content_of(&stored) {
        _ if !stored.out => Err(RpcError::MESSAGE_AUTHOR_REQUIRED.into()),
        enums::Message::Message(m) => Ok(types::messages::MessageEditData {
            caption: m.media.is_some(),
        }
        .into()),
        _ => Err(RpcError::MESSAGE_ID_INVALID.into()),
    }
}
