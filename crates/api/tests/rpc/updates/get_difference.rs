use havre_api::error::RpcError;
use havre_domain::ids::Peer;
use havre_domain::updates::{self, Counters, Event};
use havre_sim::{Client, Town};
use havre_tl::enums::updates::{Difference, State};
use havre_tl::{enums, functions};

/// Two people, of whom the first has sent this many texts.
fn town(texts: usize) -> (Town, Client, Client) {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    for n in 0..texts {
        alice
            .say(alice.input_peer_of(&bob), &format!("text {n}"))
            .unwrap();
    }
    (town, alice, bob)
}

fn since(client: &Client, pts: i32) -> functions::updates::GetDifference {
    let State::State(now) = client.call(functions::updates::GetState {}).unwrap();
    functions::updates::GetDifference {
        pts,
        date: now.date,
        ..Default::default()
    }
}

fn pts(client: &Client) -> i32 {
    let State::State(state) = client.call(functions::updates::GetState {}).unwrap();
    state.pts
}

fn texts(messages: &[enums::Message]) -> Vec<&str> {
    fn text(message: &enums::Message) -> Option<&str> {
        match message {
            enums::Message::Message(m) => Some(&m.message),
            _ => None,
        }
    }
    messages.iter().filter_map(text).collect()
}

/// Forgets what happened in somebody's box, but for about the newest `kept` events.
fn compact(town: &Town, whose: &Client, kept: usize) -> Counters {
    town.env().run(async {
        let mut world = town.api().world();
        let tx = world.user(whose.user()).unwrap();
        updates::compact(tx, kept).await.unwrap();
        let counters = updates::counters(tx).await.unwrap();
        world.commit().await.unwrap();
        counters
    })
}

#[test]
fn up_6_nothing_happened_since_now() {
    let (_town, _, bob) = town(1);
    let answer = bob.call(since(&bob, pts(&bob))).unwrap();
    assert!(matches!(answer, Difference::DifferenceEmpty(_)), "{answer:?}");
}

#[test]
fn a_state_that_never_was_is_refused() {
    let (_town, _, bob) = town(1);
    for wrong in [-1, pts(&bob) + 1] {
        let refused = bob.call(since(&bob, wrong)).unwrap_err();
        assert_eq!(refused, RpcError::PERSISTENT_TIMESTAMP_INVALID);
    }
}

#[test]
fn up_7_everything_after_and_nothing_before() {
    let (_town, _, bob) = town(5);
    let Difference::Difference(d) = bob.call(since(&bob, 3)).unwrap() else {
        panic!("the whole rest")
    };
    assert_eq!(texts(&d.new_messages), ["text 2", "text 3", "text 4"]);
    let State::State(reached) = d.state;
    assert_eq!(reached.pts, 6);
    assert!(d.other_updates.is_empty());
}

#[test]
fn up_9_an_edit_folds_into_the_message_and_a_deletion_takes_it_away() {
    let (_town, alice, bob) = town(2);
    let edit = functions::messages::EditMessage {
        peer: alice.input_peer_of(&bob),
        id: 1,
        message: Some("better".into()),
        ..Default::default()
    };
    alice.call(edit).unwrap();
    let delete = functions::messages::DeleteMessages {
        revoke: true,
        id: vec![2],
    };
    alice.call(delete).unwrap();
    let Difference::Difference(d) = bob.call(since(&bob, 0)).unwrap() else {
        panic!("the whole rest")
    };
    assert_eq!(texts(&d.new_messages), ["better"]);
    // Its creation has become a deletion too, so that each step of pts is told (UP-10).
    let deleted = d.other_updates.iter().map(|update| match update {
        enums::Update::UpdateDeleteMessages(u) => (&u.messages[..], u.pts),
        other => panic!("{other:?}"),
    });
    assert!(deleted.eq([(&[2][..], 3), (&[2][..], 5)]));
}

/// How `TDLib` fills a hole of one event.
#[test]
fn up_10_one_event_is_repaired_by_one_event() {
    let (_town, _, bob) = town(4);
    for p in 2..=5 {
        let request = functions::updates::GetDifference {
            pts: p - 1,
            pts_limit: Some(1),
            date: i32::MAX,
            ..Default::default()
        };
        let (messages, others, reached) = match bob.call(request).unwrap() {
            Difference::Difference(d) => (d.new_messages, d.other_updates, d.state),
            Difference::DifferenceSlice(d) => (d.new_messages, d.other_updates, d.intermediate_state),
            other => panic!("{other:?}"),
        };
        assert_eq!((messages.len(), others.len()), (1, 0), "the event of pts {p}");
        let State::State(reached) = reached;
        assert_eq!(reached.pts, p);
    }
}

#[test]
fn up_11_too_much_for_the_client() {
    let (_town, _, bob) = town(5);
    let asked = |limit| {
        let request = functions::updates::GetDifference {
            pts_total_limit: Some(limit),
            ..since(&bob, 2)
        };
        bob.call(request).unwrap()
    };
    assert!(matches!(asked(4), Difference::Difference(_)));
    let Difference::DifferenceTooLong(too_long) = asked(3) else {
        panic!("four events are more than three")
    };
    assert_eq!(too_long.pts, 6);
}

