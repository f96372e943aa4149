//! `messages.editMessage`: a new text or caption for a message of one's own.

use havre_domain::ids::{ChannelId, MessageId, Peer};
use havre_domain::keys::partition;
use havre_domain::limits::EDIT_TIME_LIMIT;
use havre_domain::messages::{self, Message};
use havre_domain::outbox::Effect;
use havre_tl::{Serialize as _, enums, functions};

use super::{posting, sending};
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
    let stored = messages::find_in(cx.view_box(peer)?, peer, id)
        .await?
        .ok_or(RpcError::MESSAGE_ID_INVALID)?;
    may_edit(cx, peer, &stored).await?;
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
    if let Peer::Channel(channel) = peer {
        return in_channel(cx, channel, id, stored, content).await;
    }
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

/// Whether the asker may edit a message now: their own for some time, and posts of a channel with the right to it.
async fn may_edit(cx: &mut Cx, peer: Peer, stored: &Message) -> Result<(), Error> {
    let (me, now) = (cx.me()?, cx.world.now);
    if let Peer::Channel(channel) = peer {
        let standing = cx.readable(channel).await?;
        let is_editor = standing.admin().is_some_and(|rights| rights.edit_messages);
        if is_editor && !standing.channel.megagroup {
            return Ok(());
        }
    }
    if stored.from != me {
        return Err(RpcError::MESSAGE_AUTHOR_REQUIRED.into());
    }
    let saved = peer == Peer::User(me);
    if !saved && now.0 - i64::from(stored.date) > EDIT_TIME_LIMIT {
        return Err(RpcError::MESSAGE_EDIT_TIME_EXPIRED.into());
    }
    Ok(())
}

async fn in_channel(
    cx: &mut Cx,
    channel: ChannelId,
    id: MessageId,
    stored: Message,
    content: Vec<u8>,
) -> Result<enums::Updates, Error> {
    let (now, peer) = (cx.world.now, Peer::Channel(channel));
    posting::may_post(cx, channel).await?;
    let before = cx.channel_cursor(channel).await?;
    posting::spend_send(cx, channel).await?;
    let tx = cx.world.subject(partition::channel(channel))?;
    messages::edit(tx, now, (peer, id), stored, content, Some(now.date())).await?;
    Ok(cx.channel_updates_since(channel, before).await?.into())
}
