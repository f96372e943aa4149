//! Logging in by e-mail: `account.sendVerifyEmailCode`, `account.verifyEmail`, `auth.resetLoginEmail`, and
//! `auth.sendCode`, `auth.resendCode`, `auth.signIn` for who has an address.

use havre_api::error::RpcError;
use havre_sim::{Client, Town};
use havre_tl::{enums, functions, types};

use super::{code_of, is_logged_in, send_code, sign_in, sign_up, user};
use crate::srp;

const PHONE: &str = "79990000001";
const MAIL: &str = "alice@example.org";

fn change() -> enums::EmailVerifyPurpose {
    enums::EmailVerifyPurpose::EmailVerifyPurposeLoginChange
}

fn set_up(hash: &str) -> enums::EmailVerifyPurpose {
    types::EmailVerifyPurposeLoginSetup {
        phone_number: PHONE.into(),
        phone_code_hash: hash.into(),
    }
    .into()
}

fn ask(
    client: &Client,
    purpose: enums::EmailVerifyPurpose,
    email: &str,
) -> Result<types::account::SentEmailCode, RpcError> {
    let email = email.into();
    let enums::account::SentEmailCode::SentEmailCode(sent) =
        client.call(functions::account::SendVerifyEmailCode { purpose, email })?;
    Ok(sent)
}

fn typed(code: &str) -> enums::EmailVerification {
    types::EmailVerificationCode { code: code.into() }.into()
}

fn verify(
    client: &Client,
    purpose: enums::EmailVerifyPurpose,
    code: &str,
) -> Result<enums::account::EmailVerified, RpcError> {
    let verification = typed(code);
    client.call(functions::account::VerifyEmail {
        purpose,
        verification,
    })
}

/// The code that was sent to an address last.
fn mail(town: &Town, to: &str) -> String {
    town.env().mails(to).pop().unwrap()
}

/// Digits of the right length that are wrong.
fn wrong(code: &str) -> &'static str {
    if code == "00000" { "11111" } else { "00000" }
}

/// Somebody logged in gives an address.
fn give(town: &Town, client: &Client, to: &str) {
    ask(client, change(), to).unwrap();
    let verified = verify(client, change(), &mail(town, to)).unwrap();
    let expected = types::account::EmailVerified { email: to.into() };
    assert_eq!(verified, expected.into());
}

/// Alice, who has an address and is logged in nowhere.
fn alice_outside(town: &Town) -> i64 {
    let alice = town.person(PHONE, "Alice");
    give(town, &alice, MAIL);
    alice.call(functions::auth::LogOut {}).unwrap();
    alice.user().0
}

fn by_email(sent: &types::auth::SentCode) -> Option<&types::auth::SentCodeTypeEmailCode> {
    match &sent.r#type {
        enums::auth::SentCodeType::SentCodeTypeEmailCode(sent) => Some(sent),
        _ => None,
    }
}

fn sign_in_by_email(client: &Client, hash: &str, code: &str) -> Result<enums::auth::Authorization, RpcError> {
    client.call(functions::auth::SignIn {
        phone_number: PHONE.into(),
        phone_code_hash: hash.into(),
        phone_code: None,
        email_verification: Some(typed(code)),
    })
}

fn reset(client: &Client, hash: &str) -> Result<types::auth::SentCode, RpcError> {
    let reset = functions::auth::ResetLoginEmail {
        phone_number: PHONE.into(),
        phone_code_hash: hash.into(),
    };
    match client.call(reset)? {
        enums::auth::SentCode::SentCode(sent) => Ok(sent),
        other => panic!("{other:?}"),
    }
}

#[test]
fn whoever_gave_an_address_logs_in_by_it_without_sms() {
    let town = Town::new(1);
    town.env().set_code_rate(0.0);
    let alice = alice_outside(&town);
    let client = town.client();
    let sent = send_code(&client, PHONE).unwrap();
    let shown = by_email(&sent).unwrap();
    assert_eq!((shown.email_pattern.as_str(), shown.length), ("a***@e***.org", 5));
    assert_eq!(shown.reset_available_period, Some(7 * 24 * 3600));
    assert_eq!((shown.reset_pending_date, &sent.next_type), (None, &None));
    let code = mail(&town, MAIL);
    let refused = sign_in_by_email(&client, &sent.phone_code_hash, wrong(&code));
    assert_eq!(refused, Err(RpcError::PHONE_CODE_INVALID));
    let answer = sign_in_by_email(&client, &sent.phone_code_hash, &code).unwrap();
    assert_eq!(user(answer).id, alice);
    assert!(is_logged_in(&client));
    assert_eq!(town.env().code(PHONE), None, "nothing went to the telephone");
    assert_eq!(
        srp::state(&client).login_email_pattern.as_deref(),
        Some("a***@e***.org")
    );
}

