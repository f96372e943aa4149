//! `auth.signUp`.

use havre_api::error::RpcError;
use havre_sim::{Client, Town};

use super::{code_of, is_logged_in, send_code, sign_in, sign_up, user};

/// A client that entered the right code of a free number, and the attempt's name.
fn ready(town: &Town) -> (Client, String) {
    let client = town.client();
    let hash = send_code(&client, "79990000001").unwrap().phone_code_hash;
    sign_in(&client, "79990000001", &hash, &code_of(town, "79990000001")).unwrap();
    (client, hash)
}

#[test]
fn a_new_person_is_logged_in() {
    let town = Town::new(1);
    let (client, hash) = ready(&town);
    let me = user(sign_up(&client, "79990000001", &hash, " Alice ").unwrap());
    assert!(me.is_self);
    assert_eq!(me.first_name.as_deref(), Some("Alice"));
    assert_eq!(me.phone.as_deref(), Some("79990000001"));
    assert!(is_logged_in(&client));
    let again = user(sign_up(&client, "79990000001", &hash, "Alice").unwrap());
    assert_eq!(again.id, me.id, "the same question twice makes one account");
}

#[test]
fn nobody_signs_up_without_the_code() {
    let town = Town::new(2);
    let client = town.client();
    let hash = send_code(&client, "79990000001").unwrap().phone_code_hash;
    let early = sign_up(&client, "79990000001", &hash, "Alice");
    assert_eq!(early, Err(RpcError::PHONE_CODE_INVALID));
    let stranger = sign_up(&client, "79990000001", "other", "Alice");
    assert_eq!(stranger, Err(RpcError::PHONE_CODE_EXPIRED));
}

#[test]
fn names_are_checked() {
    let town = Town::new(3);
    let (client, hash) = ready(&town);
    let refused = |name: &str| sign_up(&client, "79990000001", &hash, name);
    assert_eq!(refused("  "), Err(RpcError::FIRSTNAME_INVALID));
    assert_eq!(refused(&"x".repeat(65)), Err(RpcError::FIRSTNAME_INVALID));
    assert!(sign_up(&client, "79990000001", &hash, &"é".repeat(64)).is_ok());
}

#[test]
fn a_number_has_one_owner() {
    let town = Town::new(4);
    let (client, hash) = ready(&town);
    sign_up(&client, "79990000001", &hash, "Alice").unwrap();
    let other = sign_up(&town.client(), "79990000001", &hash, "Mallory");
    assert_eq!(other, Err(RpcError::PHONE_NUMBER_OCCUPIED));
}
