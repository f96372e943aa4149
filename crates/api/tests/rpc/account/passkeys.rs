//! `account.initPasskeyRegistration`, `account.registerPasskey`, `account.getPasskeys`,
//! `account.deletePasskey`.

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use havre_api::error::RpcError;
use havre_sim::{Client, Town};
use havre_tl::{enums, functions, types};
use serde_json::json;

use crate::authenticator::{self, Authenticator, BACKED_UP, RP_ID, Said, creation, enrol, register};

fn all(client: &Client) -> Vec<types::Passkey> {
    let enums::account::Passkeys::Passkeys(passkeys) =
        client.call(functions::account::GetPasskeys {}).unwrap();
    let passkeys = passkeys.passkeys.into_iter();
    passkeys.map(|enums::Passkey::Passkey(passkey)| passkey).collect()
}

/// What becomes of a passkey that is right but for one thing.
fn refusal(change: impl FnOnce(&mut Authenticator, &mut Said)) -> RpcError {
    let town = authenticator::town(1);
    let alice = town.person("79990000001", "Alice");
    let mut device = Authenticator::new(b"phone");
    let mut said = device.asked_to_create(&creation(&alice).unwrap());
    change(&mut device, &mut said);
    let refused = register(&alice, device.created(&said)).unwrap_err();
    assert!(all(&alice).is_empty());
    refused
}

#[test]
fn a_passkey_is_made_listed_and_deleted() {
    let town = authenticator::town(2);
    let alice = town.person("79990000001", "Alice");
    let phone = enrol(&alice, Authenticator::new(b"phone"));
    town.pass(10);
    let key = enrol(&alice, Authenticator::ed25519(b"key on a ring"));
    assert_eq!(key.handle, phone.handle);
    let kept = all(&alice);
    assert_eq!(kept.len(), 2);
    assert_eq!(kept[0].id, URL_SAFE_NO_PAD.encode(b"phone"));
    assert_eq!((kept[0].name.as_str(), kept[0].last_usage_date), ("Test", None));
    assert_eq!(kept[1].date - kept[0].date, 10);
    let delete = |id: String| alice.call(functions::account::DeletePasskey { id });
    assert_eq!(
        delete(URL_SAFE.encode(b"phone")),
        Ok(true),
        "padded, as some clients write it"
    );
    assert_eq!(delete(kept[0].id.clone()), Ok(false));
    assert_eq!(delete("?".into()), Ok(false));
    assert_eq!(all(&alice), kept[1..]);
}

#[test]
fn the_owner_is_told_of_a_new_passkey_everywhere() {
    let town = authenticator::town(12);
    let alice = town.person("79990000001", "Alice");
    let other = town.second_login(&alice);
    town.pass(24 * 3600);
    drop(other.pushed());
    enrol(&alice, Authenticator::new(b"phone"));
    let told = other.pushed_updates();
    let [enums::Update::UpdateNewMessage(new)] = &told[..] else {
        panic!("{told:?}")
    };
    let enums::Message::Message(message) = &new.message else {
        panic!("{new:?}")
    };
    assert!(
        message
            .message
            .starts_with("A passkey was added to your account: Test.")
    );
}

#[test]
fn the_authenticator_is_asked_in_the_standards_words() {
    let town = authenticator::town(3);
    let alice = town.person("79990000001", "Alice");
    enrol(&alice, Authenticator::new(b"phone"));
    let options = creation(&alice).unwrap();
    assert_eq!(options["rp"]["id"], RP_ID);
    assert_eq!(options["user"]["name"], "+79990000001");
    assert_eq!(options["user"]["displayName"], "Alice");
    let algorithms = options["pubKeyCredParams"].as_array().unwrap();
    assert_eq!(
        algorithms.iter().map(|a| &a["alg"]).collect::<Vec<_>>(),
        [&json!(-7), &json!(-8)]
    );
    assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
    assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
    let known = json!([{ "type": "public-key", "id": URL_SAFE_NO_PAD.encode(b"phone") }]);
    assert_eq!(options["excludeCredentials"], known);
    assert_eq!(options["timeout"], 300_000);
    let handle = URL_SAFE_NO_PAD
        .decode(options["user"]["id"].as_str().unwrap())
        .unwrap();
    let handle = String::from_utf8(handle).unwrap();
    let (dc, name) = handle.split_once(':').unwrap();
    assert_eq!(dc, "2", "clients read from it which data centre to go to");
    assert!(
        !handle.contains("7999") && name != alice.user().0.to_string(),
        "{handle}"
    );
    let again = creation(&alice).unwrap();
    assert_ne!(again["challenge"], options["challenge"]);
    assert_eq!(again["user"]["id"], options["user"]["id"]);
}

