use havre_api::error::RpcError;
use havre_tl::functions;

use super::group::{group, join};

#[test]
fn only_a_revoked_link_is_forgotten() {
    let group = group(1);
    let link = group.invite(&group.alice).unwrap().link;
    let delete = || {
        group.alice.call(functions::messages::DeleteExportedChatInvite {
            peer: group.peer(),
            link: link.clone(),
        })
    };
    assert_eq!(delete().unwrap_err(), RpcError::INVITE_REVOKED_MISSING);
    group
        .alice
        .call(functions::messages::EditExportedChatInvite {
            revoked: true,
            peer: group.peer(),
            link: link.clone(),
            ..Default::default()
        })
        .unwrap();
    assert_eq!(delete(), Ok(true));
    assert_eq!(delete().unwrap_err(), RpcError::INVITE_HASH_EXPIRED);
    assert_eq!(
        join(&group.dan, &link).unwrap_err(),
        RpcError::INVITE_HASH_INVALID
    );
}
