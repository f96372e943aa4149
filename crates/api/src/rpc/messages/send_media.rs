//! `messages.sendMedia`: a photo, a file, a contact or a place, with a caption.

use havre_domain::ids::RandomId;
use havre_tl::{enums, functions, types};

use super::sending::{self, Outgoing};
use crate::content::{media, text};
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 MEDIA_EMPTY`, `400 MEDIA_INVALID`, `400 MEDIA_CAPTION_TOO_LONG`, `400 PEER_ID_INVALID`,
/// `400 RANDOM_ID_EMPTY`, `403 CHAT_WRITE_FORBIDDEN`, `403 CHAT_SEND_MEDIA_FORBIDDEN`, and what the upload says.
pub async fn call(cx: &mut Cx, request: functions::messages::SendMedia) -> Result<enums::Updates, Error> {
    let peer = cx.input_peer(&request.peer).await?;
    let audience = sending::audience(cx, peer).await?;
    let caption = text::of_caption(cx, &request.message, request.entities).await?;
    if request.schedule_date.is_some() {
        return Err(RpcError::INPUT_METHOD_INVALID.into());
    }
    if request.random_id == 0 {
        return Err(RpcError::RANDOM_ID_EMPTY.into());
    }
    let media = media::of_input(cx, peer, &request.media).await?;
    sending::may_send_media(cx, peer, &media).await?;
    if request.clear_draft {
        sending::clear_draft(cx, peer).await?;
    }
    let media_unread = media::is_consumed(&media);
    let content = types::Message {
        silent: request.silent,
        noforwards: request.noforwards,
        invert_media: request.invert_media,
        reply_to: sending::quote_of(request.reply_to.as_ref()),
        message: caption.text,
        entities: caption.entities,
        media: Some(media),
        ..types::Message::default()
    };
    let outgoing = Outgoing {
        random_id: RandomId(request.random_id),
        reply: sending::reply_of(request.reply_to.as_ref()),
        content,
        media_unread,
    };
    sending::send(cx, &audience, vec![outgoing]).await
}
