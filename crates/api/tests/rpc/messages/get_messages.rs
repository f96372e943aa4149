use havre_api::error::RpcError;
use havre_sim::town::{Client, Town};
use havre_tl::functions::messages::GetMessages;
use havre_tl::{enums, functions, types};

use super::group::ids;
use super::page::{Page, page};

fn get(who: &Client, id: Vec<enums::InputMessage>) -> Page {
    page(who.call(GetMessages { id }).unwrap())
}

fn by_id(id: i32) -> enums::InputMessage {
    types::InputMessageID { id }.into()
}

fn told(who: &Client, limit: i32) -> Vec<i32> {
    let request = functions::messages::GetHistory {
        peer: enums::InputPeer::InputPeerSelf,
        limit,
        ..Default::default()
    };
    page(who.call(request).unwrap()).ids()
}

#[test]
fn in_the_order_asked_and_empty_for_what_is_not_there() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    for text in ["one", "two", "three"] {
        alice.say(enums::InputPeer::InputPeerSelf, text).unwrap();
    }
    bob.say(bob.input_peer_of(&alice), "from Bob").unwrap();
    let [three, two, one] = told(&alice, 9)[..] else {
        panic!("three")
    };
    let delete = functions::messages::DeleteMessages {
        revoke: false,
        id: vec![two],
    };
    alice.call(delete).unwrap();
    let asked = [two, three, one, 9_999, three + 1, -5];
    let found = get(&alice, asked.map(by_id).to_vec());
    assert_eq!(found.ids(), asked);
    assert_eq!(found.texts(), ["three", "one", "from Bob"]);
    let empty = |n: usize| matches!(found.messages[n], enums::Message::MessageEmpty(_));
    assert!(empty(0) && empty(3) && empty(5));
    assert_eq!(found.user_ids(), ids(&[&alice, &bob]));
    assert!(found.is_whole);
}

#[test]
fn another_persons_id_says_nothing_of_their_message() {
    let town = Town::new(2);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    for _ in 0..5 {
        alice.say(enums::InputPeer::InputPeerSelf, "private").unwrap();
    }
    let id = told(&alice, 1)[0];
    let found = get(&bob, vec![by_id(id)]);
    assert!(matches!(&found.messages[..], [enums::Message::MessageEmpty(m)] if m.id == id));
    assert_eq!(found.user_ids(), [0; 0]);
}

#[test]
fn what_a_message_answers() {
    let town = Town::new(3);
    let alice = town.person("79990000001", "Alice");
    alice.say(enums::InputPeer::InputPeerSelf, "question").unwrap();
    let question = told(&alice, 1)[0];
    let reply = types::InputReplyToMessage {
        reply_to_msg_id: question,
        ..Default::default()
    };
    let answer = functions::messages::SendMessage {
        peer: enums::InputPeer::InputPeerSelf,
        reply_to: Some(reply.into()),
        message: "answer".into(),
        random_id: 5,
        ..Default::default()
    };
    alice.call(answer).unwrap();
    let id = told(&alice, 1)[0];
    let found = get(&alice, vec![types::InputMessageReplyTo { id }.into()]);
    assert_eq!((found.ids(), found.texts()), (vec![question], vec!["question"]));
}

#[test]
fn too_many_at_once() {
    let town = Town::new(4);
    let alice = town.person("79990000001", "Alice");
    let refused = alice.call(GetMessages {
        id: vec![by_id(1); 101],
    });
    assert_eq!(refused.unwrap_err(), RpcError::LIMIT_INVALID);
    assert_eq!(get(&alice, vec![]).ids(), [0; 0]);
}