#[test]
fn codes_by_email_have_the_limits_of_all_codes() {
    let town = Town::new(2);
    alice_outside(&town);
    let client = town.client();
    let sent = send_code(&client, PHONE).unwrap();
    let code = mail(&town, MAIL);
    for _ in 0..5 {
        let refused = sign_in_by_email(&client, &sent.phone_code_hash, wrong(&code));
        assert_eq!(refused, Err(RpcError::PHONE_CODE_INVALID));
    }
    let dead = sign_in_by_email(&client, &sent.phone_code_hash, &code);
    assert_eq!(dead, Err(RpcError::PHONE_CODE_EXPIRED));
    let sent = send_code(&client, PHONE).unwrap();
    town.pass(300);
    let late = sign_in_by_email(&client, &sent.phone_code_hash, &mail(&town, MAIL));
    assert_eq!(late, Err(RpcError::PHONE_CODE_EXPIRED));
    for _ in 0..3 {
        send_code(&client, PHONE).unwrap();
    }
    assert_eq!(send_code(&client, PHONE), Err(RpcError::flood_wait(3300)));
    let sent_before = town.env().mails(MAIL).len();
    assert_eq!(sent_before, 1 + 5, "one to verify it and five to log in");
    let town = Town::set(3, |settings| settings.tolls.per_address = 1);
    alice_outside(&town);
    send_code(&town.client(), PHONE).unwrap();
    assert_eq!(send_code(&town.client(), PHONE), Err(RpcError::flood_wait(3600)));
}

#[test]
fn another_app_is_the_first_way_and_the_address_the_next() {
    let town = Town::new(4);
    let alice = town.person(PHONE, "Alice");
    give(&town, &alice, MAIL);
    let client = town.client();
    let sent = send_code(&client, PHONE).unwrap();
    assert!(matches!(
        sent.r#type,
        enums::auth::SentCodeType::SentCodeTypeApp(_)
    ));
    assert!(sent.next_type.is_some());
    let resend = functions::auth::ResendCode {
        phone_number: PHONE.into(),
        phone_code_hash: sent.phone_code_hash.clone(),
        reason: None,
    };
    let Ok(enums::auth::SentCode::SentCode(again)) = client.call(resend.clone()) else {
        panic!("a code by e-mail")
    };
    assert!(by_email(&again).is_some());
    assert_eq!(again.phone_code_hash, sent.phone_code_hash);
    assert_eq!(client.call(resend), Err(RpcError::SEND_CODE_UNAVAILABLE));
    let answer = sign_in_by_email(&client, &sent.phone_code_hash, &mail(&town, MAIL));
    assert_eq!(user(answer.unwrap()).id, alice.user().0);
}

#[test]
fn an_address_is_verified_with_the_right_code_in_time() {
    let town = Town::new(5);
    let alice = town.person(PHONE, "Alice");
    let none = verify(&alice, change(), "12345");
    assert_eq!(none, Err(RpcError::EMAIL_VERIFY_EXPIRED));
    let sent = ask(&alice, change(), MAIL).unwrap();
    assert_eq!((sent.email_pattern.as_str(), sent.length), ("a***@e***.org", 5));
    let code = mail(&town, MAIL);
    for _ in 0..5 {
        assert_eq!(
            verify(&alice, change(), wrong(&code)),
            Err(RpcError::CODE_INVALID)
        );
    }
    assert_eq!(
        verify(&alice, change(), &code),
        Err(RpcError::EMAIL_VERIFY_EXPIRED)
    );
    ask(&alice, change(), MAIL).unwrap();
    town.pass(300);
    let late = verify(&alice, change(), &mail(&town, MAIL));
    assert_eq!(late, Err(RpcError::EMAIL_VERIFY_EXPIRED));
    assert_eq!(srp::state(&alice).login_email_pattern, None);
    for _ in 0..4 {
        drop(ask(&alice, change(), MAIL));
    }
    let flood = ask(&alice, change(), MAIL).unwrap_err();
    assert!(flood.text.starts_with("FLOOD_WAIT_"), "{flood:?}");
}

