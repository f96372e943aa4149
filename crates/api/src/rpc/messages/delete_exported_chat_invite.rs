//! `messages.deleteExportedChatInvite`: forgets an invite link that was revoked.

use havre_domain::invites;
use havre_domain::keys::partition;
use havre_tl::functions;

use super::edit_exported_chat_invite::managed;
use super::groups;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 PEER_ID_INVALID`, `400 CHAT_ID_INVALID`, `400 CHAT_ADMIN_REQUIRED`, `400 INVITE_HASH_EXPIRED`,
/// `400 INVITE_REVOKED_MISSING` for a link that was not revoked.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::DeleteExportedChatInvite,
) -> Result<bool, Error> {
    let group = groups::administered(cx, groups::chat_of(&request.peer)?).await?;
    let link = managed(cx, &group, &request.link).await?;
    if !link.revoked {
        return Err(RpcError::INVITE_REVOKED_MISSING.into());
    }
    invites::delete(cx.world.subject(partition::chat(group.id))?, &link.hash);
    Ok(true)
}
