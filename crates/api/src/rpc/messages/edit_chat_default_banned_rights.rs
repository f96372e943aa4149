//! `messages.editChatDefaultBannedRights`: what members of a basic group may not do.

use havre_domain::channels;
use havre_domain::chats;
use havre_domain::ids::{ChannelId, Peer};
use havre_domain::keys::partition;
use havre_domain::outbox::Effect;
use havre_domain::updates::{self, Event};
use havre_tl::{Serialize as _, enums, functions, types};

use super::groups;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 PEER_ID_INVALID`, `400 CHAT_ID_INVALID`, `400 CHAT_ADMIN_REQUIRED`, `400 BANNED_RIGHTS_INVALID`,
/// `400 UNTIL_DATE_INVALID`, `400 CHAT_NOT_MODIFIED`.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::EditChatDefaultBannedRights,
) -> Result<enums::Updates, Error> {
    if let Peer::Channel(id) = groups::peer_of(cx, &request.peer).await? {
        return of_channel(cx, id, request.banned_rights).await;
    }
    let before = cx.cursor().await?;
    let mut group = groups::administered(cx, groups::chat_of(&request.peer)?).await?;
    let enums::ChatBannedRights::ChatBannedRights(banned) = request.banned_rights;
    let banned = forever(banned)?;
    if banned == chats::default_banned(&group.chat) {
        return Err(RpcError::CHAT_NOT_MODIFIED.into());
    }
    group.chat.default_banned = Some(enums::ChatBannedRights::ChatBannedRights(banned).to_bytes());
    let (id, told) = (group.id, group.people());
    let tx = cx.world.subject(partition::chat(id))?;
    group.tell(tx, &Effect::ChatRights(id), &told);
    group.save(tx);
    Ok(groups::answer(cx, id, before).await?.into())
}

/// Rights as a group's default: they do not end, and nobody in a group can be kept from seeing it.
fn forever(banned: types::ChatBannedRights) -> Result<types::ChatBannedRights, RpcError> {
    if banned.view_messages {
        return Err(RpcError::BANNED_RIGHTS_INVALID);
    }
    if banned.until_date != 0 && banned.until_date != i32::MAX {
        return Err(RpcError::UNTIL_DATE_INVALID);
    }
    Ok(types::ChatBannedRights {
        until_date: i32::MAX,
        ..banned
    })
}

async fn of_channel(
    cx: &mut Cx,
    id: ChannelId,
    banned: enums::ChatBannedRights,
) -> Result<enums::Updates, Error> {
    let now = cx.world.now;
    let mut standing = cx.readable(id).await?;
    if !standing.channel.megagroup || !standing.admin().is_some_and(|rights| rights.ban_users) {
        return Err(RpcError::CHAT_ADMIN_REQUIRED.into());
    }
    let enums::ChatBannedRights::ChatBannedRights(banned) = banned;
    let banned = Some(channels::kept_banned(forever(banned)?));
    if banned == standing.channel.default_banned {
        return Err(RpcError::CHAT_NOT_MODIFIED.into());
    }
    standing.channel.default_banned = banned;
    let before = cx.channel_cursor(id).await?;
    let tx = cx.world.subject(partition::channel(id))?;
    channels::save(tx, &standing.channel);
    updates::append(tx, now, Event::ChannelRights).await?;
    Ok(cx.channel_updates_since(id, before).await?.into())
}
