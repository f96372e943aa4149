//! `messages.forwardMessages`: messages once more, elsewhere, under their author's name if they let it.

use std::collections::BTreeMap;

use havre_domain::ids::{MessageId, Peer, RandomId, UserId};
use havre_domain::limits::IDS_MAX;
use havre_domain::messages::{self, Message};
use havre_domain::{privacy, users};
use havre_tl::{enums, functions, types};

use super::sending::{self, Outgoing};
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::render;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 MESSAGE_IDS_EMPTY`, `400 RANDOM_ID_INVALID` unless there is one for each message,
/// `400 MESSAGE_ID_INVALID`, `400 CHAT_FORWARDS_RESTRICTED`, `403 CHAT_WRITE_FORBIDDEN`.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::ForwardMessages,
) -> Result<enums::Updates, Error> {
    if request.id.is_empty() {
        return Err(RpcError::MESSAGE_IDS_EMPTY.into());
    }
    if request.id.len() > IDS_MAX || request.id.len() != request.random_id.len() {
        return Err(RpcError::RANDOM_ID_INVALID.into());
    }
    if request.schedule_date.is_some() {
        return Err(RpcError::INPUT_METHOD_INVALID.into());
    }
    let from = cx.input_peer(&request.from_peer).await?;
    let to = cx.input_peer(&request.to_peer).await?;
    let audience = sending::audience(cx, to).await?;
    let mut albums = Albums::default();
    let mut outgoing = Vec::with_capacity(request.id.len());
    for (id, random_id) in request.id.iter().zip(&request.random_id) {
        let known = sending::sent_before(cx, to, RandomId(*random_id)).await?;
        let id = MessageId(*id);
        let Some(stored) = messages::find_in(cx.view_box(from)?, from, id).await? else {
            // Sent before and gone since: the repeated call is answered with what it made.
            if known {
                outgoing.push(copy(types::Message::default(), *random_id));
                continue;
            }
            return Err(RpcError::MESSAGE_ID_INVALID.into());
        };
        let content = forwarded(cx, (from, id), to, &stored, &request, &mut albums).await?;
        outgoing.push(copy(content, *random_id));
    }
    sending::send(cx, &audience, outgoing).await
}

/// New ids for albums, so that copies of one album are one album.
#[derive(Default)]
struct Albums(BTreeMap<i64, i64>);

fn copy(content: types::Message, random_id: i64) -> Outgoing {
    Outgoing {
        random_id: RandomId(random_id),
        reply: None,
        content,
        media_unread: false,
    }
}

async fn forwarded(
    cx: &mut Cx,
    (from, id): (Peer, MessageId),
    to: Peer,
    stored: &Message,
    request: &functions::messages::ForwardMessages,
    albums: &mut Albums,
) -> Result<types::Message, Error> {
    let enums::Message::Message(original) = render::content_of(stored) else {
        return Err(RpcError::MESSAGE_ID_INVALID.into());
    };
    if original.noforwards {
        return Err(RpcError::CHAT_FORWARDS_RESTRICTED.into());
    }
    let fwd_from = match (request.drop_author, &original.fwd_from) {
        (true, _) => None,
        // What was forwarded before keeps its first author.
        (false, Some(header)) => Some(header.clone()),
        (false, None) => Some(header(cx, (from, id), original.post, stored).await?),
    };
    let saved = to == Peer::User(cx.me()?);
    let fwd_from = fwd_from.map(|header| {
        if saved {
            saved_from(header, from, id)
        } else {
            header
        }
    });
    let grouped_id = original
        .grouped_id
        .map(|old| *albums.0.entry(old).or_insert_with(|| cx.world.random_i64()));
    let captions = !(request.drop_media_captions && original.media.is_some());
    Ok(types::Message {
        silent: request.silent,
        noforwards: request.noforwards,
        fwd_from,
        grouped_id,
        message: if captions { original.message } else { String::new() },
        entities: original.entities.filter(|_| captions),
        media: original.media,
        invert_media: original.invert_media,
        ..Default::default()
    })
}

/// Who wrote it: by id when their privacy lets forwards lead to them, by name otherwise.
/// A post is the channel's.
async fn header(
    cx: &mut Cx,
    (from, id): (Peer, MessageId),
    is_post: bool,
    stored: &Message,
) -> Result<enums::MessageFwdHeader, Error> {
    let me = cx.me()?;
    let mut header = types::MessageFwdHeader {
        date: stored.date,
        ..Default::default()
    };
    if is_post {
        header.from_id = Some(render::peer(from));
        header.channel_post = Some(id.0);
    } else if privacy::allows(&mut cx.world, stored.from, privacy::FORWARDS, me).await? {
        header.from_id = Some(render::peer(Peer::User(stored.from)));
    } else {
        header.from_name = Some(name(cx, stored.from).await?);
    }
    Ok(header.into())
}

async fn name(cx: &mut Cx, user: UserId) -> Result<String, Error> {
    let profile = users::profile(cx.world.view_user(user))
        .await?
        .unwrap_or_default();
    Ok(format!("{} {}", profile.first_name, profile.last_name)
        .trim()
        .to_owned())
}

/// In "saved messages" the header also leads back to where it was found.
fn saved_from(
    header: enums::MessageFwdHeader,
    from: Peer,
    MessageId(id): MessageId,
) -> enums::MessageFwdHeader {
    let enums::MessageFwdHeader::MessageFwdHeader(mut header) = header;
    header.saved_from_peer = Some(render::peer(from));
    header.saved_from_msg_id = Some(id);
    header.into()
}
