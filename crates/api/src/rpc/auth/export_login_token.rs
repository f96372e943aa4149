//! `auth.exportLoginToken`: a token to show as a QR code, which another login of the same person accepts.

use havre_domain::auth_keys::{self, Login, Token};
use havre_domain::ids::UserId;
use havre_domain::keys;
use havre_domain::limits::{LOGIN_TOKEN_EXCEPT_MAX, LOGIN_TOKEN_TTL};
use havre_tl::{enums, functions, types};

use super::login;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Before login.
pub const ACCESS: Access = Access::Open;

/// Bytes of a token that cannot be guessed.
const RANDOM_LEN: usize = 24;

/// Answers: a token, or once it was accepted, who is logged in.
///
/// # Errors
/// `400 API_ID_INVALID`, `401 SESSION_PASSWORD_NEEDED` once the token was accepted by somebody with a
/// password.
pub async fn call(
    cx: &mut Cx,
    request: functions::auth::ExportLoginToken,
) -> Result<enums::auth::LoginToken, Error> {
    if request.api_id <= 0 {
        return Err(RpcError::API_ID_INVALID.into());
    }
    if let Some(accepted) = accepted(cx).await? {
        return Ok(accepted);
    }
    let (key, now) = (cx.key, cx.world.now);
    let random: [u8; RANDOM_LEN] = cx.world.random_bytes();
    let token = Token {
        bytes: [&key.0.to_be_bytes()[..], &random].concat(),
        expires: now.plus(LOGIN_TOKEN_TTL),
        except: request
            .except_ids
            .into_iter()
            .take(LOGIN_TOKEN_EXCEPT_MAX)
            .map(UserId)
            .collect(),
    };
    let answer = shown(&token);
    let tx = cx.world.subject(auth_keys::at(key))?;
    let login = Login {
        token: Some(token),
        ..auth_keys::login(tx).await?
    };
    tx.put(keys::login(), &login);
    Ok(answer)
}

/// A token as clients are told of it.
#[must_use]
pub fn shown(token: &Token) -> enums::auth::LoginToken {
    types::auth::LoginToken {
        expires: token.expires.date(),
        token: token.bytes.clone(),
    }
    .into()
}

/// Who is logged in on the caller's key, once its token was accepted.
///
/// # Errors
/// `401 SESSION_PASSWORD_NEEDED` when a password is asked for.
pub async fn accepted(cx: &mut Cx) -> Result<Option<enums::auth::LoginToken>, Error> {
    if let Some(user) = cx.user {
        let authorization = login::answer(cx, user).await?;
        return Ok(Some(types::auth::LoginTokenSuccess { authorization }.into()));
    }
    let (key, now) = (cx.key, cx.world.now);
    let awaits = auth_keys::awaited(cx.world.view(auth_keys::at(key)), now).await?;
    if awaits.is_some_and(|a| a.by_token) {
        return Err(RpcError::SESSION_PASSWORD_NEEDED.into());
    }
    Ok(None)
}
