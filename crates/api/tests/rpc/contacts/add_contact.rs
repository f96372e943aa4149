use havre_sim::{Client, Town};
use havre_tl::{enums, functions};

pub fn add(who: &Client, whom: &Client, name: &str) -> enums::Updates {
    let request = functions::contacts::AddContact {
        id: who.input_user_of(whom),
        first_name: name.into(),
        ..Default::default()
    };
    who.call(request).unwrap()
}

#[test]
fn the_name_given_is_shown_to_all_sessions_of_the_asker_alone() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let tablet = town.second_login(&alice);
    let bob = town.person("79990000002", "Bob");
    let enums::Updates::Updates(updates) = add(&alice, &bob, "Bobby") else {
        panic!("updates are told whole")
    };
    assert!(matches!(updates.updates[1], enums::Update::UpdatePeerSettings(_)));
    let Some(enums::User::User(user)) = updates.users.first() else {
        panic!("{updates:?}")
    };
    assert_eq!((user.first_name.as_deref(), user.contact), (Some("Bobby"), true));
    assert_eq!(tablet.pushed_updates().len(), 2);
    assert!(alice.pushed().is_empty(), "the answer told it");
    assert!(
        bob.pushed().is_empty(),
        "being somebody's contact is the other's affair"
    );
}

#[test]
fn adding_lets_the_other_see_the_number_and_a_guess_tells_nothing() {
    let town = Town::new(2);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let phone_of = |asker: &Client, whom: &Client| {
        let id = vec![asker.input_user_of(whom)];
        match asker.call(functions::users::GetUsers { id }).unwrap().pop() {
            Some(enums::User::User(user)) => user.phone,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(phone_of(&bob, &alice), None);
    add(&alice, &bob, "Bob");
    assert_eq!(phone_of(&bob, &alice).as_deref(), Some("79990000001"));
    assert_eq!(phone_of(&alice, &bob), None);
}

#[test]
fn refusals() {
    let town = Town::new(3);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let call = |id, first_name: &str| {
        let request = functions::contacts::AddContact {
            id,
            first_name: first_name.into(),
            ..Default::default()
        };
        alice.call(request).unwrap_err().text
    };
    assert_eq!(call(enums::InputUser::InputUserSelf, "Me"), "CONTACT_ID_INVALID");
    assert_eq!(call(alice.input_user_of(&bob), " "), "CONTACT_NAME_EMPTY");
    let wrong = havre_tl::types::InputUser {
        user_id: bob.user().0,
        access_hash: 1,
    };
    assert_eq!(call(wrong.into(), "Bob"), "USER_ID_INVALID");
}

#[test]
fn a_deleted_contact_is_none() {
    let town = Town::new(4);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    add(&alice, &bob, "Bobby");
    let id = vec![alice.input_user_of(&bob)];
    let enums::Updates::Updates(told) = alice.call(functions::contacts::DeleteContacts { id }).unwrap()
    else {
        panic!("updates are told whole")
    };
    let Some(enums::User::User(user)) = told.users.first() else {
        panic!("{told:?}")
    };
    assert_eq!((user.first_name.as_deref(), user.contact), (Some("Bob"), false));
}
