//! `auth.sendCode`, `auth.resendCode`, `auth.cancelCode`.

use havre_api::error::RpcError;
use havre_sim::Town;
use havre_tl::{enums, functions};

use super::{code_of, send_code, sign_in};

#[test]
fn a_free_number_gets_its_code_from_the_provider() {
    let town = Town::new(1);
    let client = town.client();
    let sent = send_code(&client, "+7 999 000-00-01").unwrap();
    assert!(matches!(sent.r#type, enums::auth::SentCodeType::SentCodeTypeSms(t) if t.length == 5));
    let code = code_of(&town, "79990000001");
    assert!(code.len() == 5 && code.bytes().all(|b| b.is_ascii_digit()));
}

#[test]
fn whoever_is_logged_in_elsewhere_reads_the_code_there() {
    let town = Town::new(2);
    let alice = town.person("79990000001", "Alice");
    let sent = send_code(&town.client(), "79990000001").unwrap();
    assert!(matches!(
        sent.r#type,
        enums::auth::SentCodeType::SentCodeTypeApp(_)
    ));
    assert_eq!(town.env().code("79990000001"), None, "the provider is not needed");
    let code = town
        .env()
        .run(town.api().pending_code("79990000001"))
        .unwrap()
        .unwrap();
    let pushed = alice.pushed();
    let [enums::Updates::Updates(updates)] = &pushed[..] else {
        panic!("{pushed:?}")
    };
    let [enums::Update::UpdateNewMessage(update)] = &updates.updates[..] else {
        panic!("{updates:?}")
    };
    let enums::Message::Message(message) = &update.message else {
        panic!("{update:?}")
    };
    assert!(message.message.contains(&code));
    assert_eq!(
        message.peer_id,
        havre_tl::types::PeerUser { user_id: 777_000 }.into()
    );
    assert!(
        updates
            .users
            .iter()
            .any(|u| matches!(u, enums::User::User(u) if u.id == 777_000))
    );
}

#[test]
fn every_code_is_a_message_of_its_own() {
    let town = Town::new(3);
    let alice = town.person("79990000001", "Alice");
    for _ in 0..2 {
        send_code(&town.client(), "79990000001").unwrap();
    }
    assert_eq!(alice.pushed_updates().len(), 2);
}

#[test]
fn too_many_codes_wait_for_the_true_time() {
    let town = Town::new(4);
    for _ in 0..5 {
        send_code(&town.client(), "79990000001").unwrap();
        town.pass(10);
    }
    let refused = send_code(&town.client(), "79990000001").unwrap_err();
    assert_eq!(refused, RpcError::flood_wait(3600 - 50));
    assert!(
        send_code(&town.client(), "79990000002").is_ok(),
        "another number is not concerned"
    );
    town.pass(3550);
    assert!(send_code(&town.client(), "79990000001").is_ok());
}

#[test]
fn nonsense_is_refused() {
    let town = Town::new(5);
    let refused = send_code(&town.client(), "not a number").unwrap_err();
    assert_eq!(refused, RpcError::PHONE_NUMBER_INVALID);
    let no_app = town.client().call(functions::auth::SendCode {
        phone_number: "79990000001".into(),
        ..Default::default()
    });
    assert_eq!(no_app, Err(RpcError::API_ID_INVALID));
}

#[test]
fn a_code_that_went_to_an_app_can_be_asked_for_by_the_provider() {
    let town = Town::new(6);
    let alice = town.person("79990000001", "Alice");
    let client = town.client();
    let first = send_code(&client, "79990000001").unwrap();
    let again = client
        .call(functions::auth::ResendCode {
            phone_number: "79990000001".into(),
            phone_code_hash: first.phone_code_hash.clone(),
            reason: None,
        })
        .unwrap();
    let enums::auth::SentCode::SentCode(again) = again else {
        panic!("{again:?}")
    };
    assert_eq!(
        again.phone_code_hash, first.phone_code_hash,
        "the same attempt goes on"
    );
    assert!(matches!(
        again.r#type,
        enums::auth::SentCodeType::SentCodeTypeSms(_)
    ));
    let code = code_of(&town, "79990000001");
    let answer = sign_in(&client, "79990000001", &first.phone_code_hash, &code).unwrap();
    assert_eq!(super::user(answer).id, alice.user().0);
}

#[test]
fn a_cancelled_attempt_is_over() {
    let town = Town::new(7);
    let client = town.client();
    let sent = send_code(&client, "79990000001").unwrap();
    let cancel = functions::auth::CancelCode {
        phone_number: "79990000001".into(),
        phone_code_hash: sent.phone_code_hash.clone(),
    };
    assert_eq!(client.call(cancel.clone()), Ok(true));
    assert_eq!(client.call(cancel), Err(RpcError::PHONE_CODE_EXPIRED));
    let code = code_of(&town, "79990000001");
    let late = sign_in(&client, "79990000001", &sent.phone_code_hash, &code);
    assert_eq!(late, Err(RpcError::PHONE_CODE_EXPIRED));
}

/// The seconds of a `FLOOD_WAIT_n`.
fn wait(refused: Result<havre_tl::types::auth::SentCode, RpcError>) -> u64 {
    let error = refused.unwrap_err();
    let seconds = error.text.strip_prefix("FLOOD_WAIT_").map(str::parse);
    seconds.unwrap_or_else(|| panic!("{error:?}")).unwrap()
}

fn number(n: usize) -> String {
    format!("7999{n:07}")
}

#[test]
fn past_the_pace_of_the_providers_people_wait_for_the_true_time_and_keep_their_place() {
    let town = Town::new(8);
    town.env().set_code_rate(2.0);
    let clients: Vec<_> = (0..100).map(|_| town.client()).collect();
    let ask = |n: usize| send_code(&clients[n], &number(n));
    let answers: Vec<_> = (0..100).map(ask).collect();
    let at_once = answers.iter().filter(|answer| answer.is_ok()).count();
    assert!((1..10).contains(&at_once), "{at_once}");
    assert_eq!(
        town.env().code(&number(99)),
        None,
        "nothing was sent to who waits"
    );
    let told: Vec<u64> = answers.into_iter().filter(Result::is_err).map(wait).collect();
    assert!(told.is_sorted());
    let last = *told.last().unwrap();
    assert!((45..=50).contains(&last), "{last}: a hundred at two a second");
    let rest = wait(ask(99));
    assert_eq!(rest, last, "asking early changes nothing");
    assert!(
        wait(send_code(&town.client(), &number(100))) >= rest,
        "newcomers stand behind"
    );
    town.pass(rest);
    assert!(ask(99).is_ok());
    assert!(town.env().code(&number(99)).is_some());
}

#[test]
fn a_number_that_no_provider_is_for_takes_no_place() {
    let town = Town::new(8);
    town.env().set_unserved("1555");
    town.env().set_code_rate(0.02);
    let client = town.client();
    for n in 0..5 {
        let refused = send_code(&client, &format!("1555000000{n}")).unwrap_err();
        assert_eq!(refused, RpcError::PHONE_NUMBER_INVALID);
    }
    assert!(send_code(&client, "15560000001").is_ok());
    let told = wait(send_code(&town.client(), "15560000002"));
    assert!((40..=60).contains(&told), "{told}: only one was before");
}

#[test]
fn a_place_in_the_queue_outlives_the_server() {
    let town = Town::new(9);
    town.env().set_code_rate(0.02);
    let mut last = 0;
    for n in 0..50 {
        last = send_code(&town.client(), &number(n)).map_or_else(|refused| wait(Err(refused)), |_| 0);
    }
    // What happened in the last seconds before the end is not saved.
    town.pass(6);
    let late = wait(send_code(&town.client(), &number(50)));
    town.env().settle();
    town.restart();
    let again = wait(send_code(&town.client(), &number(49)));
    assert_eq!(again, last - 6);
    let newcomer = wait(send_code(&town.client(), &number(51)));
    assert!(newcomer >= late, "{newcomer} < {late}");
}

#[test]
fn people_with_an_account_come_before_newcomers() {
    let town = Town::new(10);
    let _alice = town.person("79990000001", "Alice");
    let alice_logged_out = town.person("79980000002", "Bob");
    alice_logged_out.call(functions::auth::LogOut {}).unwrap();
    town.env().set_code_rate(1.0);
    for n in 100..200 {
        drop(send_code(&town.client(), &number(n)));
    }
    assert!(send_code(&town.client(), "79980000002").is_ok());
    assert!(wait(send_code(&town.client(), &number(200))) > 60);
    assert!(
        send_code(&town.client(), "79990000001").is_ok(),
        "codes in the app need no provider"
    );
}

#[test]
fn codes_cost_an_address_a_range_and_a_prefix() {
    let town = Town::set(11, |settings| {
        settings.tolls.per_range = 3;
        settings.tolls.per_prefix = vec![("881".into(), 0)];
    });
    for n in 0..3 {
        assert!(send_code(&town.client(), &number(n)).is_ok());
    }
    assert_eq!(wait(send_code(&town.client(), &number(3))), 1200);
    assert!(send_code(&town.client(), &number(30_000)).is_ok());
    let satellite = send_code(&town.client(), "8816000001");
    assert_eq!(satellite, Err(RpcError::PHONE_NUMBER_INVALID));
    let town = Town::set(12, |settings| settings.tolls.per_address = 2);
    for n in 0..2 {
        assert!(send_code(&town.client(), &number(n * 10_000)).is_ok());
    }
    assert_eq!(wait(send_code(&town.client(), &number(90_000))), 1800);
}
