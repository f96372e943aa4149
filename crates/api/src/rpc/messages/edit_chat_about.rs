//! `messages.editChatAbout`: describes a basic group or channel.

use havre_domain::channels;
use havre_domain::ids::{ChannelId, Peer};
use havre_domain::keys::partition;
use havre_domain::limits::ABOUT_LEN_MAX;
use havre_domain::outbox::Effect;
use havre_domain::updates::{self, Event};
use havre_tl::functions;

use super::groups;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 PEER_ID_INVALID`, `400 CHAT_ID_INVALID`, `400 CHAT_ADMIN_REQUIRED`, `400 CHAT_ABOUT_TOO_LONG`,
/// `400 CHAT_ABOUT_NOT_MODIFIED`.
pub async fn call(cx: &mut Cx, request: functions::messages::EditChatAbout) -> Result<bool, Error> {
    let about = request.about.trim().to_owned();
    if about.chars().count() > ABOUT_LEN_MAX {
        return Err(RpcError::CHAT_ABOUT_TOO_LONG.into());
    }
    if let Peer::Channel(id) = groups::peer_of(cx, &request.peer).await? {
        return of_channel(cx, id, about).await;
    }
    let me = cx.me()?;
    let mut group = groups::group(cx, groups::chat_of(&request.peer)?).await?;
    if !group.may_change_info(me) {
        return Err(RpcError::CHAT_ADMIN_REQUIRED.into());
    }
    if about == group.chat.about {
        return Err(RpcError::CHAT_ABOUT_NOT_MODIFIED.into());
    }
    group.chat.about = about;
    let told = group.people();
    let tx = cx.world.subject(partition::chat(group.id))?;
    group.tell(tx, &Effect::ChatChanged(group.id), &told);
    group.save(tx);
    Ok(true)
}

async fn of_channel(cx: &mut Cx, id: ChannelId, about: String) -> Result<bool, Error> {
    let now = cx.world.now;
    let mut standing = cx.readable(id).await?;
    if !standing.may(now, |b| b.change_info, |a| a.change_info) {
        return Err(RpcError::CHAT_ADMIN_REQUIRED.into());
    }
    if about == standing.channel.about {
        return Err(RpcError::CHAT_ABOUT_NOT_MODIFIED.into());
    }
    standing.channel.about = about;
    let tx = cx.world.subject(partition::channel(id))?;
    channels::save(tx, &standing.channel);
    updates::append(tx, now, Event::Channel(id)).await?;
    Ok(true)
}