#[test]
fn an_address_is_given_up_for_another_once_that_is_verified() {
    let town = Town::new(6);
    let alice = town.person(PHONE, "Alice");
    give(&town, &alice, MAIL);
    ask(&alice, change(), "bob@example.net").unwrap();
    assert_eq!(
        srp::state(&alice).login_email_pattern.as_deref(),
        Some("a***@e***.org")
    );
    verify(&alice, change(), &mail(&town, "bob@example.net")).unwrap();
    assert_eq!(
        srp::state(&alice).login_email_pattern.as_deref(),
        Some("b***@e***.net")
    );
    let thief = town.second_login(&alice);
    let refused = ask(&thief, change(), "thief@example.net");
    assert_eq!(refused, Err(RpcError::FRESH_RESET_AUTHORISATION_FORBIDDEN));
}

#[test]
fn an_address_verified_during_a_log_in_counts_once_the_log_in_is_made() {
    let town = Town::new(7);
    let client = town.client();
    let hash = send_code(&client, PHONE).unwrap().phone_code_hash;
    ask(&client, set_up(&hash), MAIL).unwrap();
    let code = mail(&town, MAIL);
    assert_eq!(
        verify(&client, set_up(&hash), wrong(&code)),
        Err(RpcError::CODE_INVALID)
    );
    let verified = verify(&client, set_up(&hash), &code).unwrap();
    let enums::account::EmailVerified::EmailVerifiedLogin(verified) = verified else {
        panic!("{verified:?}")
    };
    let enums::auth::SentCode::SentCode(next) = verified.sent_code else {
        panic!("a code")
    };
    assert_eq!((verified.email.as_str(), &next.phone_code_hash), (MAIL, &hash));
    sign_in(&client, PHONE, &hash, &code_of(&town, PHONE)).unwrap();
    sign_up(&client, PHONE, &hash, "Alice").unwrap();
    assert_eq!(
        srp::state(&client).login_email_pattern.as_deref(),
        Some("a***@e***.org")
    );
    client.call(functions::auth::LogOut {}).unwrap();
    assert!(by_email(&send_code(&town.client(), PHONE).unwrap()).is_some());
}

#[test]
fn codes_to_verify_an_address_during_a_log_in_are_limited_and_so_are_tries() {
    let town = Town::new(17);
    let client = town.client();
    let hash = send_code(&client, PHONE).unwrap().phone_code_hash;
    ask(&client, set_up(&hash), MAIL).unwrap();
    let code = mail(&town, MAIL);
    for _ in 0..5 {
        let refused = verify(&client, set_up(&hash), wrong(&code));
        assert_eq!(refused, Err(RpcError::CODE_INVALID));
    }
    let dead = verify(&client, set_up(&hash), &code);
    assert_eq!(dead, Err(RpcError::EMAIL_VERIFY_EXPIRED));
    for _ in 0..4 {
        ask(&client, set_up(&hash), MAIL).unwrap();
    }
    assert_eq!(ask(&client, set_up(&hash), MAIL), Err(RpcError::flood_wait(720)));
    let town = Town::set(18, |settings| settings.tolls.per_address = 2);
    let client = town.client();
    let hash = send_code(&client, PHONE).unwrap().phone_code_hash;
    ask(&client, set_up(&hash), MAIL).unwrap();
    assert_eq!(ask(&client, set_up(&hash), MAIL), Err(RpcError::flood_wait(1800)));
}

