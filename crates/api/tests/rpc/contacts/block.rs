use havre_sim::{Client, Town};
use havre_tl::{enums, functions};

fn block(who: &Client, whom: &Client) {
    let id = who.input_peer_of(whom);
    let request = functions::contacts::Block {
        my_stories_from: false,
        id,
    };
    assert!(who.call(request).unwrap());
}

fn blocked(who: &Client, limit: i32) -> enums::contacts::Blocked {
    let request = functions::contacts::GetBlocked {
        limit,
        ..Default::default()
    };
    who.call(request).unwrap()
}

#[test]
fn what_the_blocked_write_does_not_arrive_and_nobody_is_told() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let tablet = town.second_login(&alice);
    let bob = town.person("79990000002", "Bob");
    block(&alice, &bob);
    block(&alice, &bob);
    let pushed = tablet.pushed_updates();
    assert!(matches!(&pushed[..], [enums::Update::UpdatePeerBlocked(u)] if u.blocked));
    assert!(bob.pushed().is_empty());
    bob.say(bob.input_peer_of(&alice), "hello?").unwrap();
    assert!(tablet.pushed().is_empty());
    let id = alice.input_peer_of(&bob);
    let request = functions::contacts::Unblock {
        my_stories_from: false,
        id,
    };
    assert!(alice.call(request).unwrap());
    bob.say(bob.input_peer_of(&alice), "now?").unwrap();
    assert_eq!(tablet.pushed_updates().len(), 2, "unblocked, and the message");
}

#[test]
fn the_blocked_see_less() {
    let town = Town::new(2);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    block(&alice, &bob);
    let id = vec![bob.input_user_of(&alice)];
    let Some(enums::User::User(user)) = bob.call(functions::users::GetUsers { id }).unwrap().pop() else {
        panic!("alice is there")
    };
    assert_eq!(user.photo, None);
    assert!(!matches!(
        user.status,
        Some(enums::UserStatus::UserStatusOnline(_))
    ));
}

#[test]
fn blocked_people_are_listed_in_pages_the_newest_first() {
    let town = Town::new(3);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let carol = town.person("79990000003", "Carol");
    block(&alice, &bob);
    town.pass(5);
    block(&alice, &carol);
    let enums::contacts::Blocked::BlockedSlice(slice) = blocked(&alice, 1) else {
        panic!("one of two is a slice")
    };
    assert_eq!((slice.count, slice.blocked.len(), slice.users.len()), (2, 1, 1));
    let enums::PeerBlocked::PeerBlocked(newest) = &slice.blocked[0];
    let enums::Peer::PeerUser(newest) = &newest.peer_id else {
        panic!("people are blocked")
    };
    assert_eq!(newest.user_id, carol.user().0);
    assert!(matches!(blocked(&alice, 10), enums::contacts::Blocked::Blocked(b) if b.blocked.len() == 2));
}

#[test]
fn nobody_blocks_themselves() {
    let town = Town::new(4);
    let alice = town.person("79990000001", "Alice");
    let request = functions::contacts::Block {
        my_stories_from: false,
        id: enums::InputPeer::InputPeerSelf,
    };
    assert_eq!(alice.call(request).unwrap_err().text, "CONTACT_ID_INVALID");
}
