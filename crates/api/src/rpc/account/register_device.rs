//! `account.registerDevice`: where pushes go while this app is not connected.

use havre_domain::ids::UserId;
use havre_domain::limits::{DEVICE_TOKEN_LEN_MAX, LOGIN_TOKEN_EXCEPT_MAX};
use havre_domain::sessions::{self, Device};
use havre_tl::functions;

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Kinds of push service that are documented.
const TOKEN_TYPES: std::ops::RangeInclusive<i32> = 1..=13;
/// Longest key that pushes are encrypted with, bytes.
const SECRET_LEN_MAX: usize = 256;

/// Answers.
///
/// # Errors
/// `400 TOKEN_INVALID`.
pub async fn call(cx: &mut Cx, request: functions::account::RegisterDevice) -> Result<bool, Error> {
    let fits = (1..=DEVICE_TOKEN_LEN_MAX).contains(&request.token.len());
    if !fits || !TOKEN_TYPES.contains(&request.token_type) || request.secret.len() > SECRET_LEN_MAX {
        return Err(RpcError::TOKEN_INVALID.into());
    }
    let key = cx.key;
    let tx = cx.own()?;
    let session = sessions::session(tx, key).await?;
    let mut session = session.ok_or(RpcError::AUTH_KEY_UNREGISTERED)?;
    let before = session.clone();
    session.register(Device {
        token_type: request.token_type,
        token: request.token,
        secret: request.secret,
        no_muted: request.no_muted,
        sandbox: request.app_sandbox,
        other_users: request
            .other_uids
            .into_iter()
            .take(LOGIN_TOKEN_EXCEPT_MAX)
            .map(UserId)
            .collect(),
    });
    // Apps register at every start: what is known already is not written again.
    if session != before {
        sessions::add(tx, &session);
    }
    Ok(true)
}
