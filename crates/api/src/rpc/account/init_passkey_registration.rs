//! `account.initPasskeyRegistration`: what an authenticator is asked that is to keep one more passkey.

use havre_domain::keys;
use havre_domain::passkeys::{self, Challenge, Passkeys};
use havre_domain::users::{self, Profile};
use havre_tl::{enums, functions, types};
use serde_json::{Value, json};

use super::passkey;
use super::reset_authorization::may_add_way_in;
use crate::cx::{Access, Cx};
use crate::dispatch::PasskeyDomain;
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 PASSKEYS_UNAVAILABLE` when the operator has not said whom passkeys are for, `400 PASSKEYS_TOO_MUCH`,
/// `406 FRESH_RESET_AUTHORISATION_FORBIDDEN` when a login younger than a day is not the only one.
pub async fn call(
    cx: &mut Cx,
    _: functions::account::InitPasskeyRegistration,
) -> Result<enums::account::PasskeyRegistrationOptions, Error> {
    let domain = passkey::domain(cx)?;
    may_add_way_in(cx).await?;
    let (me, key, now) = (cx.me()?, cx.key, cx.world.now);
    let challenge = Challenge::new(cx.world.random_bytes(), now);
    let handle = format!("{}:{}", crate::DC_ID, cx.world.random_id());
    let tx = cx.own()?;
    let profile = users::own_profile(tx, me).await?;
    let mut kept = passkeys::passkeys(tx).await?;
    if kept.is_full() {
        return Err(RpcError::PASSKEYS_TOO_MUCH.into());
    }
    if kept.handle.is_empty() {
        kept.handle = handle;
    }
    let options = passkey::options(&challenge, creation(&domain, &profile, &kept));
    kept.asked = Some((key, challenge));
    tx.put(keys::passkeys(), &kept);
    Ok(types::account::PasskeyRegistrationOptions { options }.into())
}

/// `PublicKeyCredentialCreationOptionsJSON` (Web Authentication Level 3, section 5.4).
fn creation(domain: &PasskeyDomain, profile: &Profile, kept: &Passkeys) -> Value {
    let names = [&profile.first_name, &profile.last_name];
    let full_name = names.map(String::as_str).join(" ");
    let credential = |id: &[u8]| json!({ "type": "public-key", "id": passkey::base64(id) });
    let known: Vec<Value> = kept.all.iter().map(|passkey| credential(&passkey.id)).collect();
    json!({
        "rp": { "id": domain.rp_id, "name": domain.rp_id },
        "user": {
            "id": passkey::base64(kept.handle.as_bytes()),
            "name": format!("+{}", profile.phone),
            "displayName": full_name.trim(),
        },
        "pubKeyCredParams": [
            { "type": "public-key", "alg": -7 },
            { "type": "public-key", "alg": -8 },
        ],
        "excludeCredentials": known,
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": true,
            "userVerification": "required",
        },
        "attestation": "none",
    })
}
