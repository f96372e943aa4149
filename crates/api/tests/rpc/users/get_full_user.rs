use havre_sim::{Client, Town};
use havre_tl::{enums, functions, types};

fn full(who: &Client, id: enums::InputUser) -> types::users::UserFull {
    let enums::users::UserFull::UserFull(full) = who.call(functions::users::GetFullUser { id }).unwrap();
    full
}

#[test]
fn oneself_is_told_whole() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let answer = full(&alice, enums::InputUser::InputUserSelf);
    let enums::UserFull::UserFull(about) = answer.full_user;
    assert_eq!((about.id, about.common_chats_count), (alice.user().0, 0));
    let Some(enums::User::User(user)) = answer.users.first() else {
        panic!("the person is in `users`")
    };
    assert!(user.is_self);
    assert_eq!(user.phone.as_deref(), Some("79990000001"));
}

#[test]
fn the_bar_offers_to_add_strangers_and_blocking_shows() {
    let town = Town::new(2);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let about = |_: ()| {
        let enums::UserFull::UserFull(about) = full(&alice, alice.input_user_of(&bob)).full_user;
        let enums::PeerSettings::PeerSettings(settings) = about.settings.clone();
        (about, settings)
    };
    let (before, settings) = about(());
    assert!(settings.add_contact && !before.blocked);
    let request = functions::contacts::Block {
        my_stories_from: false,
        id: alice.input_peer_of(&bob),
    };
    alice.call(request).unwrap();
    let request = functions::contacts::AddContact {
        id: alice.input_user_of(&bob),
        first_name: "Bob".into(),
        ..Default::default()
    };
    alice.call(request).unwrap();
    let (after, settings) = about(());
    assert!(after.blocked && !settings.add_contact);
}

#[test]
fn a_wrong_access_hash_names_nobody() {
    let town = Town::new(3);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let id = types::InputUser {
        user_id: bob.user().0,
        access_hash: 7,
    };
    let refused = alice.call(functions::users::GetFullUser { id: id.into() });
    assert_eq!(refused.unwrap_err().text, "USER_ID_INVALID");
}
