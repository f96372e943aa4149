//! `account.updateUsername`: takes a username, or with an empty one gives it up.

use havre_domain::keys::partition;
use havre_domain::{usernames, users};
use havre_tl::{enums, functions};

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::render;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers with the caller.
///
/// # Errors
/// `400 USERNAME_INVALID`, `400 USERNAME_NOT_MODIFIED`, `400 USERNAME_OCCUPIED`.
pub async fn call(cx: &mut Cx, request: functions::account::UpdateUsername) -> Result<enums::User, Error> {
    let (me, now, name) = (cx.me()?, cx.world.now, request.username);
    let before = users::own_profile(cx.view_own()?, me).await?.username;
    if before.as_deref().unwrap_or_default() == name {
        return Err(RpcError::USERNAME_NOT_MODIFIED.into());
    }
    if name.is_empty() {
        usernames::adopt(cx.own()?, me, now, None).await?;
    } else {
        if !usernames::is_valid(&name) {
            return Err(RpcError::USERNAME_INVALID.into());
        }
        let claim = cx
            .world
            .subject(partition::username(&name.to_ascii_lowercase()))?;
        if !usernames::claim(claim, me, &name).await? {
            return Err(RpcError::USERNAME_OCCUPIED.into());
        }
    }
    // The profile takes a claimed name over by an effect.
    cx.settle().await?;
    Ok(render::user(&mut cx.world, me, me).await?)
}
