use havre_api::error::RpcError;
use havre_tl::functions::messages::GetPeerDialogs;
use havre_tl::functions::updates::GetState;
use havre_tl::{enums, types};

use super::list::{peer_list, talkative};

#[test]
fn asked_ones_in_their_order_even_when_empty() {
    let world = talkative(1, 3);
    let stranger = world.town.person("79991112233", "Stranger");
    let empty = types::InputDialogPeer {
        peer: world.me.input_peer_of(&stranger),
    };
    let peers = vec![world.dialog_peer(0), empty.into(), world.dialog_peer(2)];
    let (told, state) = peer_list(world.me.call(GetPeerDialogs { peers }).unwrap());
    let [zero, stranger_id, two] = [
        world.others[0].user().0,
        stranger.user().0,
        world.others[2].user().0,
    ];
    assert_eq!(told.peers(), [zero, stranger_id, two]);
    let tops: Vec<i32> = told.dialogs().iter().map(|d| d.top_message).collect();
    assert_eq!(told.message_ids, [tops[0], tops[2]]);
    assert_eq!(tops[1], 0);
    let mut users = vec![zero, stranger_id, two];
    users.sort_unstable();
    assert_eq!(told.user_ids, users);
    assert_eq!(
        world.me.call(GetState {}),
        Ok(enums::updates::State::State(state))
    );
}

#[test]
fn the_archive_is_asked_for_as_a_folder() {
    let world = talkative(2, 2);
    let of = |folder_id| {
        let folder = types::InputDialogPeerFolder { folder_id };
        let peers = vec![folder.into()];
        world
            .me
            .call(GetPeerDialogs { peers })
            .map(|answer| peer_list(answer).0)
    };
    assert_eq!(of(1).unwrap().rows.len(), 0, "nothing is archived");
    world.archive(0);
    let told = of(1).unwrap();
    let row = told.archive().expect("its row");
    assert_eq!(told.message_ids, [row.top_message]);
    assert_eq!(told.user_ids, world.ids(&[0]));
    assert_eq!(of(7).err(), Some(RpcError::FOLDER_ID_INVALID));
}

#[test]
fn refusals() {
    let world = talkative(3, 1);
    let peers = vec![world.dialog_peer(0); 101];
    let refused = world.me.call(GetPeerDialogs { peers }).unwrap_err();
    assert_eq!(refused, RpcError::LIMIT_INVALID);
    let nobody = types::InputDialogPeer {
        peer: enums::InputPeer::InputPeerEmpty,
    };
    let peers = vec![nobody.into()];
    let refused = world.me.call(GetPeerDialogs { peers }).unwrap_err();
    assert_eq!(refused, RpcError::PEER_ID_INVALID);
}
