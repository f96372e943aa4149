//! `auth.finishPasskeyLogin`: an authenticator proves who somebody is. They are logged in, or asked for the
//! password.

use havre_domain::auth_keys;
use havre_domain::ids::{AuthKeyId, UserId};
use havre_domain::keys::{self, partition};
use havre_domain::outbox::Effect;
use havre_domain::passkeys::{self, Challenge, Proved};
use havre_domain::{sessions, usernames, webauthn};
use havre_tl::{enums, functions, types};

use super::login;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::rpc::account::passkey;

/// Before login.
pub const ACCESS: Access = Access::Open;

/// Answers. A challenge is used up by what is signed right.
///
/// # Errors
/// `400 PASSKEYS_UNAVAILABLE`, `400 CREDENTIAL_INVALID`, `400 PASSKEY_ORIGIN_MISMATCH`, `500 AUTH_RESTART` when
/// there is no challenge any more, `401 SESSION_PASSWORD_NEEDED`.
pub async fn call(
    cx: &mut Cx,
    request: functions::auth::FinishPasskeyLogin,
) -> Result<enums::auth::Authorization, Error> {
    let (id, response) = passkey::answered(request.credential)?;
    let enums::InputPasskeyResponse::InputPasskeyResponseLogin(response) = response else {
        return Err(RpcError::CREDENTIAL_INVALID.into());
    };
    let owner = usernames::owner(cx.world.view(partition::passkey(&id))).await?;
    // The question came again because the answer was lost: the login is made.
    if let Some(user) = owner.filter(|owner| cx.user == Some(*owner)) {
        return login::answer(cx, user).await;
    }
    let asked = asked(cx, request.from_auth_key_id).await?;
    let challenge = challenge(cx, asked).await?;
    let owner = owner.ok_or(RpcError::CREDENTIAL_INVALID)?;
    let counter = check(cx, owner, &id, &challenge, response).await?;
    let session = login::session(cx);
    let proved = Proved {
        id,
        counter,
        session,
        before: cx.user,
    };
    let tx = cx.world.subject(auth_keys::at(asked))?;
    tx.delete(keys::passkey_challenge());
    tx.send(partition::user(owner), &Effect::Proved(proved));
    cx.settle().await?;
    outcome(cx, owner).await
}

/// The key whose challenge is answered: the caller's, or another that the same app has for another data
/// centre. Knowing its id is no proof of anything, and none is needed: the challenge is what is signed.
async fn asked(cx: &mut Cx, named: Option<i64>) -> Result<AuthKeyId, Error> {
    let Some(named) = named.filter(|id| *id != 0).map(AuthKeyId) else {
        return Ok(cx.key);
    };
    let key = auth_keys::auth_key(cx.world.view(auth_keys::at(named))).await?;
    Ok(key.and_then(|key| key.bound_to).unwrap_or(named))
}

async fn challenge(cx: &mut Cx, asked: AuthKeyId) -> Result<Challenge, Error> {
    let now = cx.world.now;
    let open = passkeys::challenge(cx.world.view(auth_keys::at(asked)), now).await?;
    Ok(open.ok_or(RpcError::AUTH_RESTART)?)
}

/// Checks that it is one of the owner's passkeys that answered. Answers with how often it was used.
async fn check(
    cx: &mut Cx,
    owner: UserId,
    id: &[u8],
    challenge: &Challenge,
    response: types::InputPasskeyResponseLogin,
) -> Result<u32, Error> {
    let domain = passkey::domain(cx)?;
    let kept = passkeys::passkeys(cx.world.view_user(owner)).await?;
    let found = kept.find(id).filter(|_| kept.handle == response.user_handle);
    let found = found.ok_or(RpcError::CREDENTIAL_INVALID)?;
    let counter = webauthn::assert(
        passkey::expected(&domain, challenge),
        &passkey::client_data(response.client_data),
        &response.authenticator_data,
        &response.signature,
        &found.key,
    );
    Ok(counter.map_err(passkey::refusal)?)
}

/// What became of a login that was proved: its owner's box has decided, by the count too.
async fn outcome(cx: &mut Cx, owner: UserId) -> Result<enums::auth::Authorization, Error> {
    let (key, now) = (cx.key, cx.world.now);
    let mut world = cx.api.world();
    if sessions::session(world.view_user(owner), key).await?.is_some() {
        return login::answer(cx, owner).await;
    }
    let awaits = auth_keys::awaited(world.view(auth_keys::at(key)), now).await?;
    Err(match awaits {
        Some(awaits) if awaits.user == owner => RpcError::SESSION_PASSWORD_NEEDED.into(),
        _ => RpcError::CREDENTIAL_INVALID.into(),
    })
}
