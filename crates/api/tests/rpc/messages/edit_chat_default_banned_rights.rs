use havre_api::error::RpcError;
use havre_tl::{enums, functions, types};

use super::group::group;

#[test]
fn members_fall_silent_and_administrators_do_not() {
    let group = group(1);
    let silent = types::ChatBannedRights {
        send_messages: true,
        ..Default::default()
    };
    group.ban(silent.clone());
    let pushed = group.bob.pushed_updates();
    assert!(matches!(
        pushed.as_slice(),
        [enums::Update::UpdateChatDefaultBannedRights(u)] if u.version == group.chat(&group.bob).version
    ));
    let refused = group.bob.say(group.peer(), "Hello").unwrap_err();
    assert_eq!(refused, RpcError::CHAT_WRITE_FORBIDDEN);
    assert!(group.alice.say(group.peer(), "Order").is_ok());
    let again = group
        .alice
        .call(functions::messages::EditChatDefaultBannedRights {
            peer: group.peer(),
            banned_rights: silent.into(),
        });
    assert_eq!(again.unwrap_err(), RpcError::CHAT_NOT_MODIFIED);
}

#[test]
fn what_is_shown_never_ends() {
    let group = group(1);
    for _ in 0..2 {
        let shown = group.chat(&group.bob).default_banned_rights;
        let Some(enums::ChatBannedRights::ChatBannedRights(rights)) = shown else {
            panic!("every group shows them")
        };
        assert_eq!(rights.until_date, i32::MAX);
        if !rights.send_polls {
            group.ban(types::ChatBannedRights {
                send_polls: true,
                ..Default::default()
            });
        }
    }
    let pushed = group.bob.pushed_updates();
    assert!(matches!(
        pushed.last(),
        Some(enums::Update::UpdateChatDefaultBannedRights(u))
            if matches!(&u.default_banned_rights, enums::ChatBannedRights::ChatBannedRights(r) if r.until_date == i32::MAX)
    ));
}

#[test]
fn rights_that_make_no_sense_and_people_without_rights_are_refused() {
    let group = group(2);
    let edit = |by: &havre_sim::town::Client, banned: types::ChatBannedRights| {
        by.call(functions::messages::EditChatDefaultBannedRights {
            peer: group.peer(),
            banned_rights: banned.into(),
        })
        .unwrap_err()
    };
    let blind = types::ChatBannedRights {
        view_messages: true,
        ..Default::default()
    };
    let ending = types::ChatBannedRights {
        until_date: 5,
        ..Default::default()
    };
    assert_eq!(edit(&group.bob, blind.clone()), RpcError::CHAT_ADMIN_REQUIRED);
    assert_eq!(edit(&group.alice, blind), RpcError::BANNED_RIGHTS_INVALID);
    assert_eq!(edit(&group.alice, ending), RpcError::UNTIL_DATE_INVALID);
}
