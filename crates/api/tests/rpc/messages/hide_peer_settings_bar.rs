use havre_api::error::RpcError;
use havre_tl::functions::messages::HidePeerSettingsBar;
use havre_tl::{enums, functions, types};

use super::list::talkative;

#[test]
fn it_is_gone_on_all_logins_and_stays_so() {
    let world = talkative(1, 2);
    let tablet = world.town.second_login(&world.me);
    let hide = || world.me.call(HidePeerSettingsBar { peer: world.peer(0) });
    assert_eq!(hide(), Ok(true));
    let peer = types::PeerUser {
        user_id: world.others[0].user().0,
    };
    let told = types::UpdatePeerSettings {
        peer: peer.into(),
        settings: enums::PeerSettings::default(),
    };
    assert_eq!(tablet.pushed_updates(), [enums::Update::UpdatePeerSettings(told)]);
    assert_eq!(hide(), Ok(true));
    assert_eq!(tablet.pushed_updates(), [], "it was so already");
    let offered = |n| {
        let request = functions::messages::GetPeerSettings { peer: world.peer(n) };
        let enums::messages::PeerSettings::PeerSettings(told) = tablet.call(request).unwrap();
        let enums::PeerSettings::PeerSettings(settings) = told.settings;
        settings.report_spam || settings.add_contact || settings.block_contact
    };
    assert!(!offered(0));
    assert!(offered(1), "others' bars stay");
}

#[test]
fn who_is_not_known_is_refused() {
    let world = talkative(2, 1);
    let peer = enums::InputPeer::InputPeerEmpty;
    let refused = world.me.call(HidePeerSettingsBar { peer }).unwrap_err();
    assert_eq!(refused, RpcError::PEER_ID_INVALID);
}
