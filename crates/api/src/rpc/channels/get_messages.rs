//! `channels.getMessages`: messages of a channel by id, in the order asked; `messageEmpty` for those that are
//! not there.

use havre_domain::ids::{ChannelId, MessageId, Peer};
use havre_domain::keys::partition;
use havre_domain::limits::IDS_MAX;
use havre_domain::{channel_messages, messages, updates};
use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::render::{self, Named};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 CHANNEL_INVALID`, `406 CHANNEL_PRIVATE`, `400 LIMIT_INVALID` for too many at once.
pub async fn call(
    cx: &mut Cx,
    request: functions::channels::GetMessages,
) -> Result<enums::messages::Messages, Error> {
    let me = cx.me()?;
    if request.id.len() > IDS_MAX {
        return Err(RpcError::LIMIT_INVALID.into());
    }
    let channel = cx.input_channel(&request.channel).await?;
    cx.readable(channel).await?;
    let mut named = Named::default();
    named.channels.insert(channel);
    let mut found = Vec::with_capacity(request.id.len());
    for input in &request.id {
        found.push(one(cx, channel, input, &mut named).await?);
    }
    let pts = updates::counters(cx.world.view(partition::channel(channel)))
        .await?
        .pts
        .0;
    let (users, chats) = named.load(&mut cx.world, me).await?;
    Ok(types::messages::ChannelMessages {
        pts,
        count: i32::try_from(found.len()).unwrap_or(i32::MAX),
        messages: found,
        chats,
        users,
        ..Default::default()
    }
    .into())
}

async fn one(
    cx: &mut Cx,
    channel: ChannelId,
    input: &enums::InputMessage,
    named: &mut Named,
) -> Result<enums::Message, Error> {
    let (me, peer) = (cx.me()?, Peer::Channel(channel));
    let tx = cx.world.view(partition::channel(channel));
    let id = match input {
        enums::InputMessage::InputMessageID(input) => MessageId(input.id),
        enums::InputMessage::InputMessageReplyTo(input) => {
            let asked = messages::find_in(tx, peer, MessageId(input.id)).await?;
            asked.and_then(|message| message.reply).unwrap_or_default()
        }
        enums::InputMessage::InputMessagePinned => {
            havre_domain::dialogs::dialog(tx, peer).await?.pinned_message
        }
        _ => MessageId(0),
    };
    Ok(match messages::find_in(tx, peer, id).await? {
        Some(message) => {
            let seen = channel_messages::seen_by(message, me);
            render::message(&cx.world, peer, id, &seen, named)
        }
        None => render::message_empty(id),
    })
}
