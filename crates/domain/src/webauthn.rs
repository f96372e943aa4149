//! Verification of what authenticators answer (Web Authentication Level 3, sections 7.1 and 7.2). Of an
//! attestation only the authenticator data counts: whoever made the authenticator is not asked.

use aws_lc_rs::signature::{self, ParsedPublicKey, VerificationAlgorithm};
use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::cbor::{Item, Reader};
use crate::limits::CREDENTIAL_ID_LEN_MAX;

/// Base64 of WebAuthn: its URL-safe alphabet, written without padding, read with or without.
pub const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Bits of the flags of authenticator data.
mod flags {
    /// Somebody was there.
    pub const USER_PRESENT: u8 = 1 << 0;
    /// The authenticator knows that it was its owner.
    pub const USER_VERIFIED: u8 = 1 << 2;
    /// The key may be copied to other authenticators.
    pub const BACKUP_ELIGIBLE: u8 = 1 << 3;
    /// It was copied.
    pub const BACKED_UP: u8 = 1 << 4;
    /// The credential follows.
    pub const ATTESTED: u8 = 1 << 6;
    /// Extensions follow.
    pub const EXTENDED: u8 = 1 << 7;
}

/// Whom an answer has to be meant for.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// What the authenticator was asked to sign.
    pub challenge: &'a [u8],
    /// The domain that credentials belong to.
    pub rp_id: &'a str,
    /// Pages and apps that may ask for them besides `https://<rp_id>`.
    pub origins: &'a [String],
}

/// Why an answer is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is not well-formed, not for this question, or not signed by this key.
    Invalid,
    /// Another page or app than those that are allowed asked for it.
    Origin,
}

/// The algorithm of a key. Kept as a number: new ones go to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// ECDSA over P-256 with SHA-256 (COSE -7).
    Es256,
    /// Ed25519 (COSE -8).
    EdDsa,
}

/// The public key of a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKey {
    algorithm: Algorithm,
    /// An uncompressed point of 65 bytes, or the 32 bytes of an Ed25519 key.
    bytes: Vec<u8>,
}

/// A new credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Its name, at most [`CREDENTIAL_ID_LEN_MAX`] bytes.
    pub id: Vec<u8>,
    /// Checks its signatures.
    pub key: PublicKey,
    /// How often it was used.
    pub counter: u32,
}

/// Checks the answer to a registration: `client_data` is JSON, `attestation` an attestation object.
///
/// # Errors
/// [`Refused`].
pub fn register(
    expected: Expected<'_>,
    client_data: &str,
    attestation: &[u8],
) -> Result<Credential, Refused> {
    check_client(expected, client_data, "webauthn.create")?;
    let bytes = authenticator_data(attestation).ok_or(Refused::Invalid)?;
    let data = Data::parse(bytes).ok_or(Refused::Invalid)?;
    data.check(expected)?;
    let (id, key) = data.credential.ok_or(Refused::Invalid)?;
    Ok(Credential {
        id: id.to_vec(),
        key,
        counter: data.counter,
    })
}

/// Checks the answer to a login. Answers with how often the credential was used, by its own count.
///
/// # Errors
/// [`Refused`].
pub fn assert(
    expected: Expected<'_>,
    client_data: &str,
    authenticator_data: &[u8],
    signature: &[u8],
    key: &PublicKey,
) -> Result<u32, Refused> {
    check_client(expected, client_data, "webauthn.get")?;
    let data = Data::parse(authenticator_data).ok_or(Refused::Invalid)?;
    data.check(expected)?;
    let hash = Sha256::digest(client_data.as_bytes());
    let signed = [authenticator_data, &hash[..]].concat();
    if !key.verifies(&signed, signature) {
        return Err(Refused::Invalid);
    }
    Ok(data.counter)
}

/// What the browser or app says of the question that it passed on.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    r#type: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
}

fn check_client(expected: Expected<'_>, client_data: &str, r#type: &str) -> Result<(), Refused> {
    let data: ClientData = serde_json::from_str(client_data).map_err(|_| Refused::Invalid)?;
    let challenge = BASE64.decode(&data.challenge).map_err(|_| Refused::Invalid)?;
    if data.r#type != r#type || challenge != expected.challenge {
        return Err(Refused::Invalid);
    }
    let own = data.origin.strip_prefix("https://") == Some(expected.rp_id);
    if data.cross_origin || !(own || expected.origins.contains(&data.origin)) {
        return Err(Refused::Origin);
    }
    Ok(())
}

