//! `auth.resetAuthorizations`: all other logins of the caller end.

use havre_domain::sessions;
use havre_tl::functions;

use crate::cx::{Access, Cx};
use crate::error::Error;
use crate::rpc::account::reset_authorization::{end, may_end_others};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `406 FRESH_RESET_AUTHORISATION_FORBIDDEN` for a login younger than a day.
pub async fn call(cx: &mut Cx, _: functions::auth::ResetAuthorizations) -> Result<bool, Error> {
    let current = may_end_others(cx).await?;
    for session in sessions::all(cx.own()?).await? {
        if session.key != current && session.parent != Some(current) {
            end(cx, session.key).await?;
        }
    }
    Ok(true)
}
