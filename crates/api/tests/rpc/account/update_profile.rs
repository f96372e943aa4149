//! `account.updateProfile`.

use havre_api::error::RpcError;
use havre_sim::Town;
use havre_tl::{enums, functions};

use super::{seen, user};

fn named(first_name: &str) -> functions::account::UpdateProfile {
    functions::account::UpdateProfile {
        first_name: Some(first_name.into()),
        ..Default::default()
    }
}

#[test]
fn other_sessions_and_people_who_talked_with_them_are_told() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let phone = town.second_login(&alice);
    let bob = town.person("79990000002", "Bob");
    let stranger = town.person("79990000003", "Carol");
    alice.say(alice.input_peer_of(&bob), "salut").unwrap();
    drop((alice.pushed(), phone.pushed(), bob.pushed()));
    let me = user(alice.call(named(" Alicia ")).unwrap());
    assert!(me.is_self);
    assert_eq!(me.first_name.as_deref(), Some("Alicia"));
    for told in [phone.pushed_updates(), bob.pushed_updates()] {
        let renamed =
            |u: &enums::Update| matches!(u, enums::Update::UpdateUserName(n) if n.first_name == "Alicia");
        assert!(told.iter().any(renamed), "{told:?}");
    }
    assert!(stranger.pushed().is_empty());
    assert_eq!(seen(&bob, &alice).first_name.as_deref(), Some("Alicia"));
}

#[test]
fn what_is_not_given_stays() {
    let town = Town::new(2);
    let alice = town.person("79990000001", "Alice");
    let about = functions::account::UpdateProfile {
        last_name: Some("Smith".into()),
        about: Some("Hello".into()),
        ..Default::default()
    };
    alice.call(about).unwrap();
    let me = user(alice.call(functions::account::UpdateProfile::default()).unwrap());
    assert_eq!(me.first_name.as_deref(), Some("Alice"));
    assert_eq!(me.last_name.as_deref(), Some("Smith"));
}

#[test]
fn empty_and_long_values_are_refused() {
    let town = Town::new(3);
    let alice = town.person("79990000001", "Alice");
    assert_eq!(alice.call(named("")), Err(RpcError::FIRSTNAME_INVALID));
    assert_eq!(
        alice.call(named(&"x".repeat(65))),
        Err(RpcError::FIRSTNAME_INVALID)
    );
    let about = functions::account::UpdateProfile {
        about: Some("x".repeat(256)),
        ..Default::default()
    };
    assert_eq!(alice.call(about), Err(RpcError::ABOUT_TOO_LONG));
}
