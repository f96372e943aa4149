//! What authenticators and browsers answer, into the verification of passkeys.

use havre_domain::limits::CREDENTIAL_ID_LEN_MAX;
use havre_domain::webauthn::{self, Expected};

use crate::pieces;

fn expected(challenge: &[u8]) -> Expected<'_> {
    Expected {
        challenge,
        rp_id: "example.org",
        origins: &[],
    }
}

/// A registration and a log-in: challenge, client data and attestation object; challenge, client data,
/// authenticator data and signature.
///
/// # Panics
/// When a passkey is accepted whose id is out of bounds, or whose challenge was another one.
pub fn passkey(input: &[u8]) {
    let mut pieces = pieces(input);
    let mut piece = || pieces.next().unwrap_or_default();
    let (challenge, client_data, attestation) = (piece(), String::from_utf8_lossy(piece()), piece());
    let Ok(new) = webauthn::register(expected(challenge), &client_data, attestation) else {
        return;
    };
    assert!((1..=CREDENTIAL_ID_LEN_MAX).contains(&new.id.len()));
    let other = [challenge, b"other"].concat();
    assert!(webauthn::register(expected(&other), &client_data, attestation).is_err());
    let (challenge, client_data, data, signature) =
        (piece(), String::from_utf8_lossy(piece()), piece(), piece());
    let asserted = webauthn::assert(expected(challenge), &client_data, data, signature, &new.key);
    let other = [challenge, b"other"].concat();
    let again = webauthn::assert(expected(&other), &client_data, data, signature, &new.key);
    assert!(asserted.is_err() || again.is_err());
}
