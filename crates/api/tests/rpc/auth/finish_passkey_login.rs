//! `auth.initPasskeyLogin`, `auth.finishPasskeyLogin`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use havre_api::error::RpcError;
use havre_sim::{Client, Town};
use havre_tl::{enums, functions};
use serde_json::Value;

use super::{is_logged_in, user};
use crate::authenticator::{self, Authenticator, BACKED_UP, RP_ID, Said, enrol};
use crate::srp;

fn asked(client: &Client) -> Result<Value, RpcError> {
    let enums::auth::PasskeyLoginOptions::PasskeyLoginOptions(options) =
        client.call(functions::auth::InitPasskeyLogin {
            api_id: 1,
            api_hash: "hash".into(),
        })?;
    Ok(authenticator::public_key(options.options))
}

fn finish(
    client: &Client,
    credential: enums::InputPasskeyCredential,
) -> Result<enums::auth::Authorization, RpcError> {
    client.call(functions::auth::FinishPasskeyLogin {
        credential,
        ..Default::default()
    })
}

/// Alice, who has a passkey.
fn alice(town: &Town) -> (Client, Authenticator) {
    let alice = town.person("79990000001", "Alice");
    let device = enrol(&alice, Authenticator::new(b"phone"));
    (alice, device)
}

fn log_in(town: &Town, device: &Authenticator, counter: u32) -> Result<Client, RpcError> {
    let client = town.client();
    let mut said = device.asked_to_log_in(&asked(&client)?);
    said.counter = counter;
    let done = finish(&client, device.proved(&said));
    assert_eq!(done.is_ok(), is_logged_in(&client));
    done.map(|_| client)
}

/// What becomes of a proof that is right but for one thing.
fn refusal(change: impl FnOnce(&mut Said)) -> RpcError {
    let town = authenticator::town(1);
    let (_alice, device) = alice(&town);
    let client = town.client();
    let mut said = device.asked_to_log_in(&asked(&client).unwrap());
    change(&mut said);
    let refused = finish(&client, device.proved(&said)).unwrap_err();
    assert!(!is_logged_in(&client));
    refused
}

#[test]
fn a_passkey_logs_in_and_the_others_are_told() {
    let town = authenticator::town(2);
    let (alice, device) = alice(&town);
    drop(alice.pushed());
    town.pass(60);
    let client = town.client();
    let options = asked(&client).unwrap();
    assert_eq!(
        (&options["rpId"], &options["userVerification"]),
        (&RP_ID.into(), &"required".into())
    );
    assert_eq!(options["allowCredentials"].as_array().map(Vec::len), Some(0));
    let proof = device.proved(&device.asked_to_log_in(&options));
    assert_eq!(user(finish(&client, proof.clone()).unwrap()).id, alice.user().0);
    assert!(is_logged_in(&client));
    assert!(
        finish(&client, proof).is_ok(),
        "the same question twice has the same answer"
    );
    let told = alice.pushed_updates();
    let logins = told
        .iter()
        .filter(|u| matches!(u, enums::Update::UpdateNewAuthorization(_)));
    assert_eq!(logins.count(), 1);
    let enums::account::Passkeys::Passkeys(kept) = alice.call(functions::account::GetPasskeys {}).unwrap();
    let [enums::Passkey::Passkey(kept)] = &kept.passkeys[..] else {
        panic!("{kept:?}")
    };
    assert_eq!(kept.last_usage_date, Some(kept.date + 60));
}

#[test]
fn an_ed25519_key_and_another_allowed_origin_are_as_good() {
    let town = authenticator::town(3);
    let alice = town.person("79990000001", "Alice");
    let device = enrol(&alice, Authenticator::ed25519(b"key on a ring"));
    let client = town.client();
    let mut said = device.asked_to_log_in(&asked(&client).unwrap());
    said.origin = "android:apk-key-hash:abc".into();
    assert!(finish(&client, device.proved(&said)).is_ok());
}

