use std::slice::from_ref;

use havre_api::error::RpcError;
use havre_tl::{enums, types};

use super::group::{actions, group, ids, members, texts, updates};

#[test]
fn the_newcomer_gets_what_was_said_and_everybody_is_told() {
    let group = group(1);
    group.bob.say(group.peer(), "One").unwrap();
    group.alice.say(group.peer(), "Two").unwrap();
    for person in [&group.alice, &group.bob] {
        drop(person.pushed());
    }
    let added = group.add(&group.alice, &group.dan).unwrap();
    let everybody = ids(&[&group.alice, &group.bob, &group.carol, &group.dan]);
    let action = types::MessageActionChatAddUser {
        users: ids(&[&group.dan]),
    };
    let action = enums::MessageAction::MessageActionChatAddUser(action);
    assert_eq!(actions(updates(&added.updates)), from_ref(&action));
    let told = group.bob.pushed_updates();
    assert_eq!(members(&told), Some(everybody.clone()));
    let newcomer = group.dan.pushed_updates();
    assert_eq!(texts(&newcomer), ["One", "Two"]);
    assert_eq!(actions(&newcomer), [action]);
    assert_eq!(members(&newcomer), Some(everybody));
}

#[test]
fn who_comes_back_gets_nothing_twice() {
    let group = group(2);
    group.bob.say(group.peer(), "One").unwrap();
    group.remove(&group.alice, &group.bob).unwrap();
    group.remove(&group.alice, &group.carol).unwrap();
    group.alice.say(group.peer(), "Two").unwrap();
    drop((group.bob.pushed(), group.carol.pushed()));
    group.add(&group.alice, &group.bob).unwrap();
    group.add(&group.alice, &group.carol).unwrap();
    assert_eq!(texts(&group.bob.pushed_updates()), ["Two"]);
    assert_eq!(texts(&group.carol.pushed_updates()), ["Two"]);
}

#[test]
fn rights_and_membership_are_checked() {
    let group = group(3);
    let refused = |by, whom| group.add(by, whom).unwrap_err();
    assert_eq!(
        refused(&group.alice, &group.bob),
        RpcError::USER_ALREADY_PARTICIPANT
    );
    assert_eq!(refused(&group.dan, &group.dan), RpcError::CHAT_ID_INVALID);
    group.ban(types::ChatBannedRights {
        invite_users: true,
        ..Default::default()
    });
    assert_eq!(refused(&group.bob, &group.dan), RpcError::CHAT_ADMIN_REQUIRED);
    group.appoint(&group.alice, &group.bob, true).unwrap();
    assert!(group.add(&group.bob, &group.dan).is_ok());
}

#[test]
fn privacy_makes_a_missing_invitee() {
    let group = group(4);
    group
        .dan
        .call(havre_tl::functions::contacts::Block {
            id: group.dan.input_peer_of(&group.alice),
            ..Default::default()
        })
        .unwrap();
    let added = group.add(&group.alice, &group.dan).unwrap();
    assert_eq!(added.missing_invitees.len(), 1);
    assert_eq!(group.chat(&group.alice).participants_count, 3);
}
