//! `messages.checkChatInvite`: where an invite link leads, before joining.

use havre_domain::channel_members::{self, Standing};
use havre_domain::chats::Group;
use havre_domain::ids::ChannelId;
use havre_domain::invites::Link;
use havre_domain::keys::partition;
use havre_tl::{enums, functions, types};

use super::links::{self, Invited};
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::render;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 INVITE_HASH_EMPTY`, `400 INVITE_HASH_INVALID`, `400 INVITE_HASH_EXPIRED`.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::CheckChatInvite,
) -> Result<enums::ChatInvite, Error> {
    let (invited, link) = links::invited(cx, &request.hash).await?;
    match invited {
        Invited::Group(group) => to_group(cx, &group, &link),
        Invited::Channel(id, standing) => to_channel(cx, id, &standing, &link).await,
    }
}

fn to_group(cx: &Cx, group: &Group, link: &Link) -> Result<enums::ChatInvite, Error> {
    if let Some(member) = group.member(cx.me()?) {
        let chat = render::chat(group.id, &group.chat, member).into();
        return Ok(types::ChatInviteAlready { chat }.into());
    }
    if !link.is_open(cx.world.now) {
        return Err(RpcError::INVITE_HASH_EXPIRED.into());
    }
    Ok(types::ChatInvite {
        title: group.chat.title.clone(),
        about: Some(group.chat.about.clone()).filter(|about| !about.is_empty()),
        photo: render::full_photo(&cx.world, &group.chat)
            .unwrap_or_else(|| types::PhotoEmpty { id: 0 }.into()),
        participants_count: group.chat.count,
        ..types::ChatInvite::default()
    }
    .into())
}

async fn to_channel(
    cx: &mut Cx,
    id: ChannelId,
    standing: &Standing,
    link: &Link,
) -> Result<enums::ChatInvite, Error> {
    let (me, now) = (cx.me()?, cx.world.now);
    if standing.is_present() {
        let chat = render::channel(&mut cx.world, me, id).await?;
        return Ok(types::ChatInviteAlready { chat }.into());
    }
    if !link.is_open(now) || standing.is_kicked(now) {
        return Err(RpcError::INVITE_HASH_EXPIRED.into());
    }
    let census = channel_members::census(cx.world.view(partition::channel(id))).await?;
    let channel = &standing.channel;
    Ok(types::ChatInvite {
        channel: true,
        broadcast: !channel.megagroup,
        public: channel.username.is_some(),
        megagroup: channel.megagroup,
        title: channel.title.clone(),
        about: Some(channel.about.clone()).filter(|about| !about.is_empty()),
        photo: render::full_channel_photo(&cx.world, channel),
        participants_count: census.present,
        ..types::ChatInvite::default()
    }
    .into())
}
