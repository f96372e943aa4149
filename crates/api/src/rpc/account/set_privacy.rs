//! `account.setPrivacy`: the caller's rules of one privacy key.

use havre_domain::keys;
use havre_domain::updates::{self, Event};
use havre_tl::{enums, functions};

use super::privacy;
use crate::cx::{Access, Cx};
use crate::error::Error;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers with the rules as they are now. The caller's other sessions are told.
///
/// # Errors
/// `400 PRIVACY_VALUE_INVALID`, `400 USER_ID_INVALID`, `400 PEER_ID_INVALID`.
pub async fn call(
    cx: &mut Cx,
    request: functions::account::SetPrivacy,
) -> Result<enums::account::PrivacyRules, Error> {
    let key = privacy::key(&request.key);
    let rules = privacy::rules(cx, &request.rules).await?;
    let now = cx.world.now;
    let tx = cx.own()?;
    tx.put(keys::privacy(key), &rules);
    updates::append(tx, now, Event::Privacy(key)).await?;
    privacy::answer(cx, &rules).await
}
