use std::slice::from_ref;

use havre_api::error::RpcError;
use havre_sim::town::Town;
use havre_tl::{enums, functions, types};

use super::group::{actions, chat_named, group, ids, members, updates};

#[test]
fn everybody_is_told_once_with_members_and_service_message() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let tablet = town.second_login(&alice);
    let bob = town.person("79990000002", "Bob");
    let created = alice
        .call(functions::messages::CreateChat {
            users: vec![alice.input_user_of(&bob)],
            title: "  Harbour ".into(),
            ttl_period: None,
        })
        .unwrap();
    let enums::messages::InvitedUsers::InvitedUsers(invited) = created;
    assert!(invited.missing_invitees.is_empty());
    let answer = updates(&invited.updates);
    let created = types::MessageActionChatCreate {
        title: "Harbour".into(),
        users: ids(&[&alice, &bob]),
    };
    let created = enums::MessageAction::MessageActionChatCreate(created);
    assert_eq!(actions(answer), from_ref(&created));
    assert_eq!(members(answer), Some(ids(&[&alice, &bob])));
    assert_eq!(alice.pushed(), [], "the answer told it already");
    for told in [&tablet, &bob] {
        let pushed = told.pushed_updates();
        assert_eq!(actions(&pushed), from_ref(&created));
        assert_eq!(members(&pushed), Some(ids(&[&alice, &bob])));
    }
    let id = chat_named(&invited.updates);
    let peer = enums::InputPeer::InputPeerChat(types::InputPeerChat { chat_id: id });
    bob.say(peer, "Ahoy").unwrap();
    assert_eq!(super::group::texts(&alice.pushed_updates()), ["Ahoy"]);
}

#[test]
fn the_answer_names_the_message_as_sent_for_tdlib_knows_the_group_by_it() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let request = functions::messages::CreateChat {
        users: vec![alice.input_user_of(&bob)],
        title: "Harbour".into(),
        ttl_period: None,
    };
    let enums::messages::InvitedUsers::InvitedUsers(invited) = alice.call(request).unwrap();
    let told = updates(&invited.updates);
    let numbered: Vec<i32> = told
        .iter()
        .filter_map(|update| match update {
            enums::Update::UpdateMessageID(named) => Some(named.id),
            _ => None,
        })
        .collect();
    let made = told.iter().find_map(|update| match update {
        enums::Update::UpdateNewMessage(new) => match &new.message {
            enums::Message::MessageService(message) => Some(message.id),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(numbered, [made.unwrap()]);
}

#[test]
fn who_does_not_want_to_be_added_is_named_as_missing() {
    let town = Town::new(2);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let carol = town.person("79990000003", "Carol");
    bob.call(functions::contacts::Block {
        id: bob.input_peer_of(&alice),
        ..Default::default()
    })
    .unwrap();
    let created = alice
        .call(functions::messages::CreateChat {
            users: vec![alice.input_user_of(&bob), alice.input_user_of(&carol)],
            title: "Harbour".into(),
            ttl_period: None,
        })
        .unwrap();
    let enums::messages::InvitedUsers::InvitedUsers(invited) = created;
    let [enums::MissingInvitee::MissingInvitee(missing)] = invited.missing_invitees.as_slice() else {
        panic!("one is missing");
    };
    assert_eq!(missing.user_id, bob.user().0);
    assert_eq!(members(updates(&invited.updates)), Some(ids(&[&alice, &carol])));
    assert_eq!(actions(&bob.pushed_updates()), []);
}

#[test]
fn a_group_needs_a_title_and_people_that_exist() {
    let group = group(3);
    let make = |title: &str, users| {
        group.alice.call(functions::messages::CreateChat {
            users,
            title: title.into(),
            ttl_period: None,
        })
    };
    assert_eq!(make(" ", vec![]).unwrap_err(), RpcError::CHAT_TITLE_EMPTY);
    let stranger = types::InputUser {
        user_id: group.bob.user().0,
        access_hash: 0,
    };
    let refused = make("T", vec![stranger.into()]).unwrap_err();
    assert_eq!(refused, RpcError::USER_ID_INVALID);
    let crowd = vec![group.alice.input_user_of(&group.bob); 200];
    assert_eq!(make("T", crowd).unwrap_err(), RpcError::USERS_TOO_MUCH);
    assert_eq!(make("Alone", vec![]).map(drop), Ok(()));
}
