use havre_api::error::RpcError;
use havre_tl::enums;

use super::group::{group, members};

#[test]
fn the_creator_appoints_and_everybody_sees_it() {
    let group = group(1);
    assert_eq!(group.appoint(&group.alice, &group.bob, true), Ok(true));
    assert!(group.chat(&group.bob).admin_rights.is_some());
    assert!(members(&group.carol.pushed_updates()).is_some());
    let enums::ChatParticipants::ChatParticipants(all) = group.full(&group.carol).participants else {
        panic!("a member sees members");
    };
    let admin = |p: &&enums::ChatParticipant| matches!(p, enums::ChatParticipant::ChatParticipantAdmin(_));
    assert_eq!(all.participants.iter().filter(admin).count(), 1);
    assert_eq!(group.appoint(&group.alice, &group.bob, true), Ok(true));
    assert_eq!(members(&group.carol.pushed_updates()), None, "nothing changed");
}

#[test]
fn nobody_else_appoints() {
    let group = group(2);
    group.appoint(&group.alice, &group.bob, true).unwrap();
    let refused = |by, whom| group.appoint(by, whom, true).unwrap_err();
    assert_eq!(refused(&group.bob, &group.carol), RpcError::CHAT_ADMIN_REQUIRED);
    assert_eq!(refused(&group.alice, &group.dan), RpcError::USER_NOT_PARTICIPANT);
    assert_eq!(refused(&group.alice, &group.alice), RpcError::USER_ID_INVALID);
}

#[test]
fn links_end_with_the_office() {
    let group = group(3);
    group.appoint(&group.alice, &group.bob, true).unwrap();
    let link = group.invite(&group.bob).unwrap().link;
    group.appoint(&group.alice, &group.bob, false).unwrap();
    let refused = super::group::join(&group.dan, &link).unwrap_err();
    assert_eq!(refused, RpcError::INVITE_HASH_EXPIRED);
}
