//! What catching up costs the store (UP-32): as much as there is to tell, however long the history is.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panic")]

use std::sync::Arc;

use havre_domain::ids::{MessageId, Origin, Peer, SERVICE_USER};
use havre_domain::messages::{self, Arrival};
use havre_sim::env::SimEnv;
use havre_sim::faults::{Cost, Faulty, Rates};
use havre_sim::{Client, Town};
use havre_store::engine::memory::Memory;
use havre_tl::enums::updates::{Difference, State};
use havre_tl::{Serialize as _, enums, functions, types};

/// Messages that come in one commit.
const BATCH: i32 = 100;

/// A box that so many messages came into.
fn full(history: i32) -> (Town, Arc<Faulty>, Client) {
    let env = Arc::new(SimEnv::new(1));
    let faults = Arc::new(Faulty::new(
        Arc::new(Memory::new()),
        env.clone(),
        Rates::default(),
    ));
    let town = Town::over(env, faults.clone());
    let bob = town.person("79990000001", "Bob");
    for first in (1..=history).step_by(usize::try_from(BATCH).unwrap()) {
        receive(&town, &bob, first, BATCH.min(history - first + 1));
    }
    (town, faults, bob)
}

/// So many messages come, whose names begin with a number.
fn receive(town: &Town, bob: &Client, first: i32, many: i32) {
    let peer = Peer::User(SERVICE_USER);
    let content = types::Message {
        message: "news".into(),
        ..Default::default()
    };
    let content = enums::Message::Message(content).to_bytes();
    town.env().run(async {
        let mut world = town.api().world();
        let now = world.now;
        let tx = world.user(bob.user()).unwrap();
        for id in first..first + many {
            let arrival = Arrival {
                peer,
                from: SERVICE_USER,
                date: now.date(),
                origin: Origin {
                    source: peer,
                    id: MessageId(id),
                },
                reply: None,
                media_unread: false,
                content: content.clone(),
            };
            messages::receive(tx, now, bob.user(), arrival).await.unwrap();
        }
        world.commit().await.unwrap();
    });
}

/// What a difference costs once so many messages have come to a client that had everything, in a box with
/// this much history.
fn cost(history: i32, new: i32) -> Cost {
    let (town, faults, bob) = full(history);
    let State::State(before) = bob.call(functions::updates::GetState {}).unwrap();
    assert_eq!(before.pts, 1 + history);
    town.pass(10);
    receive(&town, &bob, history + 1, new);
    faults.cost();
    let request = functions::updates::GetDifference {
        pts: before.pts,
        date: before.date + 1,
        ..Default::default()
    };
    let told = match bob.call(request).unwrap() {
        Difference::DifferenceEmpty(_) => 0,
        Difference::Difference(d) => d.new_messages.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!(i32::try_from(told), Ok(new));
    faults.cost()
}

#[test]
fn up_32_a_difference_costs_what_it_tells_whatever_the_history() {
    for new in [0, 1, 50] {
        let (short, long) = (cost(10, new), cost(10_000, new));
        assert_eq!(short, long, "{new} new messages after 10 and after 10,000");
    }
}

#[test]
fn up_32_whoever_has_missed_nothing_costs_a_few_reads() {
    let Cost { reads, entries } = cost(10_000, 0);
    assert!(reads <= 8, "{reads} questions");
    assert!(entries <= 8, "{entries} entries");
}

#[test]
fn up_32_the_cost_grows_with_what_is_told() {
    let [some, more, most] = [50, 100, 200].map(|new| cost(1_000, new));
    let step = |from: Cost, to: Cost| (to.reads - from.reads, to.entries - from.entries);
    let (first, second) = (step(some, more), step(more, most));
    assert!(
        first.0 > 0 && first.1 > 0,
        "the count counts nothing: {some:?} {more:?}"
    );
    assert_eq!((first.0 * 2, first.1 * 2), second, "not in proportion");
}
