//! `account.checkUsername`, `account.updateUsername`.

use havre_api::error::RpcError;
use havre_sim::{Client, Town};
use havre_tl::{enums, functions, types};

use super::{seen, user};

fn take(client: &Client, name: &str) -> Result<types::User, RpcError> {
    let request = functions::account::UpdateUsername {
        username: name.into(),
    };
    client.call(request).map(user)
}

fn check(client: &Client, name: &str) -> Result<bool, RpcError> {
    client.call(functions::account::CheckUsername {
        username: name.into(),
    })
}

#[test]
fn a_name_has_one_owner_whatever_its_case() {
    let town = Town::new(1);
    let (alice, bob) = (
        town.person("79990000001", "Alice"),
        town.person("79990000002", "Bob"),
    );
    assert_eq!(check(&bob, "alice_a"), Ok(true));
    assert_eq!(
        take(&alice, "Alice_A").unwrap().username.as_deref(),
        Some("Alice_A")
    );
    assert_eq!(check(&bob, "alice_a"), Err(RpcError::USERNAME_OCCUPIED));
    assert_eq!(take(&bob, "ALICE_a").unwrap_err(), RpcError::USERNAME_OCCUPIED);
    assert_eq!(seen(&bob, &alice).username.as_deref(), Some("Alice_A"));
    assert_eq!(
        take(&alice, "Alice_A").unwrap_err(),
        RpcError::USERNAME_NOT_MODIFIED
    );
}

#[test]
fn a_name_that_is_given_up_is_free() {
    let town = Town::new(2);
    let (alice, bob) = (
        town.person("79990000001", "Alice"),
        town.person("79990000002", "Bob"),
    );
    take(&alice, "first_name").unwrap();
    take(&alice, "second_name").unwrap();
    assert!(
        take(&bob, "first_name").is_ok(),
        "another name lets the first one go"
    );
    assert_eq!(take(&alice, "").unwrap().username, None);
    assert!(take(&bob, "second_name").is_ok());
}

#[test]
fn changing_case_keeps_the_name() {
    let town = Town::new(3);
    let (alice, bob) = (
        town.person("79990000001", "Alice"),
        town.person("79990000002", "Bob"),
    );
    take(&alice, "alice_a").unwrap();
    assert_eq!(
        take(&alice, "Alice_A").unwrap().username.as_deref(),
        Some("Alice_A")
    );
    assert_eq!(check(&bob, "alice_a"), Err(RpcError::USERNAME_OCCUPIED));
}

#[test]
fn other_sessions_are_told() {
    let town = Town::new(4);
    let alice = town.person("79990000001", "Alice");
    let phone = town.second_login(&alice);
    take(&alice, "alice_a").unwrap();
    let told = phone.pushed_updates();
    let [enums::Update::UpdateUserName(update)] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!(update.usernames.len(), 1);
}

#[test]
fn what_cannot_be_a_name_is_refused() {
    let town = Town::new(5);
    let alice = town.person("79990000001", "Alice");
    for name in [
        "abcd",
        "1abcde",
        "with space",
        "ünicode",
        "ends_",
        &"x".repeat(33),
    ] {
        assert_eq!(check(&alice, name), Err(RpcError::USERNAME_INVALID), "{name}");
        assert_eq!(
            take(&alice, name).unwrap_err(),
            RpcError::USERNAME_INVALID,
            "{name}"
        );
    }
}
