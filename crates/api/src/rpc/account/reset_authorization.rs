//! `account.resetAuthorization`: another login of the caller ends.

use havre_domain::ids::AuthKeyId;
use havre_domain::limits::FRESH_LOGIN;
use havre_domain::sessions;
use havre_tl::{enums, functions};

use super::get_authorizations::current;
use crate::cx::{Access, After, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. A login may always end those that began after it.
///
/// # Errors
/// `400 HASH_INVALID`, `406 FRESH_RESET_AUTHORISATION_FORBIDDEN` when a login younger than a day would end
/// an older one.
pub async fn call(cx: &mut Cx, request: functions::account::ResetAuthorization) -> Result<bool, Error> {
    let current = current(cx).await?;
    let logins = sessions::all(cx.own()?).await?;
    let named = logins
        .iter()
        .find(|s| s.hash == request.hash && s.parent.is_none() && s.key != current);
    let named = named.ok_or(RpcError::HASH_INVALID)?;
    let own = logins.iter().find(|s| s.key == current);
    if own.is_none_or(|own| named.created < own.created) {
        may_end_others(cx).await?;
    }
    end(cx, named.key).await?;
    Ok(true)
}

/// The key of the login that asks, once it is old enough to end others: whoever steals a login cannot at
/// once throw its owner out.
///
/// # Errors
/// `406 FRESH_RESET_AUTHORISATION_FORBIDDEN`.
pub async fn may_end_others(cx: &mut Cx) -> Result<AuthKeyId, Error> {
    let (current, now) = (current(cx).await?, cx.world.now);
    let session = sessions::session(cx.view_own()?, current).await?;
    if session.is_none_or(|s| s.created.plus(FRESH_LOGIN) > now) {
        return Err(RpcError::FRESH_RESET_AUTHORISATION_FORBIDDEN.into());
    }
    Ok(current)
}

/// Whether the caller may get another way to log in: whoever steals a login cannot at once make themselves
/// one; whoever has no other login may.
///
/// # Errors
/// `406 FRESH_RESET_AUTHORISATION_FORBIDDEN`.
pub async fn may_add_way_in(cx: &mut Cx) -> Result<(), Error> {
    let logins = sessions::all(cx.view_own()?).await?;
    if logins.iter().filter(|login| login.parent.is_none()).count() > 1 {
        may_end_others(cx).await?;
    }
    Ok(())
}

/// Ends a login of the caller and makes its app look, so that it finds out.
///
/// # Errors
/// [`Error`].
pub async fn end(cx: &mut Cx, key: AuthKeyId) -> Result<(), Error> {
    let (me, now) = (cx.me()?, cx.world.now);
    sessions::end(cx.own()?, now, me, key).await?;
    cx.after.push(After::TellKey {
        key,
        updates: Box::new(enums::Updates::UpdatesTooLong),
    });
    Ok(())
}
