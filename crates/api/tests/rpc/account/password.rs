//! `account.getPassword`, `account.getPasswordSettings`, `account.updatePasswordSettings`.

use havre_api::error::RpcError;
use havre_sim::{Client, Town};
use havre_tl::{enums, functions, types};

use crate::srp;

fn update(
    client: &Client,
    password: enums::InputCheckPasswordSRP,
    new_settings: types::account::PasswordInputSettings,
) -> Result<bool, RpcError> {
    client.call(functions::account::UpdatePasswordSettings {
        password,
        new_settings: new_settings.into(),
    })
}

#[test]
fn without_a_password_clients_get_what_they_need_to_set_one() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let state = srp::state(&alice);
    assert!(!state.has_password && state.srp_id.is_none());
    assert_eq!(state.secure_random.len(), 256);
    let offered = srp::algo(state.new_algo);
    assert_eq!((offered.g, offered.p.len()), (3, 256));
}

#[test]
fn a_password_is_set_changed_and_removed() {
    let town = Town::new(2);
    let alice = town.person("79990000001", "Alice");
    srp::set(&alice, "correct horse");
    let state = srp::state(&alice);
    assert!(state.has_password);
    let change = srp::settings(&state, "battery staple", "");
    let unproved = update(
        &alice,
        enums::InputCheckPasswordSRP::InputCheckPasswordEmpty,
        change.clone(),
    );
    assert_eq!(unproved, Err(RpcError::PASSWORD_HASH_INVALID));
    let wrong = update(&alice, srp::proof_for(&state, "wrong"), change.clone());
    assert_eq!(wrong, Err(RpcError::PASSWORD_HASH_INVALID));
    assert_eq!(
        update(&alice, srp::proof_for(&state, "correct horse"), change),
        Ok(true)
    );
    let settings = functions::account::GetPasswordSettings {
        password: srp::proof(&alice, "battery staple"),
    };
    assert!(alice.call(settings).is_ok());
    let remove = types::account::PasswordInputSettings {
        new_algo: Some(enums::PasswordKdfAlgo::PasswordKdfAlgoUnknown),
        new_password_hash: Some(Vec::new()),
        hint: Some(String::new()),
        ..Default::default()
    };
    assert_eq!(
        update(&alice, srp::proof(&alice, "battery staple"), remove),
        Ok(true)
    );
    assert!(!srp::state(&alice).has_password);
}

#[test]
fn settings_that_would_lock_the_owner_out_are_refused() {
    let town = Town::new(3);
    let alice = town.person("79990000001", "Alice");
    let state = srp::state(&alice);
    let good = srp::settings(&state, "correct horse", "");
    let empty = || enums::InputCheckPasswordSRP::InputCheckPasswordEmpty;
    let mut salted = srp::algo(good.new_algo.clone().unwrap());
    salted.salt2 = vec![0; 16];
    let wrong = [
        (
            types::account::PasswordInputSettings {
                new_algo: Some(salted.into()),
                ..good.clone()
            },
            RpcError::NEW_SALT_INVALID,
        ),
        (
            types::account::PasswordInputSettings {
                new_algo: Some(state.new_algo.clone()),
                ..good.clone()
            },
            RpcError::NEW_SALT_INVALID,
        ),
        (
            types::account::PasswordInputSettings {
                new_password_hash: Some(vec![1]),
                ..good.clone()
            },
            RpcError::NEW_SETTINGS_INVALID,
        ),
        (
            types::account::PasswordInputSettings::default(),
            RpcError::NEW_SETTINGS_INVALID,
        ),
        (
            types::account::PasswordInputSettings {
                email: Some("alice@example.org".into()),
                ..good
            },
            RpcError::EMAIL_INVALID,
        ),
    ];
    for (settings, error) in wrong {
        assert_eq!(update(&alice, empty(), settings), Err(error));
    }
    assert!(!srp::state(&alice).has_password);
}
