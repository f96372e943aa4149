//! What may be done so often only is refused with the true time to wait, and nothing of it happens.
// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used)]

use havre_api::error::RpcError;
use havre_sim::{Client, Town};
use havre_tl::{enums, functions, types};

/// The wait of a refusal, seconds.
fn wait<T: std::fmt::Debug>(answer: Result<T, RpcError>) -> u64 {
    let error = answer.unwrap_err();
    assert_eq!(error.code, 420);
    error.text.strip_prefix("FLOOD_WAIT_").unwrap().parse().unwrap()
}

fn two() -> (Town, Client, Client) {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    (town, alice, bob)
}

#[test]
fn sends_and_edits_share_an_allowance_that_comes_back() {
    let (town, alice, bob) = two();
    let to = || alice.input_peer_of(&bob);
    for n in 0..600 {
        alice.say(to(), &format!("text {n}")).unwrap();
    }
    let _ = bob.pushed();
    let edit = |text: &str| {
        alice.call(functions::messages::EditMessage {
            peer: to(),
            id: 600,
            message: Some(text.into()),
            ..Default::default()
        })
    };
    assert_eq!(wait(alice.say(to(), "too many")), 1);
    assert_eq!(wait(edit("too many")), 1);
    assert!(bob.pushed().is_empty());
    town.pass(1);
    for n in 0..10 {
        edit(&format!("edit {n}")).unwrap();
    }
    assert_eq!(wait(alice.say(to(), "too many")), 1);
    bob.say(bob.input_peer_of(&alice), "everybody has their own")
        .unwrap();
}

/// A whole album is refused, not its end.
#[test]
fn a_forward_of_many_is_refused_whole() {
    let (town, alice, bob) = two();
    for n in 0..600 {
        alice
            .say(enums::InputPeer::InputPeerSelf, &format!("note {n}"))
            .unwrap();
    }
    let forward = || {
        alice.call(functions::messages::ForwardMessages {
            from_peer: enums::InputPeer::InputPeerSelf,
            id: (1..=20).collect(),
            random_id: (1..=20).collect(),
            to_peer: alice.input_peer_of(&bob),
            ..Default::default()
        })
    };
    town.pass(1);
    // Ten came back; the eleventh has to wait.
    assert_eq!(wait(forward()), 1);
    assert!(bob.pushed().is_empty());
    town.pass(1);
    forward().unwrap();
}

#[test]
fn numbers_are_looked_up_so_many_times_a_day() {
    let (town, alice, _) = two();
    let import = |first: usize, count: usize| {
        let card = |n| types::InputPhoneContact {
            client_id: 1,
            phone: format!("+7999{n:07}"),
            first_name: "Somebody".into(),
            ..Default::default()
        };
        let contacts = (first..first + count).map(|n| card(n).into()).collect();
        alice.call(functions::contacts::ImportContacts { contacts })
    };
    for n in 0..10 {
        import(n * 500, 500).unwrap();
    }
    // 5,000 a day are one each 17.28 seconds.
    assert_eq!(wait(import(9_000, 1)), 18);
    let resolve = functions::contacts::ResolvePhone {
        phone: "79990000002".into(),
    };
    town.pass(18);
    alice.call(resolve.clone()).unwrap();
    let seconds = wait(alice.call(resolve.clone()));
    town.pass(seconds);
    alice.call(resolve).unwrap();
}

#[test]
fn groups_are_made_so_many_times_a_day() {
    let (_town, alice, bob) = two();
    let make = || {
        alice.call(functions::messages::CreateChat {
            users: vec![alice.input_user_of(&bob)],
            title: "group".into(),
            ttl_period: None,
        })
    };
    for _ in 0..50 {
        make().unwrap();
    }
    assert_eq!(wait(make()), 24 * 3600 / 50);
}
