//! An authenticator and the browser around it (Web Authentication Level 3), for tests of passkeys. What it says
//! can be changed piece by piece before it is signed.

#![allow(dead_code, reason = "each test file uses its part")]

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use havre_api::dispatch::PasskeyDomain;
use havre_api::error::RpcError;
use havre_sim::{Client, Town};
use havre_tl::{enums, functions, types};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub const RP_ID: &str = "chat.example.org";
pub const USER_PRESENT: u8 = 0x01;
pub const USER_VERIFIED: u8 = 0x04;
pub const BACKED_UP: u8 = 0x10;
const ATTESTED: u8 = 0x40;

/// A town whose operator lets people have passkeys.
pub fn town(seed: u64) -> Town {
    Town::set(seed, |settings| {
        settings.passkeys = Some(PasskeyDomain {
            rp_id: RP_ID.into(),
            origins: vec!["android:apk-key-hash:abc".into()],
        });
    })
}

enum Key {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
}

/// Keeps one passkey.
pub struct Authenticator {
    key: Key,
    pub id: Vec<u8>,
    pub handle: String,
}

/// What is signed.
pub struct Said {
    pub r#type: &'static str,
    pub challenge: String,
    pub origin: String,
    pub cross_origin: bool,
    pub rp_id: String,
    pub flags: u8,
    pub counter: u32,
    /// Algorithm that a new key is said to be for.
    pub algorithm: i8,
    /// The handle that is shown; not signed.
    pub handle: String,
}

/// The `publicKey` member of options.
pub fn public_key(options: enums::DataJSON) -> Value {
    let enums::DataJSON::DataJSON(json) = options;
    let mut options: Value = serde_json::from_str(&json.data).unwrap();
    options["publicKey"].take()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

impl Authenticator {
    /// One that makes a P-256 key.
    pub fn new(id: &[u8]) -> Self {
        let key = EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        Self::with(Key::Es256(key), id)
    }

    /// One that makes an Ed25519 key.
    pub fn ed25519(id: &[u8]) -> Self {
        Self::with(Key::EdDsa(Ed25519KeyPair::generate().unwrap()), id)
    }

    fn with(key: Key, id: &[u8]) -> Self {
        let (id, handle) = (id.to_vec(), String::new());
        Self { key, id, handle }
    }

    /// What it says when it is asked for a passkey.
    pub fn asked_to_create(&mut self, options: &Value) -> Said {
        let handle = URL_SAFE_NO_PAD.decode(text(&options["user"]["id"])).unwrap();
        self.handle = String::from_utf8(handle).unwrap();
        let said = self.asked(options, "webauthn.create", &text(&options["rp"]["id"]));
        let algorithm = match &self.key {
            Key::Es256(_) => -7,
            Key::EdDsa(_) => -8,
        };
        Said {
            flags: USER_PRESENT | USER_VERIFIED | ATTESTED,
            algorithm,
            ..said
        }
    }

    /// What it says when it is asked to log somebody in.
    pub fn asked_to_log_in(&self, options: &Value) -> Said {
        self.asked(options, "webauthn.get", &text(&options["rpId"]))
    }

    fn asked(&self, options: &Value, r#type: &'static str, rp_id: &str) -> Said {
        Said {
            r#type,
            challenge: text(&options["challenge"]),
            origin: format!("https://{RP_ID}"),
            cross_origin: false,
            rp_id: rp_id.to_owned(),
            flags: USER_PRESENT | USER_VERIFIED,
            counter: 0,
            algorithm: 0,
            handle: self.handle.clone(),
        }
    }

    /// The new passkey as a client passes it on.
    pub fn created(&self, said: &Said) -> enums::InputPasskeyCredential {
        let mut data = data(said);
        if said.flags & ATTESTED != 0 {
            data.extend([0; 16]);
            data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
            data.extend(&self.id);
            data.extend(self.cose(said.algorithm));
        }
        // {"fmt": "none", "attStmt": {}, "authData": data}
        let mut attestation = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59".to_vec();
        attestation.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        attestation.extend(data);
        let response = types::InputPasskeyResponseRegister {
            client_data: client_data(said),
            attestation_data: attestation,
        };
        self.credential(response.into())
    }

    /// The proof as a client passes it on.
    pub fn proved(&self, said: &Said) -> enums::InputPasskeyCredential {
        let enums::DataJSON::DataJSON(json) = client_data(said);
        let data = data(said);
        let signed = [&data[..], &Sha256::digest(&json.data)[..]].concat();
        let response = types::InputPasskeyResponseLogin {
            client_data: json.into(),
            authenticator_data: data,
            signature: self.sign(&signed),
            user_handle: said.handle.clone(),
        };
        self.credential(response.into())
    }

    fn credential(&self, response: enums::InputPasskeyResponse) -> enums::InputPasskeyCredential {
        let id = URL_SAFE_NO_PAD.encode(&self.id);
        types::InputPasskeyCredentialPublicKey {
            id: id.clone(),
            raw_id: id,
            response,
        }
        .into()
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.key {
            Key::Es256(key) => key.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Key::EdDsa(key) => key.sign(message).as_ref().to_vec(),
        }
    }

    /// The public key as COSE has it.
    fn cose(&self, algorithm: i8) -> Vec<u8> {
        let algorithm = algorithm.unsigned_abs() - 1 + 0x20;
        match &self.key {
            Key::Es256(key) => {
                let point = key.public_key().as_ref();
                let head = [0xa5, 1, 2, 3, algorithm, 0x20, 1, 0x21, 0x58, 32];
                [&head, &point[1..33], &[0x22, 0x58, 32], &point[33..]].concat()
            }
            Key::EdDsa(key) => {
                let head = [0xa4, 1, 1, 3, algorithm, 0x20, 6, 0x21, 0x58, 32];
                [&head, key.public_key().as_ref()].concat()
            }
        }
    }
}

fn client_data(said: &Said) -> enums::DataJSON {
    let data = json!({
        "type": said.r#type,
        "challenge": said.challenge,
        "origin": said.origin,
        "crossOrigin": said.cross_origin,
    });
    let data = data.to_string();
    types::DataJSON { data }.into()
}

fn data(said: &Said) -> Vec<u8> {
    let mut data = Sha256::digest(&said.rp_id).to_vec();
    data.push(said.flags);
    data.extend(said.counter.to_be_bytes());
    data
}

/// Asks for the options of a new passkey.
pub fn creation(client: &Client) -> Result<Value, RpcError> {
    let enums::account::PasskeyRegistrationOptions::PasskeyRegistrationOptions(asked) =
        client.call(functions::account::InitPasskeyRegistration {})?;
    Ok(public_key(asked.options))
}

pub fn register(
    client: &Client,
    credential: enums::InputPasskeyCredential,
) -> Result<types::Passkey, RpcError> {
    let enums::Passkey::Passkey(passkey) = client.call(functions::account::RegisterPasskey { credential })?;
    Ok(passkey)
}

/// Makes a passkey for who is logged in on a client.
pub fn enrol(client: &Client, mut authenticator: Authenticator) -> Authenticator {
    let said = authenticator.asked_to_create(&creation(client).unwrap());
    register(client, authenticator.created(&said)).unwrap();
    authenticator
}
