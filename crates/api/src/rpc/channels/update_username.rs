//! `channels.updateUsername`: makes a channel public under a name, or private again.

use havre_domain::keys::partition;
use havre_domain::{channels, usernames};
use havre_tl::functions;

use super::answers;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 CHANNEL_INVALID`, `406 CHANNEL_PRIVATE`, `400 CHAT_ADMIN_REQUIRED` for anybody but its creator,
/// `400 USERNAME_INVALID`, `400 USERNAME_OCCUPIED`, `400 USERNAME_NOT_MODIFIED`.
pub async fn call(cx: &mut Cx, request: functions::channels::UpdateUsername) -> Result<bool, Error> {
    let (now, name) = (cx.world.now, request.username);
    let id = cx.input_channel(&request.channel).await?;
    let standing = cx.readable(id).await?;
    if !standing.is_creator() {
        return Err(RpcError::CHAT_ADMIN_REQUIRED.into());
    }
    if standing.channel.username.as_deref().unwrap_or_default() == name {
        return Err(RpcError::USERNAME_NOT_MODIFIED.into());
    }
    if name.is_empty() {
        channels::adopt(answers::tx(cx, id)?, now, None).await?;
    } else {
        if !usernames::is_valid(&name) {
            return Err(RpcError::USERNAME_INVALID.into());
        }
        let claim = partition::username(&name.to_ascii_lowercase());
        if !channels::claim_name(cx.world.subject(claim)?, id, &name).await? {
            return Err(RpcError::USERNAME_OCCUPIED.into());
        }
    }
    // The channel takes a claimed name over by an effect.
    cx.settle().await?;
    Ok(true)
}
