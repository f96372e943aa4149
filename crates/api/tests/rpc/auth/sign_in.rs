//! `auth.signIn`.

use havre_api::error::RpcError;
use havre_sim::Town;
use havre_tl::{enums, functions};

use super::{code_of, is_logged_in, log_in, send_code, sign_in, user};

#[test]
fn the_right_code_logs_in_and_others_are_told() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let (phone, answer) = log_in(&town, "+79990000001");
    let me = user(answer.unwrap());
    assert!(me.is_self && me.id == alice.user().0);
    assert_eq!(me.phone.as_deref(), Some("79990000001"));
    assert!(is_logged_in(&phone));
    let told = alice.pushed_updates();
    assert!(
        told.iter()
            .any(|u| matches!(u, enums::Update::UpdateNewAuthorization(a) if a.hash != 0)),
        "{told:?}"
    );
}

#[test]
fn the_same_question_twice_has_the_same_answer() {
    let town = Town::new(2);
    let _alice = town.person("79990000001", "Alice");
    let client = town.client();
    let sent = send_code(&client, "79990000001").unwrap();
    let code = town
        .env()
        .run(town.api().pending_code("79990000001"))
        .unwrap()
        .unwrap();
    let first = sign_in(&client, "79990000001", &sent.phone_code_hash, &code);
    assert_eq!(
        first,
        sign_in(&client, "79990000001", &sent.phone_code_hash, &code)
    );
    let other = sign_in(&town.client(), "79990000001", &sent.phone_code_hash, &code);
    assert_eq!(other, Err(RpcError::PHONE_CODE_EXPIRED), "a code is used once");
}

#[test]
fn a_free_number_may_sign_up() {
    let town = Town::new(3);
    let client = town.client();
    let sent = send_code(&client, "79990000001").unwrap();
    let answer = sign_in(
        &client,
        "79990000001",
        &sent.phone_code_hash,
        &code_of(&town, "79990000001"),
    );
    assert!(matches!(
        answer,
        Ok(enums::auth::Authorization::AuthorizationSignUpRequired(_))
    ));
    assert!(!is_logged_in(&client));
}

#[test]
fn wrong_codes_are_counted() {
    let town = Town::new(4);
    let client = town.client();
    let sent = send_code(&client, "79990000001").unwrap();
    let right = code_of(&town, "79990000001");
    let wrong = if right == "00000" { "00001" } else { "00000" };
    for _ in 0..5 {
        let refused = sign_in(&client, "79990000001", &sent.phone_code_hash, wrong);
        assert_eq!(refused, Err(RpcError::PHONE_CODE_INVALID));
    }
    let late = sign_in(&client, "79990000001", &sent.phone_code_hash, &right);
    assert_eq!(late, Err(RpcError::PHONE_CODE_EXPIRED));
}

#[test]
fn codes_end_with_time_and_belong_to_their_attempt() {
    let town = Town::new(5);
    let client = town.client();
    let sent = send_code(&client, "79990000001").unwrap();
    let code = code_of(&town, "79990000001");
    let other = sign_in(&client, "79990000001", "other", &code);
    assert_eq!(other, Err(RpcError::PHONE_CODE_EXPIRED));
    let none = client.call(functions::auth::SignIn {
        phone_number: "79990000001".into(),
        phone_code_hash: sent.phone_code_hash.clone(),
        ..Default::default()
    });
    assert_eq!(none, Err(RpcError::PHONE_CODE_EMPTY));
    town.pass(301);
    let late = sign_in(&client, "79990000001", &sent.phone_code_hash, &code);
    assert_eq!(late, Err(RpcError::PHONE_CODE_EXPIRED));
}

#[test]
fn a_key_that_changes_hands_leaves_no_login_behind() {
    let town = Town::new(6);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let sent = send_code(&alice, "79990000002").unwrap();
    let code = town
        .env()
        .run(town.api().pending_code("79990000002"))
        .unwrap()
        .unwrap();
    let answer = sign_in(&alice, "79990000002", &sent.phone_code_hash, &code).unwrap();
    assert_eq!(user(answer).id, bob.user().0);
    let me = alice
        .call(functions::users::GetUsers {
            id: vec![enums::InputUser::InputUserSelf],
        })
        .unwrap();
    assert!(matches!(&me[..], [enums::User::User(u)] if u.id == bob.user().0));
}
