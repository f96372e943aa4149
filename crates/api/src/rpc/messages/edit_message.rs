//! `messages.editMessage`: a new text or caption for a message of one's own.

use havre_domain::ids::{MessageId, Peer};
use havre_domain::keys::partition;
use havre_domain::limits::EDIT_TIME_LIMIT;
use havre_domain::messages;
use havre_domain::outbox::Effect;
use havre_tl::{Serialize as _, enums, functions};

use super::sending;
use crate::content::text;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::render;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 MESSAGE_ID_INVALID`, `403 MESSAGE_AUTHOR_REQUIRED`, `400 MESSAGE_EDIT_TIME_EXPIRED`,
/// `400 MESSAGE_NOT_MODIFIED`, `400 MESSAGE_EMPTY`, `400 MESSAGE_TOO_LONG`, `420 FLOOD_WAIT_n`.
pub async fn call(cx: &mut Cx, request: functions::messages::EditMessage) -> Result<enums::Updates, Error> {
    let peer = cx.input_peer(&request.peer).await?;
    let (id, now) = (MessageId(request.id), cx.world.now);
    let stored = messages::find_in(cx.view_own()?, peer, id)
        .await?
        .ok_or(RpcError::MESSAGE_ID_INVALID)?;
    if !stored.out {
        return Err(RpcError::MESSAGE_AUTHOR_REQUIRED.into());
    }
    let saved = peer == Peer::User(cx.me()?);
    if !saved && now.0 - i64::from(stored.date) > EDIT_TIME_LIMIT {
        return Err(RpcError::MESSAGE_EDIT_TIME_EXPIRED.into());
    }
    let enums::Message::Message(mut content) = render::content_of(&stored) else {
        return Err(RpcError::MESSAGE_ID_INVALID.into());
    };
    if request.media.is_some() {
        return Err(RpcError::MEDIA_NEW_INVALID.into());
    }
    let text = match (&request.message, content.media.is_some()) {
        (Some(message), true) => text::of_caption(cx, message, request.entities).await?,
        (Some(message), false) => text::of_message(cx, message, request.entities).await?,
        (None, _) => return Err(RpcError::MESSAGE_NOT_MODIFIED.into()),
    };
    if text.text.is_empty() && content.media.is_none() {
        return Err(RpcError::MESSAGE_EMPTY.into());
    }
    if (&text.text, &text.entities) == (&content.message, &content.entities) {
        return Err(RpcError::MESSAGE_NOT_MODIFIED.into());
    }
    (content.message, content.entities) = (text.text, text.entities);
    let content = enums::Message::Message(content).to_bytes();
    let others = sending::audience(cx, peer).await?.others;
    let before = cx.cursor().await?;
    sending::spend_send(cx).await?;
    let (origin, edit_date) = (stored.origin, Some(now.date()));
    let tx = cx.own()?;
    for (user, _) in others {
        tx.send(
            partition::user(user),
            &Effect::Edited {
                origin,
                content: content.clone(),
                edit_date,
            },
        );
    }
    messages::edit(tx, now, (peer, id), stored, content, edit_date).await?;
    Ok(cx.updates_since(before).await?.into())
}
