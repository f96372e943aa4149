//! `account.registerPasskey`: an authenticator keeps a passkey for the caller.

use havre_domain::keys::partition;
use havre_domain::{passkeys, usernames, webauthn};
use havre_tl::{enums, functions};

use super::passkey;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::notices;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Longest name of a passkey, characters.
const LABEL_LEN_MAX: usize = 64;

/// Answers. The same question again is answered as before.
///
/// # Errors
/// `400 PASSKEYS_UNAVAILABLE`, `400 CREDENTIAL_INVALID`, `400 PASSKEY_ORIGIN_MISMATCH`.
pub async fn call(
    cx: &mut Cx,
    request: functions::account::RegisterPasskey,
) -> Result<enums::Passkey, Error> {
    let domain = passkey::domain(cx)?;
    let (me, key, now) = (cx.me()?, cx.key, cx.world.now);
    let (id, response) = passkey::answered(request.credential)?;
    let enums::InputPasskeyResponse::InputPasskeyResponseRegister(response) = response else {
        return Err(RpcError::CREDENTIAL_INVALID.into());
    };
    let kept = passkeys::passkeys(cx.own()?).await?;
    if let Some(known) = kept.find(&id) {
        return Ok(passkey::shown(known));
    }
    let challenge = kept.asked_by(key, now).ok_or(RpcError::CREDENTIAL_INVALID)?;
    let expected = passkey::expected(&domain, challenge);
    let client_data = passkey::client_data(response.client_data);
    let new =
        webauthn::register(expected, &client_data, &response.attestation_data).map_err(passkey::refusal)?;
    let owner = usernames::owner(cx.world.view(partition::passkey(&new.id))).await?;
    if new.id != id || owner.is_some() {
        return Err(RpcError::CREDENTIAL_INVALID.into());
    }
    let label = label(&cx.client.device_model);
    let notice = format!(
        "A passkey was added to your account: {label}. If that was not you, delete it and end the login that \
         it was added with."
    );
    let passkey = passkeys::add(cx.own()?, now, me, kept, new, label);
    notices::tell(cx, me, notice).await?;
    Ok(passkey::shown(&passkey))
}

/// What its owner tells it apart by: the device on which it was made.
fn label(device_model: &str) -> String {
    let label: String = device_model.trim().chars().take(LABEL_LEN_MAX).collect();
    if label.is_empty() {
        "Passkey".to_owned()
    } else {
        label
    }
}
