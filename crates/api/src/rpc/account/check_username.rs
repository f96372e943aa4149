//! `account.checkUsername`: whether a username is free.

use havre_domain::keys::partition;
use havre_domain::usernames;
use havre_tl::functions;

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 USERNAME_INVALID`, `400 USERNAME_OCCUPIED`.
pub async fn call(cx: &mut Cx, request: functions::account::CheckUsername) -> Result<bool, Error> {
    let me = cx.me()?;
    if !usernames::is_valid(&request.username) {
        return Err(RpcError::USERNAME_INVALID.into());
    }
    let claim = partition::username(&request.username.to_ascii_lowercase());
    match usernames::owner(cx.world.view(claim)).await? {
        Some(owner) if owner != me => Err(RpcError::USERNAME_OCCUPIED.into()),
        _ => Ok(true),
    }
}
