//! What the methods around passkeys share: whom they are for, and how they are said.

use base64::Engine as _;
use havre_domain::limits::PASSKEY_CHALLENGE_TTL;
use havre_domain::passkeys::{Challenge, Passkey};
use havre_domain::webauthn::{BASE64, Expected, Refused};
use havre_tl::{enums, types};
use serde_json::{Value, json};

use crate::cx::Cx;
use crate::dispatch::PasskeyDomain;
use crate::error::{Error, RpcError};

/// Whom passkeys are for.
///
/// # Errors
/// `400 PASSKEYS_UNAVAILABLE` when the operator has not said so.
pub fn domain(cx: &Cx) -> Result<PasskeyDomain, Error> {
    let domain = cx.api.settings.passkeys.clone();
    Ok(domain.ok_or(RpcError::PASSKEYS_UNAVAILABLE)?)
}

/// What an answer to a challenge has to be meant for.
#[must_use]
pub fn expected<'a>(domain: &'a PasskeyDomain, challenge: &'a Challenge) -> Expected<'a> {
    Expected {
        challenge: &challenge.bytes,
        rp_id: &domain.rp_id,
        origins: &domain.origins,
    }
}

/// The id in a credential, and what its authenticator answered.
///
/// # Errors
/// `400 CREDENTIAL_INVALID`.
pub fn answered(
    credential: enums::InputPasskeyCredential,
) -> Result<(Vec<u8>, enums::InputPasskeyResponse), Error> {
    let enums::InputPasskeyCredential::InputPasskeyCredentialPublicKey(credential) = credential;
    let id = id(&credential.raw_id).ok_or(RpcError::CREDENTIAL_INVALID)?;
    Ok((id, credential.response))
}

/// The bytes of an id as clients write it.
#[must_use]
pub fn id(written: &str) -> Option<Vec<u8>> {
    BASE64.decode(written).ok()
}

/// What a browser or app says of the question that it passed on, as it was signed.
#[must_use]
pub fn client_data(data: enums::DataJSON) -> String {
    let enums::DataJSON::DataJSON(json) = data;
    json.data
}

/// Bytes as JSON has them.
#[must_use]
pub fn base64(bytes: &[u8]) -> Value {
    BASE64.encode(bytes).into()
}

/// Options for the authenticator as clients expect them: with what both kinds have.
#[must_use]
pub fn options(challenge: &Challenge, mut options: Value) -> enums::DataJSON {
    options["challenge"] = base64(&challenge.bytes);
    options["timeout"] = json!(PASSKEY_CHALLENGE_TTL * 1000);
    let data = json!({ "publicKey": options }).to_string();
    types::DataJSON { data }.into()
}

/// A passkey as its owner is told of it.
#[must_use]
pub fn shown(passkey: &Passkey) -> enums::Passkey {
    types::Passkey {
        id: BASE64.encode(&passkey.id),
        name: passkey.label.clone(),
        date: passkey.created.date(),
        software_emoji_id: None,
        last_usage_date: passkey.used.map(|used| used.date()),
    }
    .into()
}

/// Why an answer is not accepted, as clients are told.
#[must_use]
pub fn refusal(refused: Refused) -> RpcError {
    match refused {
        Refused::Invalid => RpcError::CREDENTIAL_INVALID,
        Refused::Origin => RpcError::PASSKEY_ORIGIN_MISMATCH,
    }
}