#[test]
fn where_the_operator_wants_it_an_address_comes_before_a_code_to_the_telephone() {
    let town = Town::set(20, |settings| settings.email_at_sign_up = true);
    let client = town.client();
    let sent = send_code(&client, PHONE).unwrap();
    let hash = sent.phone_code_hash;
    assert!(matches!(
        sent.r#type,
        enums::auth::SentCodeType::SentCodeTypeSetUpEmailRequired(_)
    ));
    assert_eq!(sent.next_type, None);
    let resend = functions::auth::ResendCode {
        phone_number: PHONE.into(),
        phone_code_hash: hash.clone(),
        reason: None,
    };
    assert_eq!(client.call(resend), Err(RpcError::SEND_CODE_UNAVAILABLE));
    assert_eq!(town.env().run(town.api().pending_code(PHONE)).unwrap(), None);
    ask(&client, set_up(&hash), MAIL).unwrap();
    assert_eq!(town.env().code(PHONE), None, "nothing was spent so far");
    let refused = sign_in(&client, PHONE, &hash, &mail(&town, MAIL));
    assert_eq!(refused, Err(RpcError::PHONE_CODE_INVALID), "it is not this code");
    let verified = verify(&client, set_up(&hash), &mail(&town, MAIL)).unwrap();
    let enums::account::EmailVerified::EmailVerifiedLogin(verified) = verified else {
        panic!("{verified:?}")
    };
    let enums::auth::SentCode::SentCode(next) = verified.sent_code else {
        panic!("a code")
    };
    assert!(matches!(
        next.r#type,
        enums::auth::SentCodeType::SentCodeTypeSms(_)
    ));
    let code = code_of(&town, PHONE);
    assert_eq!(code.len(), 5);
    sign_in(&client, PHONE, &next.phone_code_hash, &code).unwrap();
    sign_up(&client, PHONE, &hash, "Alice").unwrap();
    assert_eq!(
        srp::state(&client).login_email_pattern.as_deref(),
        Some("a***@e***.org")
    );
    let bob = town.person("79990000002", "Bob");
    bob.call(functions::auth::LogOut {}).unwrap();
    let sent = send_code(&bob, "79990000002").unwrap();
    assert!(
        matches!(sent.r#type, enums::auth::SentCodeType::SentCodeTypeSms(_)),
        "no sign-up"
    );
    town.env().set_mail(false);
    let sent = send_code(&town.client(), "79990000003").unwrap();
    assert!(matches!(
        sent.r#type,
        enums::auth::SentCodeType::SentCodeTypeSms(_)
    ));
}

#[test]
fn who_verified_an_address_waits_for_the_code_like_everybody() {
    let town = Town::set(21, |settings| settings.email_at_sign_up = true);
    town.env().set_code_rate(0.05);
    for n in 2..8 {
        let client = town.client();
        let phone = format!("7999000000{n}");
        let purpose = |hash: String| -> enums::EmailVerifyPurpose {
            types::EmailVerifyPurposeLoginSetup {
                phone_number: phone.clone(),
                phone_code_hash: hash,
            }
            .into()
        };
        let hash = send_code(&client, &phone).unwrap().phone_code_hash;
        let address = format!("a{n}@example.org");
        ask(&client, purpose(hash.clone()), &address).unwrap();
        drop(verify(&client, purpose(hash), &mail(&town, &address)));
    }
    let client = town.client();
    let hash = send_code(&client, PHONE).unwrap().phone_code_hash;
    ask(&client, set_up(&hash), MAIL).unwrap();
    let code = mail(&town, MAIL);
    let refused = verify(&client, set_up(&hash), &code).unwrap_err();
    let seconds = refused.text.strip_prefix("FLOOD_WAIT_").unwrap().parse().unwrap();
    assert!((20..300).contains(&seconds), "{seconds}");
    assert_eq!(town.env().code(PHONE), None);
    town.pass(seconds);
    verify(&client, set_up(&hash), &code).unwrap();
    sign_in(&client, PHONE, &hash, &code_of(&town, PHONE)).unwrap();
}

#[test]
fn nobody_sets_up_an_address_for_anothers_log_in() {
    let town = Town::new(8);
    let alice = town.person(PHONE, "Alice");
    alice.call(functions::auth::LogOut {}).unwrap();
    let thief = town.client();
    let strangers = ask(&thief, set_up("made up"), "thief@example.net");
    assert_eq!(strangers, Err(RpcError::PHONE_HASH_EXPIRED));
    let thiefs = send_code(&thief, PHONE).unwrap().phone_code_hash;
    ask(&thief, set_up(&thiefs), "thief@example.net").unwrap();
    verify(&thief, set_up(&thiefs), &mail(&town, "thief@example.net")).unwrap();
    let client = town.client();
    let hash = send_code(&client, PHONE).unwrap().phone_code_hash;
    let other = verify(&thief, set_up(&hash), &mail(&town, "thief@example.net"));
    assert_eq!(other, Err(RpcError::EMAIL_VERIFY_EXPIRED));
    sign_in(&client, PHONE, &hash, &code_of(&town, PHONE)).unwrap();
    assert_eq!(srp::state(&client).login_email_pattern, None);
}

#[test]
fn an_address_that_was_not_verified_or_without_the_password_is_not_taken() {
    let town = Town::new(9);
    let alice = town.person(PHONE, "Alice");
    srp::set(&alice, "correct horse");
    let enter = |client: &Client, verified: bool| {
        let hash = send_code(client, PHONE).unwrap().phone_code_hash;
        ask(client, set_up(&hash), MAIL).unwrap();
        if verified {
            verify(client, set_up(&hash), &mail(&town, MAIL)).unwrap();
        }
        let code = town.env().run(town.api().pending_code(PHONE)).unwrap().unwrap();
        sign_in(client, PHONE, &hash, &code)
    };
    let guarded = enter(&town.client(), true);
    assert_eq!(guarded, Err(RpcError::SESSION_PASSWORD_NEEDED));
    assert_eq!(srp::state(&alice).login_email_pattern, None);
    let town_of_bob = Town::new(10);
    let bob = town_of_bob.person(PHONE, "Bob");
    let client = town_of_bob.client();
    let hash = send_code(&client, PHONE).unwrap().phone_code_hash;
    ask(&client, set_up(&hash), MAIL).unwrap();
    let code = town_of_bob.env().run(town_of_bob.api().pending_code(PHONE));
    sign_in(&client, PHONE, &hash, &code.unwrap().unwrap()).unwrap();
    assert_eq!(srp::state(&bob).login_email_pattern, None);
}

#[test]
fn an_address_that_cannot_be_read_is_given_up_after_a_week() {
    let town = Town::new(11);
    let alice = alice_outside(&town);
    let client = town.client();
    let hash = send_code(&client, PHONE).unwrap().phone_code_hash;
    assert_eq!(reset(&client, "made up"), Err(RpcError::PHONE_CODE_EXPIRED));
    let asked = reset(&client, &hash).unwrap();
    let at = by_email(&asked)
        .and_then(|shown| shown.reset_pending_date)
        .unwrap();
    assert_eq!(i64::from(at), town.api().world().now.0 + 7 * 24 * 3600);
    assert_eq!(reset(&client, &hash), Err(RpcError::TASK_ALREADY_EXISTS));
    town.pass(7 * 24 * 3600 - 10);
    let sent = send_code(&client, PHONE).unwrap();
    assert_eq!(
        by_email(&sent).and_then(|shown| shown.reset_pending_date),
        Some(at)
    );
    let early = reset(&client, &sent.phone_code_hash);
    assert_eq!(early, Err(RpcError::TASK_ALREADY_EXISTS));
    town.pass(10);
    let by_telephone = reset(&client, &sent.phone_code_hash).unwrap();
    assert!(matches!(
        by_telephone.r#type,
        enums::auth::SentCodeType::SentCodeTypeSms(_)
    ));
    let answer = sign_in(
        &client,
        PHONE,
        &by_telephone.phone_code_hash,
        &code_of(&town, PHONE),
    );
    assert_eq!(user(answer.unwrap()).id, alice);
    assert_eq!(srp::state(&client).login_email_pattern, None);
}

#[test]
fn a_log_in_with_the_address_calls_its_reset_off() {
    let town = Town::new(12);
    alice_outside(&town);
    let client = town.client();
    let hash = send_code(&client, PHONE).unwrap().phone_code_hash;
    reset(&client, &hash).unwrap();
    sign_in_by_email(&client, &hash, &mail(&town, MAIL)).unwrap();
    client.call(functions::auth::LogOut {}).unwrap();
    let sent = send_code(&client, PHONE).unwrap();
    assert_eq!(by_email(&sent).and_then(|shown| shown.reset_pending_date), None);
}

/// Texts that somebody was pushed since the last look.
fn told(client: &Client) -> Vec<String> {
    let texts = client
        .pushed_updates()
        .into_iter()
        .filter_map(|update| match update {
            enums::Update::UpdateNewMessage(new) => match new.message {
                enums::Message::Message(message) => Some(message.message),
                _ => None,
            },
            _ => None,
        });
    texts.collect()
}

#[test]
fn the_owner_is_told_and_calls_it_off_with_another_address() {
    let town = Town::new(19);
    let alice = town.person(PHONE, "Alice");
    give(&town, &alice, MAIL);
    assert!(matches!(&told(&alice)[..], [text] if text.contains("go to a***@e***.org")));
    let thief = town.client();
    let hash = send_code(&thief, PHONE).unwrap().phone_code_hash;
    let resend = functions::auth::ResendCode {
        phone_number: PHONE.into(),
        phone_code_hash: hash.clone(),
        reason: None,
    };
    thief.call(resend).unwrap();
    drop(told(&alice));
    reset(&thief, &hash).unwrap();
    assert!(matches!(&told(&alice)[..], [text] if text.contains("in seven days")));
    give(&town, &alice, "bob@example.net");
    alice.call(functions::auth::LogOut {}).unwrap();
    let sent = send_code(&thief, PHONE).unwrap();
    let shown = by_email(&sent).unwrap();
    assert_eq!(
        (shown.email_pattern.as_str(), shown.reset_pending_date),
        ("b***@e***.net", None)
    );
}

#[test]
fn only_a_code_that_went_to_an_address_is_reset() {
    let town = Town::new(13);
    let client = town.client();
    let hash = send_code(&client, PHONE).unwrap().phone_code_hash;
    assert_eq!(reset(&client, &hash), Err(RpcError::EMAIL_INSTALL_MISSING));
}

#[test]
fn where_nothing_goes_by_email_there_are_no_addresses() {
    let town = Town::new(14);
    alice_outside(&town);
    town.env().set_mail(false);
    let bob = town.person("79990000002", "Bob");
    assert_eq!(ask(&bob, change(), MAIL), Err(RpcError::EMAIL_NOT_ALLOWED));
    let client = town.client();
    let sent = send_code(&client, PHONE).unwrap();
    assert!(matches!(
        sent.r#type,
        enums::auth::SentCodeType::SentCodeTypeSms(_)
    ));
    sign_in(&client, PHONE, &sent.phone_code_hash, &code_of(&town, PHONE)).unwrap();
}

#[test]
fn nonsense_is_refused() {
    let town = Town::new(15);
    let alice = town.person(PHONE, "Alice");
    assert_eq!(
        ask(&alice, change(), "not an address"),
        Err(RpcError::EMAIL_INVALID)
    );
    let passport = enums::EmailVerifyPurpose::EmailVerifyPurposePassport;
    assert_eq!(
        ask(&alice, passport.clone(), MAIL),
        Err(RpcError::EMAIL_NOT_ALLOWED)
    );
    assert_eq!(
        verify(&alice, passport, "12345"),
        Err(RpcError::EMAIL_NOT_ALLOWED)
    );
    let stranger = town.client();
    assert_eq!(
        ask(&stranger, change(), MAIL),
        Err(RpcError::AUTH_KEY_UNREGISTERED)
    );
    assert_eq!(
        verify(&stranger, change(), "12345"),
        Err(RpcError::AUTH_KEY_UNREGISTERED)
    );
    let hash = send_code(&stranger, PHONE).unwrap().phone_code_hash;
    let token = stranger.call(functions::auth::SignIn {
        phone_number: PHONE.into(),
        phone_code_hash: hash,
        phone_code: None,
        email_verification: Some(types::EmailVerificationGoogle { token: "x".into() }.into()),
    });
    assert_eq!(token, Err(RpcError::EMAIL_NOT_ALLOWED));
}

#[test]
fn who_was_invited_logs_in_by_an_address_and_has_no_telephone_to_fall_back_on() {
    let town = Town::new(16);
    let ticket = town.env().run(town.api().invite(7)).unwrap();
    let client = town.client();
    let hash = send_code(&client, &ticket.number).unwrap().phone_code_hash;
    sign_in(&client, &ticket.number, &hash, &ticket.code).unwrap();
    sign_up(&client, &ticket.number, &hash, "Alice").unwrap();
    give(&town, &client, MAIL);
    client.call(functions::auth::LogOut {}).unwrap();
    let sent = send_code(&client, &ticket.number).unwrap();
    let shown = by_email(&sent).unwrap();
    assert_eq!(shown.reset_available_period, None);
    let nowhere = client.call(functions::auth::ResetLoginEmail {
        phone_number: ticket.number.clone(),
        phone_code_hash: sent.phone_code_hash.clone(),
    });
    assert_eq!(nowhere, Err(RpcError::SEND_CODE_UNAVAILABLE));
    let answer = sign_in(&client, &ticket.number, &sent.phone_code_hash, &mail(&town, MAIL));
    assert_eq!(user(answer.unwrap()).phone.as_ref(), Some(&ticket.number));
}
