//! `account.getNotifySettings`, `account.updateNotifySettings`.

use havre_sim::{Client, Town};
use havre_tl::{enums, functions, types};

fn get(client: &Client, peer: enums::InputNotifyPeer) -> types::PeerNotifySettings {
    let enums::PeerNotifySettings::PeerNotifySettings(settings) = client
        .call(functions::account::GetNotifySettings { peer })
        .unwrap();
    settings
}

fn mute(client: &Client, peer: enums::InputNotifyPeer) {
    let settings = types::InputPeerNotifySettings {
        mute_until: Some(i32::MAX),
        sound: Some(enums::NotificationSound::NotificationSoundNone),
        ..Default::default()
    };
    let request = functions::account::UpdateNotifySettings {
        peer,
        settings: settings.into(),
    };
    assert_eq!(client.call(request), Ok(true));
}

#[test]
fn a_conversation_is_muted_on_all_sessions() {
    let town = Town::new(1);
    let (alice, bob) = (
        town.person("79990000001", "Alice"),
        town.person("79990000002", "Bob"),
    );
    let phone = town.second_login(&alice);
    let peer = types::InputNotifyPeer {
        peer: alice.input_peer_of(&bob),
    };
    assert_eq!(get(&alice, peer.clone().into()).mute_until, None);
    mute(&alice, peer.clone().into());
    let kept = get(&phone, peer.into());
    assert_eq!(kept.mute_until, Some(i32::MAX));
    assert_eq!(
        kept.ios_sound,
        Some(enums::NotificationSound::NotificationSoundNone)
    );
    let told = phone.pushed_updates();
    let [enums::Update::UpdateNotifySettings(update)] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!(
        update.notify_settings,
        enums::PeerNotifySettings::PeerNotifySettings(kept)
    );
    assert!(bob.pushed().is_empty(), "it is nobody else's affair");
}

#[test]
fn a_kind_of_conversation_has_settings_of_its_own() {
    let town = Town::new(2);
    let alice = town.person("79990000001", "Alice");
    let phone = town.second_login(&alice);
    mute(&alice, enums::InputNotifyPeer::InputNotifyChats);
    assert_eq!(
        get(&alice, enums::InputNotifyPeer::InputNotifyChats).mute_until,
        Some(i32::MAX)
    );
    assert_eq!(
        get(&alice, enums::InputNotifyPeer::InputNotifyUsers).mute_until,
        None
    );
    let told = phone.pushed_updates();
    assert!(
        matches!(&told[..], [enums::Update::UpdateNotifySettings(u)] if u.peer == enums::NotifyPeer::NotifyChats)
    );
}