#[test]
fn each_thing_that_is_wrong_is_refused() {
    const INVALID: RpcError = RpcError::CREDENTIAL_INVALID;
    const ORIGIN: RpcError = RpcError::PASSKEY_ORIGIN_MISMATCH;
    assert_eq!(refusal(|_, said| said.r#type = "webauthn.get"), INVALID);
    assert_eq!(
        refusal(|_, said| said.challenge = URL_SAFE_NO_PAD.encode([7; 32])),
        INVALID
    );
    assert_eq!(
        refusal(|_, said| said.origin = "https://example.org".into()),
        ORIGIN
    );
    assert_eq!(refusal(|_, said| said.origin = format!("http://{RP_ID}")), ORIGIN);
    assert_eq!(refusal(|_, said| said.cross_origin = true), ORIGIN);
    assert_eq!(refusal(|_, said| said.rp_id = "example.org".into()), INVALID);
    assert_eq!(
        refusal(|_, said| said.flags &= !authenticator::USER_PRESENT),
        INVALID
    );
    assert_eq!(
        refusal(|_, said| said.flags &= !authenticator::USER_VERIFIED),
        INVALID
    );
    assert_eq!(
        refusal(|_, said| said.flags |= BACKED_UP),
        INVALID,
        "of a key that stays where it is"
    );
    assert_eq!(refusal(|_, said| said.flags &= 0xf), INVALID, "no credential");
    assert_eq!(
        refusal(|_, said| said.algorithm = -8),
        INVALID,
        "another algorithm than the key's"
    );
    assert_eq!(
        refusal(|device, _| device.id = vec![1; 1024]),
        INVALID,
        "too long an id"
    );
    assert_eq!(refusal(|device, _| device.id.clear()), INVALID);
}

#[test]
fn an_id_of_full_length_is_fine() {
    let town = authenticator::town(4);
    let alice = town.person("79990000001", "Alice");
    enrol(&alice, Authenticator::new(&[1; 1023]));
    assert_eq!(all(&alice).len(), 1);
}

#[test]
fn the_id_is_the_one_that_was_signed_for() {
    let town = authenticator::town(5);
    let alice = town.person("79990000001", "Alice");
    let mut device = Authenticator::new(b"phone");
    let said = device.asked_to_create(&creation(&alice).unwrap());
    let enums::InputPasskeyCredential::InputPasskeyCredentialPublicKey(mut credential) =
        device.created(&said);
    credential.raw_id = URL_SAFE_NO_PAD.encode(b"other");
    let refused = register(&alice, credential.into());
    assert_eq!(refused, Err(RpcError::CREDENTIAL_INVALID));
}

#[test]
fn a_challenge_is_for_one_passkey_one_login_and_five_minutes() {
    let town = authenticator::town(6);
    let alice = town.person("79990000001", "Alice");
    let other = town.second_login(&alice);
    town.pass(24 * 3600);
    let mut phone = Authenticator::new(b"phone");
    let options = creation(&alice).unwrap();
    let said = phone.asked_to_create(&options);
    let elsewhere = register(&other, phone.created(&said));
    assert_eq!(elsewhere, Err(RpcError::CREDENTIAL_INVALID));
    town.pass(299);
    assert!(register(&alice, phone.created(&said)).is_ok());
    let again = register(&alice, phone.created(&said));
    assert!(again.is_ok(), "the same question twice has the same answer");
    assert_eq!(all(&alice).len(), 1);
    let mut second = Authenticator::new(b"second");
    let said = second.asked_to_create(&options);
    let replayed = register(&alice, second.created(&said));
    assert_eq!(replayed, Err(RpcError::CREDENTIAL_INVALID));
    let said = second.asked_to_create(&creation(&alice).unwrap());
    town.pass(300);
    let late = register(&alice, second.created(&said));
    assert_eq!(late, Err(RpcError::CREDENTIAL_INVALID));
}

#[test]
fn nobody_takes_the_id_of_somebody_elses_passkey() {
    let town = authenticator::town(7);
    let (alice, bob) = (
        town.person("79990000001", "Alice"),
        town.person("79990000002", "Bob"),
    );
    enrol(&alice, Authenticator::new(b"phone"));
    let mut copy = Authenticator::new(b"phone");
    let said = copy.asked_to_create(&creation(&bob).unwrap());
    assert_eq!(
        register(&bob, copy.created(&said)),
        Err(RpcError::CREDENTIAL_INVALID)
    );
    let id = URL_SAFE_NO_PAD.encode(b"phone");
    assert_eq!(alice.call(functions::account::DeletePasskey { id }), Ok(true));
    assert!(
        register(&bob, copy.created(&said)).is_ok(),
        "once it was given up"
    );
}

#[test]
fn a_person_has_so_many_passkeys() {
    let town = authenticator::town(8);
    let alice = town.person("79990000001", "Alice");
    let mut eleventh = Authenticator::new(b"eleventh");
    for n in 0..10 {
        enrol(&alice, Authenticator::new(&[n]));
    }
    assert_eq!(creation(&alice), Err(RpcError::PASSKEYS_TOO_MUCH));
    let id = URL_SAFE_NO_PAD.encode([0]);
    alice.call(functions::account::DeletePasskey { id }).unwrap();
    let said = eleventh.asked_to_create(&creation(&alice).unwrap());
    assert!(register(&alice, eleventh.created(&said)).is_ok());
}

#[test]
fn a_login_younger_than_a_day_makes_passkeys_only_when_it_is_the_only_one() {
    let town = authenticator::town(9);
    let alice = town.person("79990000001", "Alice");
    assert!(
        creation(&alice).is_ok(),
        "whoever just signed up has no other way back"
    );
    town.pass(24 * 3600);
    let thief = town.second_login(&alice);
    assert_eq!(
        creation(&thief),
        Err(RpcError::FRESH_RESET_AUTHORISATION_FORBIDDEN)
    );
    assert!(creation(&alice).is_ok());
    town.pass(24 * 3600);
    assert!(creation(&thief).is_ok());
}

#[test]
fn without_a_domain_there_are_no_passkeys() {
    let town = Town::new(10);
    let alice = town.person("79990000001", "Alice");
    assert_eq!(creation(&alice), Err(RpcError::PASSKEYS_UNAVAILABLE));
    assert!(all(&alice).is_empty());
    let mut other = Authenticator::new(b"phone");
    let elsewhere = authenticator::town(11);
    let options = creation(&elsewhere.person("79990000001", "Alice")).unwrap();
    let said = other.asked_to_create(&options);
    assert_eq!(
        register(&alice, other.created(&said)),
        Err(RpcError::PASSKEYS_UNAVAILABLE)
    );
}
