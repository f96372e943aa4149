//! `account.updateStatus`.

use havre_sim::{Client, Town};
use havre_tl::{enums, functions};

use super::seen;

fn go(client: &Client, offline: bool) {
    assert_eq!(
        client.call(functions::account::UpdateStatus { offline }),
        Ok(true)
    );
}

fn statuses(client: &Client) -> Vec<enums::UserStatus> {
    let status = |u| match u {
        enums::Update::UpdateUserStatus(u) => Some(u.status),
        _ => None,
    };
    client.pushed_updates().into_iter().filter_map(status).collect()
}

#[test]
fn people_who_talk_with_them_are_told_once() {
    let town = Town::new(1);
    let (alice, bob) = (
        town.person("79990000001", "Alice"),
        town.person("79990000002", "Bob"),
    );
    let stranger = town.person("79990000003", "Carol");
    alice.say(alice.input_peer_of(&bob), "salut").unwrap();
    drop(bob.pushed());
    go(&alice, false);
    assert!(matches!(
        &statuses(&bob)[..],
        [enums::UserStatus::UserStatusOnline(_)]
    ));
    go(&alice, false);
    assert!(statuses(&bob).is_empty(), "nothing changed");
    assert!(matches!(
        seen(&bob, &alice).status,
        Some(enums::UserStatus::UserStatusOnline(_))
    ));
    go(&alice, true);
    assert!(matches!(
        &statuses(&bob)[..],
        [enums::UserStatus::UserStatusOffline(_)]
    ));
    assert!(stranger.pushed().is_empty());
}

#[test]
fn nobody_stays_online_for_ever() {
    let town = Town::new(2);
    let (alice, bob) = (
        town.person("79990000001", "Alice"),
        town.person("79990000002", "Bob"),
    );
    go(&alice, false);
    town.pass(301);
    assert!(matches!(
        seen(&bob, &alice).status,
        Some(enums::UserStatus::UserStatusOffline(_))
    ));
}

#[test]
fn who_hides_it_tells_nobody() {
    let town = Town::new(3);
    let (alice, bob) = (
        town.person("79990000001", "Alice"),
        town.person("79990000002", "Bob"),
    );
    alice.say(alice.input_peer_of(&bob), "salut").unwrap();
    alice
        .call(functions::account::SetPrivacy {
            key: enums::InputPrivacyKey::InputPrivacyKeyStatusTimestamp,
            rules: vec![enums::InputPrivacyRule::InputPrivacyValueDisallowAll],
        })
        .unwrap();
    drop(bob.pushed());
    go(&alice, false);
    assert!(statuses(&bob).is_empty());
    assert!(matches!(
        seen(&bob, &alice).status,
        Some(enums::UserStatus::UserStatusRecently(_))
    ));
}
