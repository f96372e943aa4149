//! `auth.exportLoginToken`, `auth.importLoginToken`, `auth.acceptLoginToken`.

use havre_api::error::RpcError;
use havre_sim::{Client, Town};
use havre_tl::{enums, functions};

use super::{is_logged_in, user};
use crate::srp;

fn export(client: &Client, except_ids: Vec<i64>) -> Result<enums::auth::LoginToken, RpcError> {
    client.call(functions::auth::ExportLoginToken {
        api_id: 1,
        api_hash: String::new(),
        except_ids,
    })
}

fn token(client: &Client) -> Vec<u8> {
    match export(client, Vec::new()).unwrap() {
        enums::auth::LoginToken::LoginToken(shown) => shown.token,
        other => panic!("{other:?}"),
    }
}

fn accept(client: &Client, token: &[u8]) -> Result<enums::Authorization, RpcError> {
    client.call(functions::auth::AcceptLoginToken {
        token: token.to_vec(),
    })
}

fn success(answer: enums::auth::LoginToken) -> havre_tl::types::User {
    match answer {
        enums::auth::LoginToken::LoginTokenSuccess(success) => user(success.authorization),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_accepted_token_logs_in() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let desktop = town.client();
    let shown = token(&desktop);
    let enums::Authorization::Authorization(login) = accept(&alice, &shown).unwrap();
    assert!(!login.current && login.hash != 0);
    assert_eq!(login.device_model, "Test");
    assert_eq!(desktop.pushed_updates(), [enums::Update::UpdateLoginToken]);
    assert_eq!(success(export(&desktop, Vec::new()).unwrap()).id, alice.user().0);
    assert!(is_logged_in(&desktop));
    assert_eq!(accept(&alice, &shown), Err(RpcError::AUTH_TOKEN_ALREADY_ACCEPTED));
}

#[test]
fn tokens_are_short_lived_replaced_and_not_guessed() {
    let town = Town::new(2);
    let alice = town.person("79990000001", "Alice");
    let desktop = town.client();
    let old = token(&desktop);
    let shown = token(&desktop);
    assert_eq!(accept(&alice, &old), Err(RpcError::AUTH_TOKEN_INVALID));
    assert_eq!(accept(&alice, b"x"), Err(RpcError::AUTH_TOKEN_INVALID));
    let import = functions::auth::ImportLoginToken { token: shown.clone() };
    assert!(matches!(
        desktop.call(import.clone()),
        Ok(enums::auth::LoginToken::LoginToken(_))
    ));
    town.pass(31);
    assert_eq!(accept(&alice, &shown), Err(RpcError::AUTH_TOKEN_EXPIRED));
    assert_eq!(desktop.call(import), Err(RpcError::AUTH_TOKEN_EXPIRED));
}

#[test]
fn an_app_that_has_the_account_does_not_get_it_twice() {
    let town = Town::new(3);
    let alice = town.person("79990000001", "Alice");
    let desktop = town.client();
    let Ok(enums::auth::LoginToken::LoginToken(shown)) = export(&desktop, vec![alice.user().0]) else {
        panic!("a token is shown")
    };
    assert_eq!(accept(&alice, &shown.token), Err(RpcError::AUTH_TOKEN_EXCEPTION));
}

#[test]
fn a_password_is_asked_for_after_a_token_too() {
    let town = Town::new(4);
    let alice = town.person("79990000001", "Alice");
    srp::set(&alice, "correct horse");
    let desktop = town.client();
    let shown = token(&desktop);
    let enums::Authorization::Authorization(login) = accept(&alice, &shown).unwrap();
    assert!(login.password_pending);
    assert_eq!(desktop.pushed_updates(), [enums::Update::UpdateLoginToken]);
    assert_eq!(
        export(&desktop, Vec::new()),
        Err(RpcError::SESSION_PASSWORD_NEEDED)
    );
    assert!(!is_logged_in(&desktop));
    let password = srp::proof(&desktop, "correct horse");
    let answer = desktop.call(functions::auth::CheckPassword { password }).unwrap();
    assert_eq!(user(answer).id, alice.user().0);
    assert!(is_logged_in(&desktop));
}
