//! `auth.importLoginToken`: what became of a token that the caller's key shows.

use havre_domain::auth_keys;
use havre_tl::{enums, functions};

use super::export_login_token::{accepted, shown};
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Before login.
pub const ACCESS: Access = Access::Open;

/// Answers as `auth.exportLoginToken`, but makes no new token: clients are never sent to another data
/// centre, so the token is their own key's.
///
/// # Errors
/// `400 AUTH_TOKEN_INVALID`, `400 AUTH_TOKEN_EXPIRED`, `401 SESSION_PASSWORD_NEEDED`.
pub async fn call(
    cx: &mut Cx,
    request: functions::auth::ImportLoginToken,
) -> Result<enums::auth::LoginToken, Error> {
    if let Some(accepted) = accepted(cx).await? {
        return Ok(accepted);
    }
    let (key, now) = (cx.key, cx.world.now);
    let login = auth_keys::login(cx.world.view(auth_keys::at(key))).await?;
    let token = login.token.filter(|token| token.bytes == request.token);
    let token = token.ok_or(RpcError::AUTH_TOKEN_INVALID)?;
    if token.expires <= now {
        return Err(RpcError::AUTH_TOKEN_EXPIRED.into());
    }
    Ok(shown(&token))
}
