use havre_api::error::RpcError;
use havre_tl::functions::messages::MarkDialogUnread;
use havre_tl::functions::messages::{GetPeerDialogs, ReadHistory};
use havre_tl::{enums, types};

use super::list::{Talkative, peer_list, talkative};

fn mark(world: &Talkative, unread: bool) -> Result<bool, RpcError> {
    world.me.call(MarkDialogUnread {
        unread,
        parent_peer: None,
        peer: world.dialog_peer(0),
    })
}

fn is_marked(world: &Talkative) -> bool {
    let peers = vec![world.dialog_peer(0)];
    let (told, _) = peer_list(world.me.call(GetPeerDialogs { peers }).unwrap());
    told.dialogs()[0].unread_mark
}

#[test]
fn other_logins_are_told_and_once() {
    let world = talkative(1, 1);
    let tablet = world.town.second_login(&world.me);
    let peer = types::PeerUser {
        user_id: world.others[0].user().0,
    };
    for unread in [true, false] {
        assert_eq!(mark(&world, unread), Ok(true));
        let peer = types::DialogPeer {
            peer: peer.clone().into(),
        };
        let told = types::UpdateDialogUnreadMark {
            unread,
            peer: peer.into(),
            ..Default::default()
        };
        assert_eq!(
            tablet.pushed_updates(),
            [enums::Update::UpdateDialogUnreadMark(told)]
        );
        assert_eq!(is_marked(&world), unread);
        assert_eq!(mark(&world, unread), Ok(true));
        assert_eq!(tablet.pushed_updates(), [], "it was so already");
    }
}

#[test]
fn reading_takes_the_mark_away() {
    let world = talkative(2, 1);
    mark(&world, true).unwrap();
    let read = ReadHistory {
        peer: world.peer(0),
        max_id: 0,
    };
    world.me.call(read).unwrap();
    assert!(!is_marked(&world));
}

#[test]
fn who_is_not_known_is_refused() {
    let world = talkative(3, 1);
    let nobody = types::InputDialogPeer {
        peer: enums::InputPeer::InputPeerEmpty,
    };
    let refused = world.me.call(MarkDialogUnread {
        unread: true,
        parent_peer: None,
        peer: nobody.into(),
    });
    assert_eq!(refused.unwrap_err(), RpcError::PEER_ID_INVALID);
}
