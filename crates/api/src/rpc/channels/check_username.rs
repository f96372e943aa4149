//! `channels.checkUsername`: whether a channel may have a name.

use havre_domain::keys::partition;
use havre_domain::{channels, usernames};
use havre_tl::functions;

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. `inputChannelEmpty` asks for a channel that is not made yet.
///
/// # Errors
/// `400 CHANNEL_INVALID`, `400 USERNAME_INVALID`, `400 USERNAME_OCCUPIED`.
pub async fn call(cx: &mut Cx, request: functions::channels::CheckUsername) -> Result<bool, Error> {
    let channel = match &request.channel {
        havre_tl::enums::InputChannel::InputChannelEmpty => None,
        input => Some(cx.input_channel(input).await?),
    };
    if !usernames::is_valid(&request.username) {
        return Err(RpcError::USERNAME_INVALID.into());
    }
    let claim = partition::username(&request.username.to_ascii_lowercase());
    let tx = cx.world.view(claim);
    let taken = channels::claimed(tx).await?.is_some_and(|c| Some(c) != channel);
    if taken || usernames::owner(tx).await?.is_some() {
        return Err(RpcError::USERNAME_OCCUPIED.into());
    }
    Ok(true)
}
