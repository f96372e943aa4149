//! `account.unregisterDevice`: no more pushes there.

use havre_domain::sessions;
use havre_tl::functions;

use crate::cx::{Access, Cx};
use crate::error::Error;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. An address that is not known is nothing to remove.
///
/// # Errors
/// [`Error`].
pub async fn call(cx: &mut Cx, request: functions::account::UnregisterDevice) -> Result<bool, Error> {
    let tx = cx.own()?;
    for mut session in sessions::all(tx).await? {
        if session.unregister(request.token_type, &request.token) {
            sessions::add(tx, &session);
        }
    }
    Ok(true)
}
