use havre_api::error::RpcError;
use havre_tl::{enums, functions};

use super::group::{exported, group, join};

#[test]
fn a_revoked_primary_link_is_replaced() {
    let group = group(1);
    let primary = group.invite(&group.alice).unwrap();
    let edit = |request: functions::messages::EditExportedChatInvite| {
        group.alice.call(functions::messages::EditExportedChatInvite {
            peer: group.peer(),
            link: primary.link.clone(),
            ..request
        })
    };
    let limit = functions::messages::EditExportedChatInvite {
        usage_limit: Some(3),
        ..Default::default()
    };
    assert_eq!(edit(limit).unwrap_err(), RpcError::CHAT_INVITE_PERMANENT);
    let revoke = functions::messages::EditExportedChatInvite {
        revoked: true,
        ..Default::default()
    };
    let enums::messages::ExportedChatInvite::ExportedChatInviteReplaced(replaced) =
        edit(revoke.clone()).unwrap()
    else {
        panic!("there is always a primary link");
    };
    let (old, new) = (exported(replaced.invite), exported(replaced.new_invite));
    assert!(old.revoked && new.permanent && !new.revoked);
    assert_eq!(
        join(&group.dan, &old.link).unwrap_err(),
        RpcError::INVITE_HASH_EXPIRED
    );
    assert!(join(&group.dan, &new.link).is_ok());
    assert_eq!(edit(revoke).unwrap_err(), RpcError::INVITE_HASH_EXPIRED);
}

#[test]
fn conditions_of_other_links_change() {
    let group = group(2);
    let titled = functions::messages::ExportChatInvite {
        title: Some("Sailors".into()),
        ..Default::default()
    };
    let link = group.invite_with(&group.alice, titled).unwrap().link;
    let edited = group.alice.call(functions::messages::EditExportedChatInvite {
        peer: group.peer(),
        link,
        usage_limit: Some(3),
        ..Default::default()
    });
    let Ok(enums::messages::ExportedChatInvite::ExportedChatInvite(edited)) = edited else {
        panic!("it stays the same link");
    };
    let invite = exported(edited.invite);
    assert_eq!(
        (invite.usage_limit, invite.title.as_deref()),
        (Some(3), Some("Sailors"))
    );
}
