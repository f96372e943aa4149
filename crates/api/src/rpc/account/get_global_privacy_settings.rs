//! `account.getGlobalPrivacySettings`: what holds for all conversations with people who are not contacts.

use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::Error;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers: all of it is off, as none of it can be turned on.
///
/// # Errors
/// None.
pub async fn call(
    _: &mut Cx,
    _: functions::account::GetGlobalPrivacySettings,
) -> Result<enums::GlobalPrivacySettings, Error> {
    Ok(types::GlobalPrivacySettings::default().into())
}
