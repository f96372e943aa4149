use havre_api::error::RpcError;
use havre_domain::limits::PINNED_DIALOGS_MAX;
use havre_tl::functions::messages::GetDialogs;
use havre_tl::functions::messages::ToggleDialogPin;
use havre_tl::{enums, types};

use super::list::talkative;

#[test]
fn other_logins_are_told_and_once() {
    let world = talkative(1, 2);
    let tablet = world.town.second_login(&world.me);
    let peer = types::PeerUser {
        user_id: world.others[0].user().0,
    };
    let told = |pinned| -> enums::Update {
        let peer = types::DialogPeer {
            peer: peer.clone().into(),
        };
        types::UpdateDialogPinned {
            pinned,
            folder_id: None,
            peer: peer.into(),
        }
        .into()
    };
    for pinned in [true, false] {
        assert_eq!(world.pin(0, pinned), Ok(true));
        assert_eq!(tablet.pushed_updates(), [told(pinned)]);
        assert_eq!(world.pin(0, pinned), Ok(true));
        assert_eq!(tablet.pushed_updates(), [], "it was so already");
    }
}

#[test]
fn in_the_archive_the_update_names_the_folder() {
    let world = talkative(2, 2);
    world.archive(1);
    let tablet = world.town.second_login(&world.me);
    world.pin(1, true).unwrap();
    let pushed = tablet.pushed_updates();
    let [enums::Update::UpdateDialogPinned(told)] = &pushed[..] else {
        panic!("{pushed:?}")
    };
    assert_eq!((told.pinned, told.folder_id), (true, Some(1)));
}

#[test]
fn a_folder_holds_so_many() {
    let world = talkative(3, PINNED_DIALOGS_MAX + 1);
    for n in 0..PINNED_DIALOGS_MAX {
        world.pin(n, true).unwrap();
    }
    let refused = world.pin(PINNED_DIALOGS_MAX, true).unwrap_err();
    assert_eq!(refused, RpcError::PINNED_DIALOGS_TOO_MUCH);
    world.archive(PINNED_DIALOGS_MAX);
    assert_eq!(
        world.pin(PINNED_DIALOGS_MAX, true),
        Ok(true),
        "the archive has its own"
    );
    world.pin(0, false).unwrap();
    assert_eq!(world.pin(0, true), Ok(true));
}

#[test]
fn what_is_empty_is_not_pinned() {
    let world = talkative(4, 1);
    let stranger = world.town.person("79991112233", "Stranger");
    let pin = |peer| {
        let peer = types::InputDialogPeer { peer };
        let request = ToggleDialogPin {
            pinned: true,
            peer: peer.into(),
        };
        world.me.call(request).unwrap_err().text
    };
    assert_eq!(pin(world.me.input_peer_of(&stranger)), "PEER_HISTORY_EMPTY");
    assert_eq!(pin(enums::InputPeer::InputPeerEmpty), "PEER_ID_INVALID");
    let listed = world.list(GetDialogs {
        limit: 9,
        ..Default::default()
    });
    assert_eq!(listed.peers(), world.ids(&[0]));
}