#[test]
fn up_11_what_was_forgotten_is_too_long_and_the_rest_is_whole() {
    let (town, _, bob) = town(40);
    let counters = compact(&town, &bob, 10);
    let start = counters.log_start.0;
    assert!((31..41).contains(&start), "{counters:?}");
    for from in [0, start - 1] {
        let answer = bob.call(since(&bob, from)).unwrap();
        let Difference::DifferenceTooLong(too_long) = answer else {
            panic!("from {from}: {answer:?}")
        };
        let again = bob.call(since(&bob, too_long.pts)).unwrap();
        assert!(matches!(again, Difference::DifferenceEmpty(_)), "{again:?}");
    }
    let Difference::Difference(d) = bob.call(since(&bob, start)).unwrap() else {
        panic!("the whole rest")
    };
    assert_eq!(d.new_messages.len(), usize::try_from(41 - start).unwrap());
}

/// The log of somebody connected forgot events before they were pushed.
#[test]
fn up_31_a_session_that_lags_behind_the_log_is_told_to_catch_up() {
    let (town, alice, bob) = town(3);
    assert_eq!(bob.pushed().len(), 3);
    town.env().run(async {
        let mut world = town.api().world();
        let now = world.now;
        let tx = world.user(bob.user()).unwrap();
        for _ in 0..5 {
            updates::append(tx, now, Event::Checkpoint).await.unwrap();
        }
        updates::compact(tx, 0).await.unwrap();
        world.commit().await.unwrap();
    });
    town.api().notify(bob.user(), None);
    assert_eq!(bob.pushed(), [enums::Updates::UpdatesTooLong]);
    let answer = bob.call(since(&bob, 3)).unwrap();
    assert!(matches!(answer, Difference::DifferenceTooLong(_)), "{answer:?}");
    alice.say(alice.input_peer_of(&bob), "live again").unwrap();
    assert_eq!(bob.pushed().len(), 1);
}

/// Changes without pts in somebody's box, this many.
fn changes_without_pts(town: &Town, whose: &Client, many: usize) {
    town.env().run(async {
        let mut world = town.api().world();
        let now = world.now;
        let tx = world.user(whose.user()).unwrap();
        for _ in 0..many {
            let event = Event::MarkedUnread(Peer::User(whose.user()), true);
            updates::append(tx, now, event).await.unwrap();
        }
        world.commit().await.unwrap();
    });
}

#[test]
fn up_10_a_change_without_pts_beside_the_event_is_not_in_its_repair() {
    let (town, alice, bob) = town(2);
    changes_without_pts(&town, &bob, 3);
    alice.say(alice.input_peer_of(&bob), "third").unwrap();
    changes_without_pts(&town, &bob, 3);
    for p in 1..=3 {
        let request = functions::updates::GetDifference {
            pts: p - 1,
            pts_limit: Some(1),
            date: i32::MAX,
            ..Default::default()
        };
        let (messages, others) = match bob.call(request).unwrap() {
            Difference::Difference(d) => (d.new_messages, d.other_updates),
            Difference::DifferenceSlice(d) => (d.new_messages, d.other_updates),
            other => panic!("{other:?}"),
        };
        assert_eq!((messages.len(), others.len()), (1, 0), "the event of pts {p}");
    }
}

/// So many changes without pts that one look into the log does not hold all, of which the oldest are known.
#[test]
fn up_7_what_lies_behind_many_changes_without_pts_is_not_passed_over() {
    let (town, alice, bob) = town(1);
    let start = pts(&bob);
    changes_without_pts(&town, &bob, 200);
    town.pass(10);
    let request = functions::updates::GetDifference {
        pts_limit: Some(2),
        ..since(&bob, start)
    };
    changes_without_pts(&town, &bob, 600);
    alice.say(alice.input_peer_of(&bob), "at last").unwrap();
    let mut slice = bob.call(request.clone()).unwrap();
    let mut found: Vec<enums::Message> = Vec::new();
    loop {
        let (messages, at) = match slice {
            Difference::Difference(d) => break found.extend(d.new_messages),
            Difference::DifferenceSlice(d) => (d.new_messages, d.intermediate_state),
            other => panic!("{other:?}"),
        };
        found.extend(messages);
        let State::State(at) = at;
        let next = functions::updates::GetDifference {
            pts: at.pts,
            date: at.date,
            ..request.clone()
        };
        slice = bob.call(next).unwrap();
    }
    assert_eq!(texts(&found), ["at last"]);
}

#[test]
fn up_27_a_slice_is_not_dated_before_the_question() {
    let (town, _, bob) = town(3);
    town.pass(100);
    let request = functions::updates::GetDifference {
        pts_limit: Some(1),
        ..since(&bob, 0)
    };
    let asked = request.date;
    let Difference::DifferenceSlice(slice) = bob.call(request).unwrap() else {
        panic!("one of three")
    };
    let State::State(reached) = slice.intermediate_state;
    assert!(reached.date >= asked, "{} after {asked}", reached.date);
}