/// The authenticator data in an attestation object.
fn authenticator_data(attestation: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(attestation);
    let Item::Map(entries) = reader.item()? else {
        return None;
    };
    for _ in 0..entries {
        match reader.item()? {
            Item::Text("authData") => match reader.item()? {
                Item::Bytes(data) => return Some(data),
                _ => return None,
            },
            Item::Text(_) => reader.skip()?,
            _ => return None,
        }
    }
    None
}

/// Authenticator data (section 6.1).
struct Data<'a> {
    rp_id_hash: &'a [u8],
    flags: u8,
    counter: u32,
    credential: Option<(&'a [u8], PublicKey)>,
}

impl<'a> Data<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (rp_id_hash, rest) = bytes.split_at_checked(32)?;
        let (&flags, rest) = rest.split_first()?;
        let (counter, mut rest) = rest.split_first_chunk()?;
        let mut credential = None;
        if flags & flags::ATTESTED != 0 {
            let (id, key, after) = attested(rest)?;
            (credential, rest) = (Some((id, key)), after);
        }
        if flags & flags::EXTENDED != 0 {
            let mut reader = Reader::new(rest);
            reader.skip()?;
            rest = reader.rest();
        }
        rest.is_empty().then_some(Self {
            rp_id_hash,
            flags,
            counter: u32::from_be_bytes(*counter),
            credential,
        })
    }

    fn check(&self, expected: Expected<'_>) -> Result<(), Refused> {
        let has = |flag| self.flags & flag != 0;
        let is_ours = self.rp_id_hash == &Sha256::digest(expected.rp_id.as_bytes())[..];
        let is_verified = has(flags::USER_PRESENT) && has(flags::USER_VERIFIED);
        let is_consistent = has(flags::BACKUP_ELIGIBLE) || !has(flags::BACKED_UP);
        if is_ours && is_verified && is_consistent {
            Ok(())
        } else {
            Err(Refused::Invalid)
        }
    }
}

/// Credential id and key of attested credential data (section 6.5.1), and what follows.
fn attested(bytes: &[u8]) -> Option<(&[u8], PublicKey, &[u8])> {
    let (_aaguid, rest) = bytes.split_at_checked(16)?;
    let (len, rest) = rest.split_first_chunk()?;
    let len = usize::from(u16::from_be_bytes(*len));
    let (id, rest) = rest.split_at_checked(len)?;
    if id.is_empty() || id.len() > CREDENTIAL_ID_LEN_MAX {
        return None;
    }
    let mut reader = Reader::new(rest);
    let key = PublicKey::read(&mut reader)?;
    Some((id, key, reader.rest()))
}

/// Labels of a COSE key (RFC 9052, section 7.1, and RFC 9053, section 7).
mod label {
    pub const TYPE: i64 = 1;
    pub const ALGORITHM: i64 = 3;
    pub const CURVE: i64 = -1;
    pub const X: i64 = -2;
    pub const Y: i64 = -3;
}

