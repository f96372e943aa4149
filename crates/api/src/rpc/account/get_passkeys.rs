//! `account.getPasskeys`: the keys that log the caller in.

use havre_domain::passkeys;
use havre_tl::{enums, functions, types};

use super::passkey::shown;
use crate::cx::{Access, Cx};
use crate::error::Error;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers, the oldest first.
///
/// # Errors
/// [`Error`].
pub async fn call(
    cx: &mut Cx,
    _: functions::account::GetPasskeys,
) -> Result<enums::account::Passkeys, Error> {
    let kept = passkeys::passkeys(cx.view_own()?).await?;
    let passkeys = kept.all.iter().map(shown).collect();
    Ok(types::account::Passkeys { passkeys }.into())
}
