//! Signing up with an invitation: `auth.sendCode`, `auth.resendCode`, `auth.signIn`, `auth.signUp` for numbers
//! that no network serves.

use havre_api::error::RpcError;
use havre_domain::invitations::{self, Ticket};
use havre_domain::keys::partition;
use havre_sim::{Client, Town};
use havre_tl::{enums, functions};

use super::{is_logged_in, log_in, send_code, sign_in, sign_up, user};

fn invite(town: &Town, days: u32) -> Ticket {
    town.env().run(town.api().invite(days)).unwrap()
}

/// A client that asked for a code, and the attempt's name.
fn asked(town: &Town, ticket: &Ticket) -> (Client, String) {
    let client = town.client();
    let hash = send_code(&client, &ticket.number).unwrap().phone_code_hash;
    (client, hash)
}

/// Somebody who signed up with an invitation.
fn join(town: &Town, ticket: &Ticket) -> Client {
    let (client, hash) = asked(town, ticket);
    sign_in(&client, &ticket.number, &hash, &ticket.code).unwrap();
    let me = user(sign_up(&client, &ticket.number, &hash, "Alice").unwrap());
    assert_eq!(me.phone.as_ref(), Some(&ticket.number));
    assert!(is_logged_in(&client));
    let left = town.env().run(async {
        let mut world = town.api().world();
        let now = world.now;
        invitations::open(world.view(partition::phone(&ticket.number)), now).await
    });
    assert_eq!(left.unwrap(), None, "the code is forgotten");
    client
}

/// Digits of the right length that are wrong.
fn wrong(ticket: &Ticket) -> String {
    if ticket.code.starts_with('0') {
        "10000000".into()
    } else {
        "00000000".into()
    }
}

#[test]
fn an_invitation_signs_up_without_any_message_or_wait() {
    let town = Town::new(1);
    town.env().set_code_rate(0.0);
    let ticket = invite(&town, 7);
    assert!(ticket.number.starts_with("424") && ticket.code.len() == 8);
    let sent = send_code(&town.client(), &ticket.number).unwrap();
    assert!(matches!(sent.r#type, enums::auth::SentCodeType::SentCodeTypeSms(t) if t.length == 8));
    assert_eq!(
        (sent.next_type, sent.timeout),
        (None, None),
        "there is no other way"
    );
    join(&town, &ticket);
    assert_eq!(town.env().code(&ticket.number), None, "nothing was sent");
}

#[test]
fn an_invitation_is_for_one_person() {
    let town = Town::new(2);
    let ticket = invite(&town, 7);
    let alice = join(&town, &ticket);
    let (other, hash) = asked(&town, &ticket);
    let again = sign_in(&other, &ticket.number, &hash, &ticket.code);
    assert_eq!(
        again,
        Err(RpcError::PHONE_CODE_INVALID),
        "the code is another one now"
    );
    let (second, answer) = log_in(&town, &ticket.number);
    assert_eq!(user(answer.unwrap()).phone.as_ref(), Some(&ticket.number));
    for client in [alice, second] {
        client.call(functions::auth::LogOut {}).unwrap();
    }
    let nowhere = send_code(&town.client(), &ticket.number);
    assert_eq!(
        nowhere,
        Err(RpcError::SEND_CODE_UNAVAILABLE),
        "no app is left to read a code in"
    );
}

#[test]
fn five_wrong_codes_end_an_invitation_over_however_many_attempts() {
    let town = Town::new(3);
    let ticket = invite(&town, 7);
    for attempt in 0..3 {
        let (client, hash) = asked(&town, &ticket);
        for _ in 0..if attempt < 2 { 2 } else { 1 } {
            let refused = sign_in(&client, &ticket.number, &hash, &wrong(&ticket));
            assert_eq!(refused, Err(RpcError::PHONE_CODE_INVALID));
        }
        if attempt == 2 {
            let late = sign_in(&client, &ticket.number, &hash, &ticket.code);
            assert_eq!(late, Err(RpcError::PHONE_CODE_EXPIRED));
        }
    }
    let refused = send_code(&town.client(), &ticket.number);
    assert_eq!(refused, Err(RpcError::PHONE_NUMBER_INVALID));
}

#[test]
fn an_invitation_ends_with_its_days() {
    let town = Town::new(4);
    let (short, long) = (invite(&town, 1), invite(&town, 2));
    town.pass(24 * 3600);
    assert_eq!(
        send_code(&town.client(), &short.number),
        Err(RpcError::PHONE_NUMBER_INVALID)
    );
    join(&town, &long);
}

#[test]
fn numbers_that_nobody_is_invited_with_are_refused_and_cost_the_address() {
    let town = Town::set(5, |settings| settings.tolls.per_address = 2);
    for n in 0..2 {
        let stranger = send_code(&town.client(), &format!("424{n}000000000"));
        assert_eq!(stranger, Err(RpcError::PHONE_NUMBER_INVALID));
    }
    let refused = send_code(&town.client(), "4242000000000").unwrap_err();
    assert_eq!(refused, RpcError::flood_wait(1800));
}

#[test]
fn no_other_way_is_offered_for_a_code() {
    let town = Town::new(6);
    let ticket = invite(&town, 7);
    let (client, phone_code_hash) = asked(&town, &ticket);
    let resend = functions::auth::ResendCode {
        phone_number: ticket.number.clone(),
        phone_code_hash,
        reason: None,
    };
    assert_eq!(client.call(resend), Err(RpcError::SEND_CODE_UNAVAILABLE));
    assert_eq!(town.env().code(&ticket.number), None);
}
