use havre_api::error::RpcError;
use havre_tl::{enums, functions, types};

use super::group::{actions, group, ids, members, texts, updates};

fn deleted(user_id: i64) -> [enums::MessageAction; 1] {
    [types::MessageActionChatDeleteUser { user_id }.into()]
}

#[test]
fn who_is_removed_is_told_and_can_write_no_more() {
    let group = group(1);
    let answer = group.remove(&group.alice, &group.bob).unwrap();
    let bob = group.bob.user().0;
    assert_eq!(actions(updates(&answer)), deleted(bob));
    assert_eq!(
        members(updates(&answer)),
        Some(ids(&[&group.alice, &group.carol]))
    );
    let told = group.bob.pushed();
    let [enums::Updates::Updates(told)] = told.as_slice() else {
        panic!("one push: {told:?}");
    };
    assert_eq!(actions(&told.updates), deleted(bob));
    assert!(matches!(told.chats.as_slice(), [enums::Chat::ChatForbidden(c)] if c.id == group.id));
    let refused = group.bob.say(group.peer(), "Wait").unwrap_err();
    assert_eq!(refused, RpcError::CHAT_WRITE_FORBIDDEN);
    group.alice.say(group.peer(), "Gone?").unwrap();
    assert_eq!(texts(&group.bob.pushed_updates()), [""; 0]);
    assert_eq!(texts(&group.carol.pushed_updates()), ["Gone?"]);
}

#[test]
fn leaving_is_removing_oneself_and_works_once() {
    let group = group(2);
    let answer = group.remove(&group.bob, &group.bob).unwrap();
    assert_eq!(actions(updates(&answer)), deleted(group.bob.user().0));
    assert!(matches!(group.seen_by(&group.bob), enums::Chat::ChatForbidden(_)));
    let again = group.remove(&group.bob, &group.bob).unwrap_err();
    assert_eq!(again, RpcError::CHAT_ID_INVALID);
}

#[test]
fn a_group_that_its_creator_leaves_has_another_at_once() {
    let group = group(3);
    group.appoint(&group.alice, &group.carol, true).unwrap();
    group.remove(&group.alice, &group.alice).unwrap();
    assert!(group.chat(&group.carol).creator);
    assert!(!group.chat(&group.bob).creator);
    assert_eq!(group.chat(&group.bob).participants_count, 2);
    group.remove(&group.carol, &group.carol).unwrap();
    assert!(group.chat(&group.bob).creator);
}

#[test]
fn members_remove_whom_they_brought_and_administrators_no_administrator() {
    let group = group(4);
    group.add(&group.bob, &group.dan).unwrap();
    let refused = |by, whom| group.remove(by, whom).unwrap_err();
    assert_eq!(refused(&group.bob, &group.carol), RpcError::CHAT_ADMIN_REQUIRED);
    assert_eq!(refused(&group.carol, &group.dan), RpcError::CHAT_ADMIN_REQUIRED);
    assert!(group.remove(&group.bob, &group.dan).is_ok());
    assert_eq!(refused(&group.alice, &group.dan), RpcError::USER_NOT_PARTICIPANT);
    group.appoint(&group.alice, &group.bob, true).unwrap();
    assert_eq!(refused(&group.bob, &group.alice), RpcError::CHAT_ADMIN_REQUIRED);
    assert!(group.remove(&group.bob, &group.carol).is_ok());
}

#[test]
fn history_goes_with_its_author_when_asked() {
    let group = group(5);
    group.bob.say(group.peer(), "Spam").unwrap();
    drop(group.carol.pushed());
    group
        .alice
        .call(functions::messages::DeleteChatUser {
            revoke_history: true,
            chat_id: group.id,
            user_id: group.alice.input_user_of(&group.bob),
        })
        .unwrap();
    let gone = group.carol.pushed_updates();
    assert!(
        gone.iter()
            .any(|u| matches!(u, enums::Update::UpdateDeleteMessages(d) if d.messages.len() == 1))
    );
}
