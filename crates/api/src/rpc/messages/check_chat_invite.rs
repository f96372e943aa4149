//! `messages.checkChatInvite`: where an invite link leads, before joining.

use havre_domain::chats::{self, Group};
use havre_domain::invites::{self, Link};
use havre_domain::keys::partition;
use havre_tl::{enums, functions, types};

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
    let me = cx.me()?;
    let (group, link) = invited(cx, &request.hash).await?;
    if let Some(member) = group.member(me) {
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

/// The group that a hash leads to, and the link itself.
///
/// # Errors
/// As for [`call`].
pub(super) async fn invited(cx: &mut Cx, hash: &str) -> Result<(Group, Link), Error> {
    let hash = invites::hash_in(hash);
    if hash.is_empty() {
        return Err(RpcError::INVITE_HASH_EMPTY.into());
    }
    if !invites::is_valid(hash) {
        return Err(RpcError::INVITE_HASH_INVALID.into());
    }
    let Some(id) = chats::invited_to(cx.world.view(partition::invite(hash))).await? else {
        return Err(RpcError::INVITE_HASH_INVALID.into());
    };
    let tx = cx.world.view(partition::chat(id));
    match (Group::load(tx, id).await?, invites::link(tx, hash).await?) {
        (Some(group), Some(link)) if !group.chat.deactivated => Ok((group, link)),
        _ => Err(RpcError::INVITE_HASH_EXPIRED.into()),
    }
}
