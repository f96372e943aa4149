use havre_api::error::RpcError;
use havre_domain::limits::PINNED_DIALOGS_MAX;
use havre_tl::functions::messages::ReorderPinnedDialogs;
use havre_tl::functions::messages::{GetDialogs, GetPinnedDialogs};
use havre_tl::{enums, types};

use super::list::{Talkative, peer_list, talkative};

fn reorder(world: &Talkative, order: &[usize], force: bool) -> Result<bool, RpcError> {
    world.me.call(ReorderPinnedDialogs {
        force,
        folder_id: 0,
        order: order.iter().map(|n| world.dialog_peer(*n)).collect(),
    })
}

fn pinned(world: &Talkative) -> Vec<i64> {
    let told = world.me.call(GetPinnedDialogs { folder_id: 0 }).unwrap();
    peer_list(told).0.peers()
}

fn three_pinned(seed: u64) -> Talkative {
    let world = talkative(seed, 4);
    for n in [2, 1, 0] {
        world.pin(n, true).unwrap();
    }
    assert_eq!(pinned(&world), world.ids(&[0, 1, 2]));
    world
}

#[test]
fn other_logins_are_told_the_whole_order() {
    let world = three_pinned(1);
    let tablet = world.town.second_login(&world.me);
    assert_eq!(reorder(&world, &[2, 0, 1], true), Ok(true));
    assert_eq!(pinned(&world), world.ids(&[2, 0, 1]));
    let order = world.ids(&[2, 0, 1]).into_iter().map(|user_id| {
        let peer = types::PeerUser { user_id }.into();
        types::DialogPeer { peer }.into()
    });
    let told = types::UpdatePinnedDialogs {
        folder_id: None,
        order: Some(order.collect()),
    };
    assert_eq!(
        tablet.pushed_updates(),
        [enums::Update::UpdatePinnedDialogs(told)]
    );
    assert_eq!(reorder(&world, &[2, 0, 1], true), Ok(true));
    assert_eq!(tablet.pushed_updates(), [], "it was so already");
}

#[test]
fn those_not_named_stay_behind_or_go_by_force() {
    let world = three_pinned(2);
    reorder(&world, &[2], false).unwrap();
    assert_eq!(pinned(&world), world.ids(&[2, 0, 1]));
    reorder(&world, &[1, 2], true).unwrap();
    assert_eq!(pinned(&world), world.ids(&[1, 2]));
    assert_eq!(world.pin(0, false), Ok(true), "it is pinned no more");
}

#[test]
fn what_was_not_pinned_is_pinned_by_it_unless_it_is_empty_or_elsewhere() {
    let world = three_pinned(3);
    reorder(&world, &[3, 1, 1, 0], true).unwrap();
    assert_eq!(pinned(&world), world.ids(&[3, 1, 0]));
    let listed = world.list(GetDialogs {
        limit: 9,
        ..Default::default()
    });
    assert_eq!(listed.peers(), world.ids(&[3, 1, 0, 2]));
    world.archive(2);
    reorder(&world, &[2, 0], false).unwrap();
    assert_eq!(pinned(&world), world.ids(&[0, 3, 1]));
    let stranger = world.town.person("79991112233", "Stranger");
    let empty = types::InputDialogPeer {
        peer: world.me.input_peer_of(&stranger),
    };
    let request = ReorderPinnedDialogs {
        force: true,
        folder_id: 0,
        order: vec![empty.into(), world.dialog_peer(1)],
    };
    assert_eq!(world.me.call(request), Ok(true));
    assert_eq!(pinned(&world), world.ids(&[1]));
}

#[test]
fn refusals() {
    let world = three_pinned(4);
    let crowd = [0; PINNED_DIALOGS_MAX + 1];
    assert_eq!(
        reorder(&world, &crowd, true),
        Err(RpcError::PINNED_DIALOGS_TOO_MUCH)
    );
    let request = |folder_id, order| ReorderPinnedDialogs {
        force: true,
        folder_id,
        order,
    };
    let refused = world.me.call(request(5, vec![])).unwrap_err();
    assert_eq!(refused, RpcError::FOLDER_ID_INVALID);
    let nobody = types::InputDialogPeer {
        peer: enums::InputPeer::InputPeerEmpty,
    };
    let refused = world.me.call(request(0, vec![nobody.into()])).unwrap_err();
    assert_eq!(refused, RpcError::PEER_ID_INVALID);
    assert_eq!(pinned(&world), world.ids(&[0, 1, 2]));
}
