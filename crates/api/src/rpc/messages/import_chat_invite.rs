//! `messages.importChatInvite`: joins a basic group or channel by an invite link.

use havre_domain::channel_members::Standing;
use havre_domain::chats::Group;
use havre_domain::ids::ChannelId;
use havre_domain::invites::{self, Link};
use havre_domain::keys::partition;
use havre_domain::limits::CHAT_MEMBERS_MAX;
use havre_tl::{enums, functions, types};

use super::groups;
use super::links::{self, Invited};
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::rpc::channels::join_channel::join;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 INVITE_HASH_EMPTY`, `400 INVITE_HASH_INVALID`, `400 INVITE_HASH_EXPIRED`,
/// `400 USER_ALREADY_PARTICIPANT`, `400 USERS_TOO_MUCH`, `400 CHANNELS_TOO_MUCH`.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::ImportChatInvite,
) -> Result<enums::messages::ChatInviteJoinResult, Error> {
    let (invited, link) = links::invited(cx, &request.hash).await?;
    let updates = match invited {
        Invited::Group(group) => join_group(cx, group, link).await?,
        Invited::Channel(id, standing) => join_channel(cx, id, standing, link).await?,
    };
    Ok(types::messages::ChatInviteJoinResultOk {
        updates: updates.into(),
    }
    .into())
}

async fn join_group(cx: &mut Cx, mut group: Group, mut link: Link) -> Result<types::Updates, Error> {
    let (me, now) = (cx.me()?, cx.world.now);
    let before = cx.cursor().await?;
    if group.member(me).is_some() {
        return Err(RpcError::USER_ALREADY_PARTICIPANT.into());
    }
    if !link.is_open(now) {
        return Err(RpcError::INVITE_HASH_EXPIRED.into());
    }
    if group.members.len() >= CHAT_MEMBERS_MAX {
        return Err(RpcError::USERS_TOO_MUCH.into());
    }
    let tx = cx.world.subject(partition::chat(group.id))?;
    link.usage += 1;
    invites::save(tx, &link);
    group.admit(tx, me, link.admin, now);
    let told = group.people();
    groups::publish(cx, group, by_link(&link), &told, before).await
}

async fn join_channel(
    cx: &mut Cx,
    id: ChannelId,
    standing: Standing,
    mut link: Link,
) -> Result<types::Updates, Error> {
    let now = cx.world.now;
    if standing.is_present() {
        return Err(RpcError::USER_ALREADY_PARTICIPANT.into());
    }
    // Who was kept out is not told that the link is good.
    if !link.is_open(now) || standing.is_kicked(now) {
        return Err(RpcError::INVITE_HASH_EXPIRED.into());
    }
    link.usage += 1;
    invites::save(cx.world.subject(partition::channel(id))?, &link);
    join(cx, id, standing, link.admin, by_link(&link)).await
}

fn by_link(link: &Link) -> enums::MessageAction {
    types::MessageActionChatJoinedByLink {
        inviter_id: link.admin.0,
    }
    .into()
}
