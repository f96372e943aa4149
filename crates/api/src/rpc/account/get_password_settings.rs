//! `account.getPasswordSettings`: what only the password opens.

use havre_tl::{enums, functions, types};

use super::password;
use crate::cx::{Access, Cx};
use crate::error::Error;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers: there is no recovery address and nothing is encrypted with the password.
///
/// # Errors
/// As for `auth.checkPassword`.
pub async fn call(
    cx: &mut Cx,
    request: functions::account::GetPasswordSettings,
) -> Result<enums::account::PasswordSettings, Error> {
    let me = cx.me()?;
    password::check(cx, me, &request.password).await?;
    Ok(types::account::PasswordSettings::default().into())
}
