use havre_api::error::RpcError;
use havre_sim::town::{Client, Town};
use havre_tl::functions::messages::SetTyping;
use havre_tl::{enums, functions, types};

use super::group::group;

const TYPING: enums::SendMessageAction = enums::SendMessageAction::SendMessageTypingAction;

fn type_to(who: &Client, peer: enums::InputPeer, action: enums::SendMessageAction) -> Result<bool, RpcError> {
    who.call(SetTyping {
        peer,
        action,
        ..Default::default()
    })
}

#[test]
fn the_other_side_is_told_and_nothing_is_kept() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let tablet = town.second_login(&alice);
    let bob = town.person("79990000002", "Bob");
    let before = bob.call(functions::updates::GetState {}).unwrap();
    assert_eq!(type_to(&alice, alice.input_peer_of(&bob), TYPING), Ok(true));
    let told = types::UpdateUserTyping {
        user_id: alice.user().0,
        action: TYPING,
        ..Default::default()
    };
    assert_eq!(bob.pushed_updates(), [enums::Update::UpdateUserTyping(told)]);
    assert_eq!(tablet.pushed(), []);
    assert_eq!(bob.call(functions::updates::GetState {}), Ok(before));
    let recording = enums::SendMessageAction::SendMessageRecordAudioAction;
    type_to(&alice, alice.input_peer_of(&bob), recording.clone()).unwrap();
    let pushed = bob.pushed();
    let [enums::Updates::Updates(told)] = &pushed[..] else {
        panic!("complete updates: {pushed:?}")
    };
    assert_eq!(super::page::user_ids(&told.users), [alice.user().0]);
    assert!(matches!(&told.updates[..], [enums::Update::UpdateUserTyping(u)] if u.action == recording));
}

#[test]
fn members_of_a_group_are_told_who_it_is() {
    let group = group(2);
    assert_eq!(type_to(&group.bob, group.peer(), TYPING), Ok(true));
    for member in [&group.alice, &group.carol] {
        let from_id = types::PeerUser {
            user_id: group.bob.user().0,
        };
        let told = types::UpdateChatUserTyping {
            chat_id: group.id,
            from_id: from_id.into(),
            action: TYPING,
        };
        assert_eq!(
            member.pushed_updates(),
            [enums::Update::UpdateChatUserTyping(told)]
        );
    }
    assert_eq!(group.dan.pushed(), []);
    assert_eq!(group.bob.pushed(), []);
}

#[test]
fn who_blocked_the_writer_is_not_told() {
    let town = Town::new(3);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let block = functions::contacts::Block {
        id: bob.input_peer_of(&alice),
        ..Default::default()
    };
    bob.call(block).unwrap();
    drop(bob.pushed());
    assert_eq!(type_to(&alice, alice.input_peer_of(&bob), TYPING), Ok(true));
    assert_eq!(bob.pushed(), []);
}

#[test]
fn refusals() {
    let group = group(4);
    let empty = enums::InputPeer::InputPeerEmpty;
    assert_eq!(
        type_to(&group.alice, empty, TYPING),
        Err(RpcError::PEER_ID_INVALID)
    );
    assert_eq!(
        type_to(&group.dan, group.peer(), TYPING),
        Err(RpcError::PEER_ID_INVALID)
    );
    group.remove(&group.alice, &group.carol).unwrap();
    let gone = type_to(&group.carol, group.peer(), TYPING);
    assert_eq!(gone, Err(RpcError::CHAT_WRITE_FORBIDDEN));
}
