use havre_api::error::RpcError;
use havre_tl::functions;

use super::group::{group, join};

#[test]
fn the_first_link_is_primary_and_revoking_it_makes_another() {
    let group = group(1);
    let first = group.invite(&group.alice).unwrap();
    assert!(first.permanent && first.link.starts_with("https://t.me/+"));
    let second = group.invite(&group.alice).unwrap();
    assert!(!second.permanent && second.link != first.link);
    let renewed = group
        .invite_with(
            &group.alice,
            functions::messages::ExportChatInvite {
                legacy_revoke_permanent: true,
                ..Default::default()
            },
        )
        .unwrap();
    assert!(renewed.permanent);
    let old = join(&group.dan, &first.link).unwrap_err();
    assert_eq!(old, RpcError::INVITE_HASH_EXPIRED);
    assert!(join(&group.dan, &renewed.link).is_ok());
}

#[test]
fn conditions_are_checked_and_members_may_not() {
    let group = group(2);
    let refused = |by, request| group.invite_with(by, request).unwrap_err();
    let past = functions::messages::ExportChatInvite {
        expire_date: Some(5),
        ..Default::default()
    };
    let many = functions::messages::ExportChatInvite {
        usage_limit: Some(100_000),
        ..Default::default()
    };
    let approval = functions::messages::ExportChatInvite {
        request_needed: true,
        ..Default::default()
    };
    assert_eq!(refused(&group.alice, past.clone()), RpcError::EXPIRE_DATE_INVALID);
    assert_eq!(refused(&group.alice, many), RpcError::USAGE_LIMIT_INVALID);
    assert_eq!(refused(&group.alice, approval), RpcError::INPUT_METHOD_INVALID);
    assert_eq!(refused(&group.bob, past), RpcError::CHAT_ADMIN_REQUIRED);
}
