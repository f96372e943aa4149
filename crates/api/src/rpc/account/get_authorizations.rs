//! `account.getAuthorizations`: where the caller is logged in.

use havre_domain::sessions::{self, Session};
use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::Error;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Days without use after which Telegram would end a login; here none ends by itself.
const TTL_DAYS: i32 = 366;

/// Answers: the login that asks first, the others by last use.
///
/// # Errors
/// [`Error`].
pub async fn call(
    cx: &mut Cx,
    _: functions::account::GetAuthorizations,
) -> Result<enums::account::Authorizations, Error> {
    let current = current(cx).await?;
    let mut logins = sessions::all(cx.view_own()?).await?;
    logins.retain(|s| s.parent.is_none());
    logins.sort_by_key(|s| (s.key != current, std::cmp::Reverse(s.active)));
    let authorizations = logins
        .iter()
        .map(|s| authorization(s, s.key == current).into())
        .collect();
    Ok(types::account::Authorizations {
        authorization_ttl_days: TTL_DAYS,
        authorizations,
    }
    .into())
}

/// The key of the login that asks, or of the one that it was taken over from.
///
/// # Errors
/// [`Error`].
pub async fn current(cx: &mut Cx) -> Result<havre_domain::ids::AuthKeyId, Error> {
    let key = cx.key;
    let session = sessions::session(cx.view_own()?, key).await?;
    Ok(session.and_then(|s| s.parent).unwrap_or(key))
}

/// A login as clients are told of it; the one that asks has hash 0.
#[must_use]
pub fn authorization(session: &Session, current: bool) -> types::Authorization {
    let client = &session.client;
    types::Authorization {
        current,
        hash: if current { 0 } else { session.hash },
        device_model: client.device_model.clone(),
        platform: client.system_version.clone(),
        system_version: client.system_version.clone(),
        api_id: client.api_id,
        app_version: client.app_version.clone(),
        date_created: session.created.date(),
        date_active: session.active.date(),
        ip: session.address.clone(),
        ..Default::default()
    }
}
