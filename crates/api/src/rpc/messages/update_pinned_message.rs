//! `messages.updatePinnedMessage`: a message is pinned or unpinned, for oneself or for everybody.

use havre_domain::channel_messages::{self, Post};
use havre_domain::ids::{ChannelId, MessageId, Peer, RandomId};
use havre_domain::keys::partition;
use havre_domain::messages;
use havre_domain::outbox::{self, Effect};
use havre_tl::{Serialize as _, enums, functions, types};

use super::sending::{self, Audience};
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::render;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 MESSAGE_ID_INVALID`, `400 CHAT_ADMIN_REQUIRED`, `400 CHAT_NOT_MODIFIED`.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::UpdatePinnedMessage,
) -> Result<enums::Updates, Error> {
    let peer = cx.input_peer(&request.peer).await?;
    let (id, now, pinned) = (MessageId(request.id), cx.world.now, !request.unpin);
    let stored = messages::find_in(cx.view_box(peer)?, peer, id)
        .await?
        .ok_or(RpcError::MESSAGE_ID_INVALID)?;
    // A service message has no place for the mark.
    if !matches!(render::content_of(&stored), enums::Message::Message(_)) {
        return Err(RpcError::MESSAGE_ID_INVALID.into());
    }
    if let Peer::Channel(channel) = peer {
        return in_channel(cx, channel, id, pinned).await;
    }
    let audience = sending::audience(cx, peer).await?;
    may_pin(cx, peer).await?;
    let before = cx.cursor().await?;
    let tx = cx.own()?;
    if !outbox::set_pinned(tx, now, id, pinned).await? {
        return Err(RpcError::CHAT_NOT_MODIFIED.into());
    }
    let for_all = !request.pm_oneside || matches!(peer, Peer::Chat(_));
    if for_all {
        for (user, _) in &audience.others {
            tx.send(
                partition::user(*user),
                &Effect::Pinned {
                    origin: stored.origin,
                    pinned,
                },
            );
        }
    }
    if pinned && for_all && !audience.others.is_empty() {
        say_so(cx, &audience, id, request.silent).await?;
    }
    Ok(cx.updates_since(before).await?.into())
}

/// Refuses who may not pin: in a group its rights decide; in a private chat both may.
///
/// # Errors
/// `400 CHAT_ADMIN_REQUIRED`, `400 PEER_ID_INVALID`.
pub(super) async fn may_pin(cx: &mut Cx, peer: Peer) -> Result<(), Error> {
    let me = cx.me()?;
    let Peer::Chat(chat) = peer else { return Ok(()) };
    let tx = cx.world.view(partition::chat(chat));
    let stored = havre_domain::chats::chat(tx)
        .await?
        .ok_or(RpcError::PEER_ID_INVALID)?;
    let admin = havre_domain::chats::member(tx, me)
        .await?
        .is_some_and(|m| m.admin);
    if admin || stored.creator == me || !havre_domain::chats::default_banned(&stored).pin_messages {
        return Ok(());
    }
    Err(RpcError::CHAT_ADMIN_REQUIRED.into())
}

/// The service message that says what was pinned.
async fn say_so(cx: &mut Cx, audience: &Audience, id: MessageId, silent: bool) -> Result<(), Error> {
    let random_id = RandomId(cx.world.random_i64());
    let action = enums::MessageAction::MessageActionPinMessage;
    sending::add_service(cx, audience, random_id, Some(id), action, silent)
        .await
        .map(drop)
}

/// Pins for everybody in a channel, which a supergroup says.
async fn in_channel(
    cx: &mut Cx,
    channel: ChannelId,
    id: MessageId,
    pinned: bool,
) -> Result<enums::Updates, Error> {
    let (me, now) = (cx.me()?, cx.world.now);
    let standing = cx.readable(channel).await?;
    let edits = |a: &types::ChatAdminRights| a.pin_messages || a.edit_messages;
    if !standing.may(now, |b| b.pin_messages, edits) {
        return Err(RpcError::CHAT_ADMIN_REQUIRED.into());
    }
    let before = cx.channel_cursor(channel).await?;
    let tx = cx.world.subject(partition::channel(channel))?;
    if !outbox::set_pinned(tx, now, id, pinned).await? {
        return Err(RpcError::CHAT_NOT_MODIFIED.into());
    }
    if pinned && standing.channel.megagroup {
        let message = types::MessageService {
            action: enums::MessageAction::MessageActionPinMessage,
            ..types::MessageService::default()
        };
        let post = Post {
            random_id: None,
            reply: Some(id),
            content: enums::Message::MessageService(message).to_bytes(),
        };
        channel_messages::post(tx, now, channel, me, post).await?;
    }
    Ok(cx.channel_updates_since(channel, before).await?.into())
}
