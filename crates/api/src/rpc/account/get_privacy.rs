//! `account.getPrivacy`: the caller's rules of one privacy key.

use havre_domain::privacy as domain;
use havre_tl::{enums, functions};

use super::privacy;
use crate::cx::{Access, Cx};
use crate::error::Error;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// [`Error`].
pub async fn call(
    cx: &mut Cx,
    request: functions::account::GetPrivacy,
) -> Result<enums::account::PrivacyRules, Error> {
    let rules = domain::rules(cx.view_own()?, privacy::key(&request.key)).await?;
    privacy::answer(cx, &rules).await
}
