//! `auth.logOut`: the login on the caller's key ends; the key stays.

use havre_domain::sessions;
use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::Error;

/// Before login too: then there is nothing to end.
pub const ACCESS: Access = Access::Open;

/// Answers.
///
/// # Errors
/// [`Error`].
pub async fn call(cx: &mut Cx, _: functions::auth::LogOut) -> Result<enums::auth::LoggedOut, Error> {
    if let Some(me) = cx.user {
        let (now, key) = (cx.world.now, cx.key);
        sessions::end(cx.own()?, now, me, key).await?;
    }
    Ok(types::auth::LoggedOut::default().into())
}
