//! `messages.sendMessage` to the service account: `/invite`.

use havre_api::error::RpcError;
use havre_sim::{Client, Town};
use havre_tl::{enums, functions, types};

/// The service account as a client names it.
fn service(town: &Town, client: &Client) -> enums::InputPeer {
    let id = havre_domain::ids::SERVICE_USER;
    types::InputPeerUser {
        user_id: id.0,
        access_hash: town.api().world().secret.access_hash(client.user(), id),
    }
    .into()
}

/// What the service account wrote since the last look.
fn answers(client: &Client) -> Vec<String> {
    let texts = client
        .pushed_updates()
        .into_iter()
        .filter_map(|update| match update {
            enums::Update::UpdateNewMessage(new) => match new.message {
                enums::Message::Message(message) if !message.out => Some(message.message),
                _ => None,
            },
            _ => None,
        });
    texts.collect()
}

/// The number and the code in an answer.
fn ticket(answer: &str) -> (String, String) {
    let words: Vec<&str> = answer.split_whitespace().collect();
    let after = |word: &str| words[words.iter().rposition(|w| *w == word).unwrap() + 1].to_owned();
    (after("number").replacen('+', "", 1), after("code"))
}

/// Whether somebody can sign up with a number and a code.
fn signs_up(town: &Town, number: &str, code: &str) -> bool {
    let client = town.client();
    let sent = client.call(functions::auth::SendCode {
        phone_number: number.into(),
        api_id: 1,
        ..Default::default()
    });
    let Ok(enums::auth::SentCode::SentCode(sent)) = sent else {
        return false;
    };
    let entered = client.call(functions::auth::SignIn {
        phone_number: number.into(),
        phone_code_hash: sent.phone_code_hash.clone(),
        phone_code: Some(code.into()),
        ..Default::default()
    });
    let signed_up = client.call(functions::auth::SignUp {
        phone_number: number.into(),
        phone_code_hash: sent.phone_code_hash,
        first_name: "Guest".into(),
        ..Default::default()
    });
    entered.is_ok() && signed_up.is_ok()
}

#[test]
fn a_member_invites_as_many_as_the_operator_lets_them() {
    let town = Town::set(1, |settings| settings.invitations_per_member = 2);
    let alice = town.person("79990000001", "Alice");
    for _ in 0..2 {
        alice.say(service(&town, &alice), " /invite ").unwrap();
        let answers = answers(&alice);
        let [answer] = &answers[..] else {
            panic!("{answers:?}")
        };
        let (number, code) = ticket(answer);
        assert!(signs_up(&town, &number, &code), "{answer}");
    }
    alice.say(service(&town, &alice), "/invite").unwrap();
    assert_eq!(answers(&alice), ["You have no invitations left."]);
    let bob = town.person("79990000002", "Bob");
    bob.say(service(&town, &bob), "/invite").unwrap();
    assert!(answers(&bob)[0].starts_with("Invitation for one person"));
}

#[test]
fn the_same_question_twice_costs_one_invitation() {
    let town = Town::set(2, |settings| settings.invitations_per_member = 1);
    let alice = town.person("79990000001", "Alice");
    let question = functions::messages::SendMessage {
        peer: service(&town, &alice),
        message: "/invite".into(),
        random_id: 7,
        ..Default::default()
    };
    for _ in 0..2 {
        alice.call(question.clone()).unwrap();
    }
    assert_eq!(answers(&alice).len(), 1);
}

#[test]
fn the_service_account_hears_nothing_else_and_nothing_where_members_may_not_invite() {
    let town = Town::set(3, |settings| settings.invitations_per_member = 1);
    let alice = town.person("79990000001", "Alice");
    let refused = alice.say(service(&town, &alice), "hello");
    assert_eq!(refused, Err(RpcError::PEER_ID_INVALID));
    let town = Town::new(4);
    let alice = town.person("79990000001", "Alice");
    let refused = alice.say(service(&town, &alice), "/invite");
    assert_eq!(refused, Err(RpcError::PEER_ID_INVALID));
}
