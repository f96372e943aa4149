//! What calls are counted as: by what came of them, once each.
// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used)]

use havre_metrics::{Code, Flood, Namespace};
use havre_sim::{Client, Town};
use havre_tl::functions;

const PHONES: [&str; 2] = ["79990000001", "79990000002"];

fn two() -> (Town, Client, Client) {
    let town = Town::new(1);
    let [alice, bob] = PHONES.map(|phone| town.person(phone, "Somebody"));
    (town, alice, bob)
}

#[test]
fn a_message_counts_once_however_often_it_is_sent_again() {
    let (town, alice, bob) = two();
    let metrics = &town.api().metrics;
    let pushes = metrics.pushes.count();
    let message = functions::messages::SendMessage {
        peer: alice.input_peer_of(&bob),
        message: "text".into(),
        random_id: 7,
        ..Default::default()
    };
    alice.call(message.clone()).unwrap();
    alice.call(message).unwrap();
    assert_eq!(metrics.messages_sent.count(), 1);
    assert_eq!(metrics.pushes.count(), pushes + 1);
    let forward = functions::messages::ForwardMessages {
        from_peer: alice.input_peer_of(&bob),
        id: vec![1, 1],
        random_id: vec![8, 9],
        to_peer: alice.input_peer_of(&bob),
        ..Default::default()
    };
    alice.call(forward).unwrap();
    assert_eq!(metrics.messages_sent.count(), 3);
    assert_eq!(metrics.calls.of(Namespace::Messages).count(), 3);
}

#[test]
fn what_is_refused_is_no_message_and_a_wait_has_its_kind() {
    let (town, alice, bob) = two();
    let metrics = &town.api().metrics;
    let nobody = havre_tl::types::InputPeerUser {
        user_id: 1,
        access_hash: 1,
    };
    alice.say(nobody.into(), "text").unwrap_err();
    assert_eq!(metrics.call_errors.of(Code::BadRequest).count(), 1);
    for n in 0..600 {
        alice.say(alice.input_peer_of(&bob), &n.to_string()).unwrap();
    }
    alice.say(alice.input_peer_of(&bob), "too many").unwrap_err();
    assert_eq!(metrics.messages_sent.count(), 600);
    assert_eq!(metrics.floods.of(Flood::Sends).count(), 1);
    assert_eq!(
        metrics.floods.count(),
        metrics.call_errors.of(Code::Flood).count()
    );
}

#[test]
fn codes_that_are_asked_for_too_often_are_a_flood_of_codes() {
    let (town, alice, _) = two();
    let metrics = &town.api().metrics;
    let ask = || {
        town.client().call(functions::auth::SendCode {
            phone_number: "79990000003".into(),
            api_id: 1,
            api_hash: "x".into(),
            ..Default::default()
        })
    };
    let refused = (0..100).find_map(|_| ask().err()).unwrap();
    assert_eq!(refused.code, 420);
    assert_eq!(metrics.floods.of(Flood::Codes).count(), 1);
    assert!(metrics.codes_sent.count() > 0);
    let unread = alice.call_raw(vec![1, 2, 3]);
    unread.unwrap_err();
    assert_eq!(metrics.calls.of(Namespace::Other).count(), 1);
}
