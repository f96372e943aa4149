//! Two people talk.

use havre_sim::Town;
use havre_tl::{enums, functions};

fn texts(updates: Vec<enums::Update>) -> Vec<String> {
    let text = |update| match update {
        enums::Update::UpdateNewMessage(u) => match u.message {
            enums::Message::Message(m) => Some(m.message),
            _ => None,
        },
        _ => None,
    };
    updates.into_iter().filter_map(text).collect()
}

#[test]
fn a_message_arrives_live_and_in_the_difference() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let phone = town.second_login(&bob);
    alice.say(alice.input_peer_of(&bob), "salut").unwrap();
    assert_eq!(texts(bob.pushed_updates()), ["salut"]);
    assert_eq!(texts(phone.pushed_updates()), ["salut"]);
    assert_eq!(
        texts(alice.pushed_updates()),
        Vec::<String>::new(),
        "the answer told her"
    );
    let difference = phone
        .call(functions::updates::GetDifference {
            pts: 0,
            ..Default::default()
        })
        .unwrap();
    let enums::updates::Difference::Difference(difference) = difference else {
        panic!("{difference:?}")
    };
    assert_eq!(difference.new_messages.len(), 1);
}

#[test]
fn up_17_the_same_random_id_makes_one_message() {
    let town = Town::new(2);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let request = functions::messages::SendMessage {
        peer: alice.input_peer_of(&bob),
        message: "once".into(),
        random_id: 5,
        ..Default::default()
    };
    let id = |updates| match updates {
        enums::Updates::Updates(u) => match u.updates.first() {
            Some(enums::Update::UpdateMessageID(u)) => u.id,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    let first = id(alice.call(request.clone()).unwrap());
    let again = id(alice.call(request).unwrap());
    assert_eq!(first, again);
    assert_eq!(texts(bob.pushed_updates()), ["once"]);
}
