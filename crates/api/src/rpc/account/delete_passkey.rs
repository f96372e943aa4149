//! `account.deletePasskey`: a key logs the caller in no more.

use havre_domain::passkeys;
use havre_tl::functions;

use super::passkey;
use crate::cx::{Access, Cx};
use crate::error::Error;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers: false when there is none with this id.
///
/// # Errors
/// [`Error`].
pub async fn call(cx: &mut Cx, request: functions::account::DeletePasskey) -> Result<bool, Error> {
    let me = cx.me()?;
    match passkey::id(&request.id) {
        Some(id) => Ok(passkeys::remove(cx.own()?, me, &id).await?),
        None => Ok(false),
    }
}
