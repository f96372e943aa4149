//! `auth.acceptLoginToken`: the caller logs in the key that shows a token.

use havre_domain::auth_keys::{self, AuthKey, Awaits, Token};
use havre_domain::ids::AuthKeyId;
use havre_domain::sessions;
use havre_domain::updates::{self, Event};
use havre_tl::{enums, functions, types};

use super::login;
use crate::cx::{Access, After, Cx};
use crate::error::{Error, RpcError};
use crate::rpc::account::get_authorizations::authorization;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers with the new login. The key that showed the token is told to ask for the outcome.
///
/// # Errors
/// `400 AUTH_TOKEN_INVALID`, `400 AUTH_TOKEN_EXPIRED`, `400 AUTH_TOKEN_ALREADY_ACCEPTED`,
/// `400 AUTH_TOKEN_EXCEPTION` when the app is logged in to this account already.
pub async fn call(
    cx: &mut Cx,
    request: functions::auth::AcceptLoginToken,
) -> Result<enums::Authorization, Error> {
    let (me, now) = (cx.me()?, cx.world.now);
    let (key, record) = shown_by(cx, &request.token).await?;
    let asks_password = login::has_password(cx, me).await?;
    let client = record.client.unwrap_or_default();
    let mut session = login::session_of(cx, key, client, String::new());
    let tx = cx.own()?;
    if asks_password {
        let awaits = Awaits {
            user: me,
            since: now,
            by_token: true,
        };
        login::await_password(tx, key, awaits);
    } else {
        sessions::admit(tx, now, me, &session).await?;
        updates::append(tx, now, Event::NewLogin(key)).await?;
        login::authorize(tx, key, None, me);
    }
    // The other side asks as soon as it is told.
    cx.settle().await?;
    let updates = types::UpdateShort {
        update: enums::Update::UpdateLoginToken,
        date: now.date(),
    };
    cx.after.push(After::TellKey {
        key,
        updates: Box::new(updates.into()),
    });
    if asks_password {
        session.hash = 0;
    }
    let mut authorization = authorization(&session, false);
    authorization.password_pending = asks_password;
    Ok(authorization.into())
}

/// The key that shows a token.
async fn shown_by(cx: &mut Cx, token: &[u8]) -> Result<(AuthKeyId, AuthKey), Error> {
    let (me, now) = (cx.me()?, cx.world.now);
    let Some((id, _)) = token.split_first_chunk() else {
        return Err(RpcError::AUTH_TOKEN_INVALID.into());
    };
    let key = AuthKeyId(i64::from_be_bytes(*id));
    let tx = cx.world.view(auth_keys::at(key));
    let record = auth_keys::auth_key(tx)
        .await?
        .ok_or(RpcError::AUTH_TOKEN_INVALID)?;
    if record.user.is_some() {
        return Err(RpcError::AUTH_TOKEN_ALREADY_ACCEPTED.into());
    }
    let login = auth_keys::login(tx).await?;
    let shown: Token = login
        .token
        .filter(|t| t.bytes == token)
        .ok_or(RpcError::AUTH_TOKEN_INVALID)?;
    if shown.expires <= now {
        return Err(RpcError::AUTH_TOKEN_EXPIRED.into());
    }
    if shown.except.contains(&me) {
        return Err(RpcError::AUTH_TOKEN_EXCEPTION.into());
    }
    Ok((key, record))
}
