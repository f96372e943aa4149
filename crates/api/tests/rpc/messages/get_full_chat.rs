use havre_api::error::RpcError;
use havre_tl::{enums, functions};

use super::group::{group, ids, members_of};

#[test]
fn a_member_sees_everybody_and_only_administrators_the_link() {
    let group = group(1);
    let link = group.invite(&group.alice).unwrap().link;
    let full = group.full(&group.alice);
    assert_eq!(
        members_of(&full.participants),
        ids(&[&group.alice, &group.bob, &group.carol])
    );
    let invite = full.exported_invite.map(super::group::exported);
    assert_eq!(invite.map(|i| i.link), Some(link));
    assert_eq!(group.full(&group.bob).exported_invite, None);
}

#[test]
fn who_was_removed_learns_no_more_than_that() {
    let group = group(2);
    group.remove(&group.alice, &group.bob).unwrap();
    let full = group.full(&group.bob);
    let forbidden = enums::ChatParticipants::ChatParticipantsForbidden;
    assert_eq!(
        full.participants,
        forbidden(havre_tl::types::ChatParticipantsForbidden {
            chat_id: group.id,
            self_participant: None,
        })
    );
    assert_eq!(full.about, "");
}

#[test]
fn a_stranger_is_refused() {
    let group = group(3);
    let asked = functions::messages::GetFullChat { chat_id: group.id };
    assert_eq!(group.dan.call(asked).unwrap_err(), RpcError::CHAT_ID_INVALID);
}
