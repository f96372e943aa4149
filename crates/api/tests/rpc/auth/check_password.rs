//! `auth.checkPassword`.

use havre_api::error::RpcError;
use havre_sim::Town;
use havre_tl::{enums, functions};

use super::{is_logged_in, log_in, user};
use crate::srp;

#[test]
fn the_code_is_not_enough_and_the_password_is() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    srp::set(&alice, "correct horse");
    let (phone, answer) = log_in(&town, "79990000001");
    assert_eq!(answer, Err(RpcError::SESSION_PASSWORD_NEEDED));
    assert!(!is_logged_in(&phone));
    assert_eq!(srp::state(&phone).hint.as_deref(), Some("the usual"));
    let wrong = functions::auth::CheckPassword {
        password: srp::proof(&phone, "wrong"),
    };
    assert_eq!(phone.call(wrong), Err(RpcError::PASSWORD_HASH_INVALID));
    assert!(!is_logged_in(&phone));
    let right = functions::auth::CheckPassword {
        password: srp::proof(&phone, "correct horse"),
    };
    assert_eq!(user(phone.call(right.clone()).unwrap()).id, alice.user().0);
    assert!(is_logged_in(&phone));
    assert!(
        phone.call(right).is_ok(),
        "the same question twice has the same answer"
    );
    let told = alice.pushed_updates();
    let logins = told
        .iter()
        .filter(|u| matches!(u, enums::Update::UpdateNewAuthorization(_)));
    assert_eq!(logins.count(), 1);
}

#[test]
fn wrong_passwords_are_limited() {
    let town = Town::new(2);
    let alice = town.person("79990000001", "Alice");
    srp::set(&alice, "correct horse");
    let (phone, _) = log_in(&town, "79990000001");
    let check = |password| phone.call(functions::auth::CheckPassword { password });
    for _ in 0..5 {
        assert_eq!(
            check(srp::proof(&phone, "wrong")),
            Err(RpcError::PASSWORD_HASH_INVALID)
        );
    }
    assert_eq!(
        check(srp::proof(&phone, "correct horse")),
        Err(RpcError::flood_wait(3600))
    );
}

#[test]
fn steps_end_with_time_and_with_the_password() {
    let town = Town::new(3);
    let alice = town.person("79990000001", "Alice");
    srp::set(&alice, "correct horse");
    let (phone, _) = log_in(&town, "79990000001");
    let check = |password| phone.call(functions::auth::CheckPassword { password });
    let old = srp::proof(&phone, "correct horse");
    town.pass(601);
    assert_eq!(check(old), Err(RpcError::SRP_ID_INVALID));
    let before = srp::proof(&phone, "correct horse");
    let state = srp::state(&alice);
    let change = functions::account::UpdatePasswordSettings {
        password: srp::proof_for(&state, "correct horse"),
        new_settings: srp::settings(&state, "battery staple", "").into(),
    };
    assert_eq!(alice.call(change), Ok(true));
    assert_eq!(check(before), Err(RpcError::SRP_PASSWORD_CHANGED));
    assert!(check(srp::proof(&phone, "battery staple")).is_ok());
}

#[test]
fn nobody_is_asked_for_a_password_before_the_code() {
    let town = Town::new(4);
    let anon = town.client();
    let asked = anon.call(functions::account::GetPassword {});
    assert_eq!(asked, Err(RpcError::AUTH_KEY_UNREGISTERED));
}

#[test]
fn a_public_number_out_of_range_is_refused() {
    let town = Town::new(5);
    let alice = town.person("79990000001", "Alice");
    srp::set(&alice, "correct horse");
    for a in [Vec::new(), vec![1], vec![0xff; 256], vec![1; 300]] {
        let enums::InputCheckPasswordSRP::InputCheckPasswordSRP(mut proof) =
            srp::proof(&alice, "correct horse")
        else {
            panic!("a proof")
        };
        proof.a = a;
        let refused = alice.call(functions::auth::CheckPassword {
            password: proof.into(),
        });
        assert_eq!(refused, Err(RpcError::SRP_A_INVALID));
    }
}