impl PublicKey {
    /// Reads a COSE key; nothing for what is no valid key of an algorithm that is accepted.
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (mut numbers, mut x, mut y) = ([None; 3], None, None);
        let Item::Map(entries) = reader.item()? else {
            return None;
        };
        for _ in 0..entries {
            let Item::Int(label) = reader.item()? else {
                return None;
            };
            let value = *reader;
            match (label, reader.item()?) {
                (label::TYPE, Item::Int(n)) => numbers[0] = Some(n),
                (label::ALGORITHM, Item::Int(n)) => numbers[1] = Some(n),
                (label::CURVE, Item::Int(n)) => numbers[2] = Some(n),
                (label::X, Item::Bytes(bytes)) => x = Some(bytes),
                (label::Y, Item::Bytes(bytes)) => y = Some(bytes),
                _ => {
                    *reader = value;
                    reader.skip()?;
                }
            }
        }
        let key = match (numbers, x?, y) {
            // EC2, ES256, P-256; the first byte says that both coordinates follow.
            ([Some(2), Some(-7), Some(1)], x, Some(y)) if x.len() == 32 => Self {
                algorithm: Algorithm::Es256,
                bytes: [&[4], x, y].concat(),
            },
            // OKP, EdDSA, Ed25519.
            ([Some(1), Some(-8), Some(6)], x, None) => Self {
                algorithm: Algorithm::EdDsa,
                bytes: x.to_vec(),
            },
            _ => return None,
        };
        key.is_valid().then_some(key)
    }

    fn is_valid(&self) -> bool {
        ParsedPublicKey::new(self.verification(), &self.bytes).is_ok()
    }

    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let key = signature::UnparsedPublicKey::new(self.verification(), &self.bytes);
        key.verify(message, signature).is_ok()
    }

    fn verification(&self) -> &'static dyn VerificationAlgorithm {
        match self.algorithm {
            Algorithm::Es256 => &signature::ECDSA_P256_SHA256_ASN1,
            Algorithm::EdDsa => &signature::ED25519,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One of the vectors that the standard publishes.
    fn vector(name: &str) -> Vec<u8> {
        let vectors = include_str!("webauthn_vectors.txt").lines();
        let hex = vectors
            .filter_map(|line| line.split_once(": "))
            .find(|(n, _)| *n == name);
        let (_, hex) = hex.unwrap_or_else(|| panic!("there is no {name}"));
        let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
        (0..hex.len()).step_by(2).map(byte).collect()
    }

    fn text(name: &str) -> String {
        String::from_utf8(vector(name)).expect("JSON")
    }

    fn expected(challenge: &[u8]) -> Expected<'_> {
        let (rp_id, origins) = ("example.org", &[][..]);
        Expected {
            challenge,
            rp_id,
            origins,
        }
    }

    fn registered(section: &str) -> Result<Credential, Refused> {
        let named = |what: &str| format!("{section} {what}");
        let challenge = vector(&named("create challenge"));
        let client_data = text(&named("create client data"));
        register(expected(&challenge), &client_data, &vector(&named("attestation")))
    }

    fn asserted(section: &str, key: &PublicKey) -> Result<u32, Refused> {
        let named = |what: &str| vector(&format!("{section} {what}"));
        let challenge = named("get challenge");
        let client_data = text(&format!("{section} get client data"));
        let (data, signature) = (named("authenticator data"), named("signature"));
        assert(expected(&challenge), &client_data, &data, &signature, key)
    }

    #[test]
    fn the_vectors_of_the_standard_are_accepted() {
        let credential = registered("16.7").expect("a vector of the standard");
        assert_eq!(credential.id, vector("16.7 id"));
        assert_eq!(asserted("16.7", &credential.key), Ok(0));
    }

    #[test]
    fn those_whose_authenticator_did_not_know_its_owner_are_refused_for_that_alone() {
        assert_eq!(registered("16.2"), Err(Refused::Invalid));
        let attestation = vector("16.2 attestation");
        let data = authenticator_data(&attestation)
            .and_then(Data::parse)
            .expect("well-formed");
        let (id, key) = data.credential.expect("a credential");
        assert_eq!(id, vector("16.2 id"));
        assert_eq!(asserted("16.2", &key), Err(Refused::Invalid));
        let hash = Sha256::digest(vector("16.2 get client data"));
        let signed = [&vector("16.2 authenticator data")[..], &hash[..]].concat();
        assert!(key.verifies(&signed, &vector("16.2 signature")));
    }

    #[test]
    fn ed25519_signs_as_the_standard_says() {
        let bytes = vector("16.11 key");
        let key = PublicKey::read(&mut Reader::new(&bytes)).expect("a key of the standard");
        let hash = Sha256::digest(vector("16.11 get client data"));
        let mut signed = [&vector("16.11 authenticator data")[..], &hash[..]].concat();
        assert!(key.verifies(&signed, &vector("16.11 signature")));
        signed[0] ^= 1;
        assert!(!key.verifies(&signed, &vector("16.11 signature")));
    }

    #[test]
    fn keys_that_are_none_are_refused() {
        let read = |bytes: &[u8]| PublicKey::read(&mut Reader::new(bytes));
        let attestation = vector("16.2 attestation");
        let at = attestation.len() - 77;
        let good = &attestation[at..];
        assert!(read(good).is_some());
        let mut off_the_curve = good.to_vec();
        off_the_curve[76] ^= 1;
        assert_eq!(read(&off_the_curve), None);
        assert_eq!(read(&good[..76]), None);
        let mut other_curve = good.to_vec();
        other_curve[6] = 2;
        assert_eq!(read(&other_curve), None);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_without_harm(bytes: Vec<u8>, at in 0..800_usize, with: u8) {
            drop(Data::parse(&bytes));
            let _ = authenticator_data(&bytes);
            let mut attestation = vector("16.7 attestation");
            let len = attestation.len();
            attestation[at % len] ^= with;
            if let Some(data) = authenticator_data(&attestation) {
                drop(Data::parse(data));
            }
        }
    }
}
