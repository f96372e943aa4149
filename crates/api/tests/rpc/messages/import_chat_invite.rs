use havre_api::error::RpcError;
use havre_tl::{enums, functions, types};

use super::group::{actions, group, ids, join, members, updates};

#[test]
fn who_joins_by_link_is_announced_and_writes() {
    let group = group(1);
    let link = group.invite(&group.alice).unwrap().link;
    let enums::messages::ChatInviteJoinResult::ChatInviteJoinResultOk(joined) =
        join(&group.dan, &link).unwrap()
    else {
        panic!("there is nothing to ask");
    };
    let action = types::MessageActionChatJoinedByLink {
        inviter_id: group.alice.user().0,
    };
    let action = enums::MessageAction::MessageActionChatJoinedByLink(action);
    assert_eq!(actions(updates(&joined.updates)), std::slice::from_ref(&action));
    let told = group.bob.pushed_updates();
    assert_eq!(actions(&told), [action]);
    let everybody = ids(&[&group.alice, &group.bob, &group.carol, &group.dan]);
    assert_eq!(members(&told), Some(everybody));
    assert!(group.dan.say(group.peer(), "Ahoy").is_ok());
    let again = join(&group.dan, &link).unwrap_err();
    assert_eq!(again, RpcError::USER_ALREADY_PARTICIPANT);
}

#[test]
fn a_link_ends_by_use_and_by_time() {
    let group = group(2);
    let once = functions::messages::ExportChatInvite {
        usage_limit: Some(1),
        ..Default::default()
    };
    let link = group.invite_with(&group.alice, once).unwrap().link;
    join(&group.dan, &link).unwrap();
    let eve = group.town.person("79990000005", "Eve");
    assert_eq!(join(&eve, &link).unwrap_err(), RpcError::INVITE_HASH_EXPIRED);
    let now = group.chat(&group.alice).date;
    let short = functions::messages::ExportChatInvite {
        expire_date: Some(now + 60),
        ..Default::default()
    };
    let link = group.invite_with(&group.alice, short).unwrap().link;
    group.town.pass(61);
    assert_eq!(join(&eve, &link).unwrap_err(), RpcError::INVITE_HASH_EXPIRED);
}
