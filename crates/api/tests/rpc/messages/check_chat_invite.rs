use havre_api::error::RpcError;
use havre_tl::{enums, functions};

use super::group::{group, hash};

#[test]
fn a_stranger_sees_the_title_and_a_member_the_group() {
    let group = group(1);
    let link = group.invite(&group.alice).unwrap().link;
    let check = |who: &havre_sim::town::Client, hash: &str| {
        who.call(functions::messages::CheckChatInvite { hash: hash.into() })
    };
    let enums::ChatInvite::ChatInvite(invite) = check(&group.dan, hash(&link)).unwrap() else {
        panic!("a stranger is invited");
    };
    assert_eq!((invite.title.as_str(), invite.participants_count), ("Harbour", 3));
    assert_eq!(invite.participants, None, "who is in it is for members");
    let already = check(&group.bob, hash(&link)).unwrap();
    assert!(matches!(already, enums::ChatInvite::ChatInviteAlready(_)));
    assert_eq!(check(&group.dan, "").unwrap_err(), RpcError::INVITE_HASH_EMPTY);
    assert_eq!(
        check(&group.dan, "AAAAAAAAAAAAAAAA").unwrap_err(),
        RpcError::INVITE_HASH_INVALID
    );
}
