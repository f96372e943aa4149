//! `messages.deleteExportedChatInvite`: forgets an invite link that was revoked.

use havre_domain::invites;
use havre_tl::functions;

use super::links;
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
    let keeper = links::keeper(cx, &request.peer).await?;
    let link = keeper.managed(cx, &request.link).await?;
    if !link.revoked {
        return Err(RpcError::INVITE_REVOKED_MISSING.into());
    }
    invites::delete(keeper.tx(cx)?, keeper.peer, &link.hash);
    Ok(true)
}
