use havre_api::error::RpcError;
use havre_sim::town::Client;
use havre_tl::functions::messages::GetPinnedDialogs;
use havre_tl::functions::updates::GetState;
use havre_tl::{enums, types};

use super::list::{List, peer_list, talkative};

fn pinned(who: &Client, folder_id: i32) -> (List, types::updates::State) {
    peer_list(
        who.call(GetPinnedDialogs { folder_id })
            .expect("pinned ones are told"),
    )
}

#[test]
fn in_order_with_top_messages_and_state() {
    let world = talkative(1, 3);
    let (none, _) = pinned(&world.me, 0);
    assert_eq!(none.rows.len(), 0);
    world.pin(2, true).unwrap();
    world.pin(0, true).unwrap();
    let (told, state) = pinned(&world.me, 0);
    assert_eq!(told.peers(), world.ids(&[0, 2]), "who was pinned last is on top");
    let tops: Vec<i32> = told.dialogs().iter().map(|d| d.top_message).collect();
    assert_eq!(told.message_ids, tops);
    let mut others = world.ids(&[0, 2]);
    others.sort_unstable();
    assert_eq!(told.user_ids, others);
    assert_eq!(
        world.me.call(GetState {}),
        Ok(enums::updates::State::State(state))
    );
}

#[test]
fn the_archives_row_is_found_in_folder_0_and_its_own_pins_in_folder_1() {
    let world = talkative(2, 4);
    world.archive(0);
    world.archive(1);
    world.pin(0, true).unwrap();
    world.pin(3, true).unwrap();
    let (main, _) = pinned(&world.me, 0);
    assert_eq!(main.peers(), world.ids(&[3]));
    let row = main.archive().expect("the archive has a row");
    let newest = types::PeerUser {
        user_id: world.others[1].user().0,
    };
    assert_eq!(row.peer, newest.into());
    assert!(main.user_ids.contains(&world.others[1].user().0));
    assert!(main.message_ids.contains(&row.top_message));
    let (archived, _) = pinned(&world.me, 1);
    assert_eq!((archived.peers(), archived.archive()), (world.ids(&[0]), None));
}

#[test]
fn other_folders_are_refused() {
    let world = talkative(3, 1);
    let refused = world.me.call(GetPinnedDialogs { folder_id: 2 });
    assert_eq!(refused.unwrap_err(), RpcError::FOLDER_ID_INVALID);
}
