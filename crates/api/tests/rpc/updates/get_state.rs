use havre_sim::town::{Client, Town};
use havre_tl::{enums, functions, types};

/// What `getState` tells, after making sure that it is what all conversations tell together, and that a
/// difference and a list of conversations tell the same.
fn unread(who: &Client) -> i32 {
    let enums::updates::State::State(state) = who.call(functions::updates::GetState {}).unwrap();
    let request = functions::messages::GetDialogs {
        limit: 100,
        ..Default::default()
    };
    let enums::messages::Dialogs::Dialogs(all) = who.call(request).unwrap() else {
        panic!("they fit on one page")
    };
    let counts = all.dialogs.iter().map(|row| match row {
        enums::Dialog::Dialog(dialog) => dialog.unread_count,
        _ => panic!("conversations of both folders"),
    });
    assert_eq!(state.unread_count, counts.sum::<i32>());
    let pinned = who.call(functions::messages::GetPinnedDialogs { folder_id: 0 });
    let enums::messages::PeerDialogs::PeerDialogs(pinned) = pinned.unwrap();
    assert_eq!(pinned.state, state.clone().into());
    let since = functions::updates::GetDifference {
        date: 1,
        ..Default::default()
    };
    match who.call(since).unwrap() {
        enums::updates::Difference::Difference(d) => assert_eq!(d.state, state.clone().into()),
        enums::updates::Difference::DifferenceEmpty(_) => assert_eq!(state.unread_count, 0),
        other => panic!("{other:?}"),
    }
    state.unread_count
}

fn ids(who: &Client, with: &Client) -> Vec<i32> {
    let request = functions::messages::GetHistory {
        peer: who.input_peer_of(with),
        limit: 100,
        ..Default::default()
    };
    let enums::messages::Messages::Messages(told) = who.call(request).unwrap() else {
        panic!("they fit on one page")
    };
    let ids = told.messages.iter().map(|message| match message {
        enums::Message::Message(m) => m.id,
        other => panic!("{other:?}"),
    });
    ids.collect()
}

#[test]
fn unread_count_is_that_of_all_conversations_together() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let carol = town.person("79990000003", "Carol");
    assert_eq!(unread(&alice), 0);
    for n in 0..5 {
        bob.say(bob.input_peer_of(&alice), &format!("{n}")).unwrap();
    }
    carol.say(carol.input_peer_of(&alice), "hello").unwrap();
    assert_eq!((unread(&alice), unread(&bob)), (6, 0));
    let received = ids(&alice, &bob);
    let read = functions::messages::ReadHistory {
        peer: alice.input_peer_of(&bob),
        max_id: received[3],
    };
    alice.call(read).unwrap();
    assert_eq!(unread(&alice), 4);
    let revoke = functions::messages::DeleteMessages {
        revoke: true,
        id: ids(&bob, &alice)[..1].to_vec(),
    };
    bob.call(revoke).unwrap();
    assert_eq!(unread(&alice), 3);
    let archived = types::InputFolderPeer {
        peer: alice.input_peer_of(&carol),
        folder_id: 1,
    };
    let folder_peers = vec![archived.into()];
    alice
        .call(functions::folders::EditPeerFolders { folder_peers })
        .unwrap();
    assert_eq!(unread(&alice), 3);
    let forget = functions::messages::DeleteHistory {
        peer: alice.input_peer_of(&bob),
        ..Default::default()
    };
    alice.call(forget).unwrap();
    assert_eq!(unread(&alice), 1);
    let read = functions::messages::ReadHistory {
        peer: alice.input_peer_of(&carol),
        max_id: 0,
    };
    alice.call(read).unwrap();
    assert_eq!(unread(&alice), 0);
}

#[test]
fn the_first_event_of_a_box_has_a_pts_above_its_count_for_tdlib_drops_it_otherwise() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let enums::updates::State::State(fresh) = alice.call(functions::updates::GetState {}).unwrap();
    assert!(fresh.pts >= 1, "{fresh:?}");
    bob.say(bob.input_peer_of(&alice), "hello").unwrap();
    let enums::updates::State::State(after) = alice.call(functions::updates::GetState {}).unwrap();
    assert_eq!(after.pts, fresh.pts + 1);
}

#[test]
fn a_sent_message_names_its_author_and_a_received_one_needs_not() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    bob.say(bob.input_peer_of(&alice), "hello").unwrap();
    let author = |who: &Client, with: &Client| {
        let request = functions::messages::GetHistory {
            peer: who.input_peer_of(with),
            limit: 1,
            ..Default::default()
        };
        let enums::messages::Messages::Messages(told) = who.call(request).unwrap() else {
            panic!("they fit on one page")
        };
        match &told.messages[..] {
            [enums::Message::Message(m)] => m.from_id.clone(),
            other => panic!("{other:?}"),
        }
    };
    let bob_himself = types::PeerUser {
        user_id: bob.user().0,
    };
    assert_eq!(author(&bob, &alice), Some(bob_himself.into()));
    assert_eq!(author(&alice, &bob), None);
}
