//! What random schedules found, told once more in a few steps.

use havre_sim::replica::Replica;
use havre_sim::{Client, Town};
use havre_tl::{enums, functions, types};

fn two_people() -> (Town, Client, Client) {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    (town, alice, bob)
}

#[test]
fn up_25_reading_takes_away_the_mark_of_unread_everywhere() {
    let (town, alice, bob) = two_people();
    let mut phone = Replica::new(town.second_login(&bob));
    alice.say(alice.input_peer_of(&bob), "salut").unwrap();
    let peer = bob.input_peer_of(&alice);
    let mark = functions::messages::MarkDialogUnread {
        unread: true,
        peer: types::InputDialogPeer { peer: peer.clone() }.into(),
        ..Default::default()
    };
    bob.call(mark).unwrap();
    phone.difference();
    assert_eq!(phone.knows.uncounted.marked.len(), 1);
    bob.call(functions::messages::ReadHistory { peer, max_id: 0 })
        .unwrap();
    phone.difference();
    assert!(phone.knows.uncounted.marked.is_empty());
}

#[test]
fn a_group_that_was_left_and_emptied_can_be_unpinned() {
    let (_town, alice, bob) = two_people();
    let create = functions::messages::CreateChat {
        users: vec![alice.input_user_of(&bob)],
        title: "group".into(),
        ttl_period: None,
    };
    let enums::messages::InvitedUsers::InvitedUsers(made) = alice.call(create).unwrap();
    let enums::Updates::Updates(types::Updates { chats, .. }) = made.updates else {
        panic!("updates")
    };
    let Some(enums::Chat::Chat(types::Chat { id: chat_id, .. })) = chats.first().cloned() else {
        panic!("a chat")
    };
    let peer: enums::InputPeer = types::InputPeerChat { chat_id }.into();
    let pin = |pinned| functions::messages::ToggleDialogPin {
        pinned,
        peer: types::InputDialogPeer { peer: peer.clone() }.into(),
    };
    bob.call(pin(true)).unwrap();
    let user_id = enums::InputUser::InputUserSelf;
    bob.call(functions::messages::DeleteChatUser {
        chat_id,
        user_id,
        ..Default::default()
    })
    .unwrap();
    let clear = functions::messages::DeleteHistory {
        peer: peer.clone(),
        ..Default::default()
    };
    bob.call(clear).unwrap();
    assert_eq!(bob.call(pin(false)), Ok(true));
}
