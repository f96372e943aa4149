//! `auth.initPasskeyLogin`: what an authenticator is asked that is to log somebody in.

use havre_domain::passkeys::Challenge;
use havre_domain::{auth_keys, keys};
use havre_tl::{enums, functions, types};
use serde_json::json;

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::rpc::account::passkey;

/// Before login.
pub const ACCESS: Access = Access::Open;

/// Answers. No passkey is named: the authenticator has people choose among theirs.
///
/// # Errors
/// `400 API_ID_INVALID`, `400 PASSKEYS_UNAVAILABLE` when the operator has not said whom passkeys are for.
pub async fn call(
    cx: &mut Cx,
    request: functions::auth::InitPasskeyLogin,
) -> Result<enums::auth::PasskeyLoginOptions, Error> {
    if request.api_id <= 0 {
        return Err(RpcError::API_ID_INVALID.into());
    }
    let domain = passkey::domain(cx)?;
    let (key, now) = (cx.key, cx.world.now);
    let challenge = Challenge::new(cx.world.random_bytes(), now);
    cx.world
        .subject(auth_keys::at(key))?
        .put(keys::passkey_challenge(), &challenge);
    // PublicKeyCredentialRequestOptionsJSON (Web Authentication Level 3, section 5.5).
    let request = json!({
        "rpId": domain.rp_id,
        "allowCredentials": [],
        "userVerification": "required",
    });
    let options = passkey::options(&challenge, request);
    Ok(types::auth::PasskeyLoginOptions { options }.into())
}