#[test]
fn the_password_is_asked_for_all_the_same() {
    let town = authenticator::town(4);
    let (alice, device) = alice(&town);
    srp::set(&alice, "correct horse");
    let client = town.client();
    let said = device.asked_to_log_in(&asked(&client).unwrap());
    let answer = finish(&client, device.proved(&said));
    assert_eq!(answer, Err(RpcError::SESSION_PASSWORD_NEEDED));
    assert!(!is_logged_in(&client));
    let password = srp::proof(&client, "correct horse");
    let answer = client.call(functions::auth::CheckPassword { password });
    assert_eq!(user(answer.unwrap()).id, alice.user().0);
    assert!(is_logged_in(&client));
}

#[test]
fn each_thing_that_is_wrong_is_refused() {
    const INVALID: RpcError = RpcError::CREDENTIAL_INVALID;
    const ORIGIN: RpcError = RpcError::PASSKEY_ORIGIN_MISMATCH;
    assert_eq!(refusal(|said| said.r#type = "webauthn.create"), INVALID);
    assert_eq!(
        refusal(|said| said.challenge = URL_SAFE_NO_PAD.encode([7; 32])),
        INVALID
    );
    assert_eq!(refusal(|said| said.origin = "https://example.org".into()), ORIGIN);
    assert_eq!(
        refusal(|said| said.origin = format!("https://{RP_ID}.example.org")),
        ORIGIN
    );
    assert_eq!(refusal(|said| said.cross_origin = true), ORIGIN);
    assert_eq!(refusal(|said| said.rp_id = "example.org".into()), INVALID);
    assert_eq!(
        refusal(|said| said.flags &= !authenticator::USER_PRESENT),
        INVALID
    );
    assert_eq!(
        refusal(|said| said.flags &= !authenticator::USER_VERIFIED),
        INVALID
    );
    assert_eq!(refusal(|said| said.flags |= BACKED_UP), INVALID);
    assert_eq!(refusal(|said| said.handle = "2:1".into()), INVALID);
}

#[test]
fn a_proof_is_signed_by_the_passkey_and_as_it_is_shown() {
    let town = authenticator::town(5);
    let (_alice, device) = alice(&town);
    let mut thief = Authenticator::new(b"phone");
    thief.handle.clone_from(&device.handle);
    assert_eq!(log_in(&town, &thief, 0).err(), Some(RpcError::CREDENTIAL_INVALID));
    let client = town.client();
    let proof = device.proved(&device.asked_to_log_in(&asked(&client).unwrap()));
    let enums::InputPasskeyCredential::InputPasskeyCredentialPublicKey(mut proof) = proof;
    let enums::InputPasskeyResponse::InputPasskeyResponseLogin(response) = &mut proof.response else {
        panic!("{proof:?}")
    };
    // The counter is the end of the authenticator data.
    *response.authenticator_data.last_mut().unwrap() = 1;
    assert_eq!(finish(&client, proof.into()), Err(RpcError::CREDENTIAL_INVALID));
}

#[test]
fn a_counter_that_does_not_grow_is_of_a_copy() {
    let town = authenticator::town(6);
    let (_alice, device) = alice(&town);
    for (counter, fine) in [
        (0, true),
        (0, true),
        (5, true),
        (5, false),
        (4, false),
        (0, false),
        (6, true),
    ] {
        assert_eq!(log_in(&town, &device, counter).is_ok(), fine, "{counter}");
    }
}

#[test]
fn a_challenge_is_answered_once_and_within_five_minutes() {
    let town = authenticator::town(7);
    let (_alice, device) = alice(&town);
    let client = town.client();
    let options = asked(&client).unwrap();
    let proof = device.proved(&device.asked_to_log_in(&options));
    town.pass(299);
    finish(&client, proof.clone()).unwrap();
    client.call(functions::auth::LogOut {}).unwrap();
    assert_eq!(
        finish(&client, proof.clone()),
        Err(RpcError::AUTH_RESTART),
        "replayed"
    );
    let stranger = town.client();
    assert_eq!(finish(&stranger, proof), Err(RpcError::AUTH_RESTART));
    let late = device.proved(&device.asked_to_log_in(&asked(&stranger).unwrap()));
    town.pass(300);
    assert_eq!(finish(&stranger, late), Err(RpcError::AUTH_RESTART));
    assert!(!is_logged_in(&stranger));
}

#[test]
fn a_wrong_proof_does_not_use_up_the_challenge() {
    let town = authenticator::town(8);
    let (_alice, device) = alice(&town);
    let client = town.client();
    let options = asked(&client).unwrap();
    let mut said = device.asked_to_log_in(&options);
    said.flags = 0;
    assert!(finish(&client, device.proved(&said)).is_err());
    assert!(finish(&client, device.proved(&device.asked_to_log_in(&options))).is_ok());
}

#[test]
fn nobody_is_logged_in_with_another_persons_passkey_or_with_none() {
    let town = authenticator::town(9);
    let (_alice, device) = alice(&town);
    let bob = town.person("79990000002", "Bob");
    let mut bobs = enrol(&bob, Authenticator::new(b"bob"));
    let bobs_handle = bobs.handle.clone();
    // Bob signs, and says that he is Alice: by her handle, by her passkey's name, by both.
    bobs.handle.clone_from(&device.handle);
    assert_eq!(log_in(&town, &bobs, 0).err(), Some(RpcError::CREDENTIAL_INVALID));
    bobs.id.clone_from(&device.id);
    assert_eq!(log_in(&town, &bobs, 0).err(), Some(RpcError::CREDENTIAL_INVALID));
    bobs.handle = bobs_handle;
    assert_eq!(log_in(&town, &bobs, 0).err(), Some(RpcError::CREDENTIAL_INVALID));
    let unknown = Authenticator::new(b"unknown");
    assert_eq!(
        log_in(&town, &unknown, 0).err(),
        Some(RpcError::CREDENTIAL_INVALID)
    );
}

#[test]
fn a_deleted_passkey_opens_nothing() {
    let town = authenticator::town(10);
    let (alice, device) = alice(&town);
    let id = URL_SAFE_NO_PAD.encode(&device.id);
    assert_eq!(alice.call(functions::account::DeletePasskey { id }), Ok(true));
    assert_eq!(
        log_in(&town, &device, 0).err(),
        Some(RpcError::CREDENTIAL_INVALID)
    );
}

#[test]
fn an_app_that_asked_at_another_data_centre_says_by_which_key() {
    let town = authenticator::town(11);
    let (alice, device) = alice(&town);
    let (first, second) = (town.client(), town.client());
    let proof = device.proved(&device.asked_to_log_in(&asked(&first).unwrap()));
    assert_eq!(finish(&second, proof.clone()), Err(RpcError::AUTH_RESTART));
    let from_key = |id: i64| {
        second.call(functions::auth::FinishPasskeyLogin {
            credential: proof.clone(),
            from_dc_id: Some(1),
            from_auth_key_id: Some(id),
        })
    };
    assert_eq!(
        from_key(0),
        Err(RpcError::AUTH_RESTART),
        "no key is the caller's own"
    );
    assert_eq!(user(from_key(first.key.0).unwrap()).id, alice.user().0);
    assert!(is_logged_in(&second) && !is_logged_in(&first));
    assert_eq!(
        finish(&first, proof),
        Err(RpcError::AUTH_RESTART),
        "used up there"
    );
}

#[test]
fn a_key_that_changes_hands_leaves_no_login_behind() {
    let town = authenticator::town(12);
    let (alice, device) = alice(&town);
    let bob = town.person("79990000002", "Bob");
    let said = device.asked_to_log_in(&asked(&bob).unwrap());
    assert_eq!(
        user(finish(&bob, device.proved(&said)).unwrap()).id,
        alice.user().0
    );
    let logins = town.env().run(async {
        let mut world = town.api().world();
        havre_domain::sessions::all(world.view_user(bob.user())).await
    });
    assert!(logins.unwrap().is_empty());
}

#[test]
fn without_a_domain_nobody_is_asked() {
    let town = Town::new(13);
    assert_eq!(asked(&town.client()), Err(RpcError::PASSKEYS_UNAVAILABLE));
    let town = authenticator::town(14);
    let no_app = town.client().call(functions::auth::InitPasskeyLogin::default());
    assert_eq!(no_app, Err(RpcError::API_ID_INVALID));
}
