//! `auth.importAuthorization`: the caller's key takes over a login of the same app.

use havre_domain::ids::UserId;
use havre_domain::sessions;
use havre_tl::{enums, functions};

use super::login;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Before login.
pub const ACCESS: Access = Access::Open;

/// Answers.
///
/// # Errors
/// `400 AUTH_BYTES_INVALID` when the bytes were used, are old, or never were.
pub async fn call(
    cx: &mut Cx,
    request: functions::auth::ImportAuthorization,
) -> Result<enums::auth::Authorization, Error> {
    let (user, now, key, before) = (UserId(request.id), cx.world.now, cx.key, cx.user);
    // The question came again because the answer was lost: the login is made.
    if before == Some(user) {
        return login::answer(cx, user).await;
    }
    let from = sessions::take_grant(cx.world.user(user)?, now, &request.bytes).await?;
    let from = from.ok_or(RpcError::AUTH_BYTES_INVALID)?;
    let mut session = login::session(cx);
    session.parent = Some(from);
    let tx = cx.world.user(user)?;
    sessions::admit(tx, now, user, &session).await?;
    login::authorize(tx, key, before, user);
    login::finish(cx, user).await
}
