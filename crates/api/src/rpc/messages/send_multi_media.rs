//! `messages.sendMultiMedia`: an album: photos and videos, or files, or music, that belong together.

use havre_domain::ids::{Peer, RandomId};
use havre_domain::limits::ALBUM_MAX;
use havre_tl::{enums, functions, types};

use super::sending::{self, Outgoing};
use crate::content::{media, text};
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. All of it is sent or nothing.
///
/// # Errors
/// `400 MEDIA_EMPTY`, `400 MULTI_MEDIA_TOO_LONG`, `400 MEDIA_INVALID` for what does not go together,
/// `400 FILE_REFERENCE_n_EXPIRED` and its kin for item n, counted from 0, and as `messages.sendMedia`.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::SendMultiMedia,
) -> Result<enums::Updates, Error> {
    let peer = cx.input_peer(&request.peer).await?;
    let audience = sending::audience(cx, peer).await?;
    if request.schedule_date.is_some() {
        return Err(RpcError::INPUT_METHOD_INVALID.into());
    }
    match request.multi_media.len() {
        0 => return Err(RpcError::MEDIA_EMPTY.into()),
        n if n > ALBUM_MAX => return Err(RpcError::MULTI_MEDIA_TOO_LONG.into()),
        _ => {}
    }
    let mut items = Vec::with_capacity(request.multi_media.len());
    for (n, enums::InputSingleMedia::InputSingleMedia(item)) in request.multi_media.iter().enumerate() {
        let item = outgoing(cx, peer, &request, item).await;
        items.push(item.map_err(|error| of_item(error, n))?);
    }
    let kinds: Vec<Option<Together>> = items
        .iter()
        .map(|i| i.content.media.as_ref().and_then(together))
        .collect();
    if kinds.iter().any(|kind| kind.is_none() || *kind != kinds[0]) {
        return Err(RpcError::MEDIA_INVALID.into());
    }
    for item in &items {
        if let Some(media) = &item.content.media {
            sending::may_send_media(cx, peer, media).await?;
        }
    }
    if items.len() > 1 {
        let grouped_id = Some(cx.world.random_i64());
        items
            .iter_mut()
            .for_each(|item| item.content.grouped_id = grouped_id);
    }
    if request.clear_draft {
        sending::clear_draft(cx, peer).await?;
    }
    sending::send(cx, &audience, items).await
}

fn of_item(error: Error, n: usize) -> Error {
    match error {
        Error::Rpc(error) => Error::Rpc(error.of_item(n)),
        fault @ Error::Fault(_) => fault,
    }
}

async fn outgoing(
    cx: &mut Cx,
    peer: Peer,
    request: &functions::messages::SendMultiMedia,
    item: &types::InputSingleMedia,
) -> Result<Outgoing, Error> {
    if item.random_id == 0 {
        return Err(RpcError::RANDOM_ID_EMPTY.into());
    }
    let caption = text::of_caption(cx, &item.message, item.entities.clone()).await?;
    let media = media::of_input(cx, peer, &item.media).await?;
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
    Ok(Outgoing {
        random_id: RandomId(item.random_id),
        reply: sending::reply_of(request.reply_to.as_ref()),
        content,
        media_unread,
    })
}

/// What may stand in one album.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Together {
    /// Photos and videos.
    Pictures,
    /// Files.
    Files,
    /// Music.
    Music,
}

fn together(media: &enums::MessageMedia) -> Option<Together> {
    use enums::DocumentAttribute as A;
    match media {
        enums::MessageMedia::MessageMediaPhoto(_) => Some(Together::Pictures),
        enums::MessageMedia::MessageMediaDocument(m) if m.voice || m.round => None,
        enums::MessageMedia::MessageMediaDocument(m) if m.video => Some(Together::Pictures),
        enums::MessageMedia::MessageMediaDocument(m) => {
            let Some(enums::Document::Document(document)) = &m.document else {
                return None;
            };
            let music = |a: &A| matches!(a, A::DocumentAttributeAudio(_));
            let alone = |a: &A| matches!(a, A::DocumentAttributeSticker(_) | A::DocumentAttributeAnimated);
            if document.attributes.iter().any(alone) {
                return None;
            }
            let music = document.attributes.iter().any(music);
            Some(if music { Together::Music } else { Together::Files })
        }
        _ => None,
    }
}
