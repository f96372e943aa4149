//! `messages.sendMessage`: a text to a person, to oneself, or to a group.

use havre_domain::ids::{Peer, RandomId, SERVICE_USER};
use havre_tl::{enums, functions, types};

use super::sending::{self, Outgoing};
use super::service;
use crate::content::text;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 MESSAGE_EMPTY`, `400 MESSAGE_TOO_LONG`, `400 PEER_ID_INVALID`, `400 RANDOM_ID_EMPTY`,
/// `403 CHAT_WRITE_FORBIDDEN`.
pub async fn call(cx: &mut Cx, request: functions::messages::SendMessage) -> Result<enums::Updates, Error> {
    let peer = cx.input_peer(&request.peer).await?;
    if peer == Peer::User(SERVICE_USER) {
        return service::ask(cx, RandomId(request.random_id), &request.message).await;
    }
    let audience = sending::audience(cx, peer).await?;
    let text = text::of_message(cx, &request.message, request.entities).await?;
    if text.text.is_empty() {
        return Err(RpcError::MESSAGE_EMPTY.into());
    }
    if request.schedule_date.is_some() {
        return Err(RpcError::INPUT_METHOD_INVALID.into());
    }
    if request.clear_draft {
        sending::clear_draft(cx, peer).await?;
    }
    let content = types::Message {
        silent: request.silent,
        noforwards: request.noforwards,
        invert_media: request.invert_media,
        reply_to: sending::quote_of(request.reply_to.as_ref()),
        message: text.text,
        entities: text.entities,
        ..types::Message::default()
    };
    let reply = sending::reply_of(request.reply_to.as_ref());
    let random_id = RandomId(request.random_id);
    sending::send(
        cx,
        &audience,
        vec![Outgoing {
            random_id,
            reply,
            content,
            media_unread: false,
        }],
    )
    .await
}
