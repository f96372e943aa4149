//! What all deeds in basic groups share: the group with the asker in it, names and people as they may be,
//! and the answer.

use havre_domain::chats::Group;
use havre_domain::ids::{ChatId, Peer, UserId};
use havre_domain::keys::partition;
use havre_domain::limits::TITLE_LEN_MAX;
use havre_domain::outbox::Effect;
use havre_domain::updates::Cursor;
use havre_domain::{contacts, flood, privacy, users};
use havre_tl::{enums, types};

use crate::cx::Cx;
use crate::error::{Error, RpcError};
use crate::render;

/// A group that the asker is in, to change.
///
/// # Errors
/// `400 CHAT_ID_INVALID` when there is none or the asker is not in it.
pub async fn group(cx: &mut Cx, id: ChatId) -> Result<Group, Error> {
    let me = cx.me()?;
    let group = Group::load(cx.world.subject(partition::chat(id))?, id).await?;
    group
        .filter(|g| g.member(me).is_some() && !g.chat.deactivated)
        .ok_or(RpcError::CHAT_ID_INVALID.into())
}

/// A group that the asker administers, to change.
///
/// # Errors
/// As for [`group`], and `400 CHAT_ADMIN_REQUIRED`.
pub async fn administered(cx: &mut Cx, id: ChatId) -> Result<Group, Error> {
    let me = cx.me()?;
    let group = group(cx, id).await?;
    if !group.is_admin(me) {
        return Err(RpcError::CHAT_ADMIN_REQUIRED.into());
    }
    Ok(group)
}

/// The group that an `InputPeer` names.
///
/// # Errors
/// `400 PEER_ID_INVALID` for anything else.
pub fn chat_of(peer: &enums::InputPeer) -> Result<ChatId, RpcError> {
    match peer {
        enums::InputPeer::InputPeerChat(chat) => Ok(ChatId(chat.chat_id)),
        _ => Err(RpcError::PEER_ID_INVALID),
    }
}

/// The group or channel that an `InputPeer` names.
///
/// # Errors
/// `400 PEER_ID_INVALID` for anything else, `400 CHANNEL_INVALID`, `406 CHANNEL_PRIVATE`.
pub async fn peer_of(cx: &mut Cx, peer: &enums::InputPeer) -> Result<Peer, Error> {
    match peer {
        enums::InputPeer::InputPeerChannel(_) => cx.input_peer(peer).await,
        peer => Ok(Peer::Chat(chat_of(peer)?)),
    }
}

/// A title as it is kept: trimmed, control characters left out, cut to its longest.
///
/// # Errors
/// `400 CHAT_TITLE_EMPTY`.
pub fn title(wanted: &str) -> Result<String, RpcError> {
    let title: String = wanted
        .trim()
        .chars()
        .filter(|c| !c.is_control())
        .take(TITLE_LEN_MAX)
        .collect();
    if title.is_empty() {
        return Err(RpcError::CHAT_TITLE_EMPTY);
    }
    Ok(title)
}

/// A person whom the asker names, to be added to a group: they exist and are no service.
///
/// # Errors
/// `400 USER_ID_INVALID`, `400 INPUT_USER_DEACTIVATED`.
pub async fn addable(cx: &mut Cx, input: &enums::InputUser) -> Result<UserId, Error> {
    let user = cx.input_user(input).await?;
    match users::profile(cx.world.view_user(user)).await? {
        None => Err(RpcError::USER_ID_INVALID.into()),
        Some(profile) if profile.deleted => Err(RpcError::INPUT_USER_DEACTIVATED.into()),
        Some(_) => Ok(user),
    }
}

/// Whether somebody lets the asker add them to groups.
///
/// # Errors
/// [`Error`].
pub async fn lets_be_added(cx: &mut Cx, user: UserId) -> Result<bool, Error> {
    let me = cx.me()?;
    if contacts::is_blocked(cx.world.view_user(user), me).await? {
        return Ok(false);
    }
    Ok(privacy::allows(&mut cx.world, user, privacy::CHAT_INVITE, me).await?)
}

/// Somebody who was not added because of their privacy settings.
#[must_use]
pub fn missing(user: UserId) -> enums::MissingInvitee {
    types::MissingInvitee {
        user_id: user.0,
        ..types::MissingInvitee::default()
    }
    .into()
}

/// Tells `told` that the group changed, then by a service message how; commits, and answers with what
/// that did to the asker's box since `before`.
///
/// # Errors
/// `420 FLOOD_WAIT_n`, and [`Error`].
pub async fn publish(
    cx: &mut Cx,
    mut group: Group,
    action: enums::MessageAction,
    told: &[UserId],
    before: Cursor,
) -> Result<types::Updates, Error> {
    let (me, now, id) = (cx.me()?, cx.world.now, group.id);
    let tx = cx.world.subject(partition::chat(id))?;
    flood::spend(tx, now, flood::GROUP_CHANGES, 1)
        .await?
        .map_err(RpcError::from)?;
    group.tell(tx, &Effect::ChatChanged(id), told);
    group.announce(tx, me, now, action, told);
    group.save(tx);
    answer(cx, id, before).await
}

/// Commits, and answers with what happened in the asker's box since `before`. The group is always among
/// the chats, even when its news is still on the way.
///
/// # Errors
/// [`Error`].
pub async fn answer(cx: &mut Cx, id: ChatId, before: Cursor) -> Result<types::Updates, Error> {
    let me = cx.me()?;
    cx.settle().await?;
    let mut updates = cx.updates_since(before).await?;
    let names = |chat: &enums::Chat| match chat {
        enums::Chat::Chat(c) => c.id == id.0,
        enums::Chat::ChatForbidden(c) => c.id == id.0,
        _ => false,
    };
    if !updates.chats.iter().any(names) {
        let chat = render::chat_or_forbidden(&mut cx.world, me, id).await?;
        updates.chats.push(chat);
    }
    Ok(updates)
}
