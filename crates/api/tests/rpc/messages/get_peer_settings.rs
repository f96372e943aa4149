use havre_api::error::RpcError;
use havre_sim::town::Client;
use havre_tl::functions::messages::GetPeerSettings;
use havre_tl::{enums, functions, types};

use super::group::{group, ids};
use super::page::{chat_ids, user_ids};

fn told(who: &Client, peer: enums::InputPeer) -> types::messages::PeerSettings {
    let enums::messages::PeerSettings::PeerSettings(told) = who.call(GetPeerSettings { peer }).unwrap();
    told
}

/// Whether to report, to add and to block is offered.
fn offers(told: &types::messages::PeerSettings) -> (bool, bool, bool) {
    let enums::PeerSettings::PeerSettings(s) = &told.settings;
    (s.report_spam, s.add_contact, s.block_contact)
}

#[test]
fn a_stranger_may_be_added_blocked_or_reported_and_a_contact_not() {
    let group = group(1);
    let peer = || group.alice.input_peer_of(&group.bob);
    let stranger = told(&group.alice, peer());
    assert_eq!(offers(&stranger), (true, true, true));
    assert_eq!(user_ids(&stranger.users), ids(&[&group.bob]));
    let add = functions::contacts::AddContact {
        id: group.alice.input_user_of(&group.bob),
        first_name: "Bob".into(),
        ..Default::default()
    };
    group.alice.call(add).unwrap();
    assert_eq!(offers(&told(&group.alice, peer())), (false, false, false));
    let back = told(&group.bob, group.bob.input_peer_of(&group.alice));
    assert_eq!(offers(&back), (true, true, true), "it is one's own view");
}

#[test]
fn oneself_and_groups_have_no_bar() {
    let group = group(2);
    let own = told(&group.alice, enums::InputPeer::InputPeerSelf);
    assert_eq!(offers(&own), (false, false, false));
    let of_group = told(&group.alice, group.peer());
    assert_eq!(offers(&of_group), (false, false, false));
    assert_eq!(chat_ids(&of_group.chats), [group.id]);
}

#[test]
fn who_is_not_known_is_refused() {
    let group = group(3);
    let refused = |peer| group.dan.call(GetPeerSettings { peer }).unwrap_err();
    assert_eq!(refused(group.peer()), RpcError::PEER_ID_INVALID);
    assert_eq!(
        refused(enums::InputPeer::InputPeerEmpty),
        RpcError::PEER_ID_INVALID
    );
}
