//! Pushes that go wrong on the way: the box changes between two looks at it, or the store does not answer.
//! Whoever is connected hears of everything all the same, without anything else having to happen.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panic")]

use std::sync::Arc;

use havre_api::error::RpcError;
use havre_domain::ids::{Peer, UserId};
use havre_domain::keys;
use havre_domain::updates::{self, Event};
use havre_sim::env::SimEnv;
use havre_sim::faults::{Act, Faulty, Rates};
use havre_sim::{Client, Town};
use havre_store::engine::memory::Memory;
use havre_tl::{enums, functions};

fn town() -> (Town, Arc<Faulty>, Client) {
    let env = Arc::new(SimEnv::new(1));
    let faults = Arc::new(Faulty::new(
        Arc::new(Memory::new()),
        env.clone(),
        Rates::default(),
    ));
    let town = Town::over(env, faults.clone());
    let bob = town.person("79990000001", "Bob");
    (town, faults, bob)
}

/// A change in somebody's box of which nobody is told yet.
fn change(town: &Town, whose: UserId) {
    town.env().run(async {
        let mut world = town.api().world();
        let now = world.now;
        let event = Event::MarkedUnread(Peer::User(whose), true);
        updates::append(world.user(whose).unwrap(), now, event)
            .await
            .unwrap();
        world.commit().await.unwrap();
    });
}

fn is_told(bob: &Client) -> bool {
    let pushed = bob.pushed_updates();
    matches!(pushed[..], [enums::Update::UpdateDialogUnreadMark(_)])
}

/// Wherever in the push the other commit comes.
#[test]
fn up_20_a_push_whose_box_changed_meanwhile_is_made_again() {
    for at in 0..4 {
        let (town, faults, bob) = town();
        change(&town, bob.user());
        let mut acts = vec![Act::Answer; at];
        acts.push(Act::Overtake);
        faults.follow(keys::partition::user(bob.user()), &acts);
        town.api().notify(bob.user(), None);
        assert!(is_told(&bob), "the box changed before read {at}");
    }
}

#[test]
fn up_5_a_push_that_the_store_failed_is_made_when_it_answers_again() {
    for at in 0..3 {
        let (town, faults, bob) = town();
        change(&town, bob.user());
        let mut acts = vec![Act::Answer; at];
        acts.push(Act::Fail);
        faults.follow(keys::partition::user(bob.user()), &acts);
        town.api().notify(bob.user(), None);
        if !is_told(&bob) {
            town.env().run(town.api().sweep()).unwrap();
            assert!(is_told(&bob), "the store failed at read {at}");
        }
        town.env().run(town.api().sweep()).unwrap();
        assert!(bob.pushed().is_empty(), "told twice");
    }
}

/// Where its pushes begin is not known when its first call fails.
#[test]
fn up_5_a_session_whose_first_call_the_store_failed_is_pushed_to_from_the_next_on() {
    for at in 0..3 {
        let (town, faults, bob) = town();
        town.restart();
        let mut acts = vec![Act::Answer; at];
        acts.push(Act::Fail);
        faults.follow(keys::partition::user(bob.user()), &acts);
        let first = bob.call(functions::updates::GetState {});
        assert_eq!(first, Err(RpcError::INTERNAL), "the store failed at read {at}");
        bob.call(functions::updates::GetState {}).unwrap();
        change(&town, bob.user());
        town.api().notify(bob.user(), None);
        assert!(is_told(&bob), "the store failed at read {at}");
    }
}
