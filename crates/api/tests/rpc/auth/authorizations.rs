//! `account.getAuthorizations`, `account.resetAuthorization`, `auth.resetAuthorizations`.

use havre_api::error::RpcError;
use havre_sim::{Client, Town};
use havre_tl::{enums, functions, types};

use super::is_logged_in;

const DAY: u64 = 24 * 3600;

fn logins(client: &Client) -> Vec<types::Authorization> {
    let enums::account::Authorizations::Authorizations(list) =
        client.call(functions::account::GetAuthorizations {}).unwrap();
    let one = |a| {
        let enums::Authorization::Authorization(a) = a;
        a
    };
    list.authorizations.into_iter().map(one).collect()
}

#[test]
fn the_login_that_asks_comes_first_with_hash_0() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let phone = town.second_login(&alice);
    let seen = logins(&phone);
    assert_eq!(seen.len(), 2);
    assert!(seen[0].current && seen[0].hash == 0);
    assert!(!seen[1].current && seen[1].hash != 0);
}

#[test]
fn what_the_client_says_of_itself_is_shown_after_use() {
    let town = Town::new(2);
    let alice = town.person("79990000001", "Alice");
    town.pass(DAY);
    assert!(is_logged_in(&alice));
    let seen = logins(&alice);
    assert_eq!(seen[0].device_model, "Test");
    assert!(seen[0].date_active - seen[0].date_created >= 24 * 3600);
}

#[test]
fn an_ended_login_is_told_401_and_pushed_nothing() {
    let town = Town::new(3);
    let alice = town.person("79990000001", "Alice");
    let phone = town.second_login(&alice);
    let bob = town.person("79990000002", "Bob");
    let hash = logins(&alice)[1].hash;
    let reset = functions::account::ResetAuthorization { hash };
    assert_eq!(alice.call(reset.clone()), Ok(true));
    assert_eq!(
        phone.pushed(),
        [enums::Updates::UpdatesTooLong],
        "it is made to look"
    );
    assert!(!is_logged_in(&phone));
    bob.say(bob.input_peer_of(&alice), "secret").unwrap();
    assert!(phone.pushed().is_empty());
    assert_eq!(alice.call(reset), Err(RpcError::HASH_INVALID));
    assert_eq!(logins(&alice).len(), 1);
}

#[test]
fn a_young_login_does_not_throw_an_older_one_out() {
    let town = Town::new(5);
    let alice = town.person("79990000001", "Alice");
    town.pass(60);
    let thief = town.second_login(&alice);
    let hash = logins(&thief)[1].hash;
    let reset = functions::account::ResetAuthorization { hash };
    let forbidden = Err(RpcError::FRESH_RESET_AUTHORISATION_FORBIDDEN);
    assert_eq!(thief.call(reset.clone()), forbidden);
    assert_eq!(thief.call(functions::auth::ResetAuthorizations {}), forbidden);
    assert!(is_logged_in(&alice));
    town.pass(DAY);
    assert_eq!(thief.call(reset), Ok(true));
}

#[test]
fn all_others_end_together() {
    let town = Town::new(4);
    let alice = town.person("79990000001", "Alice");
    let others: Vec<Client> = (0..3).map(|_| town.second_login(&alice)).collect();
    town.pass(DAY);
    assert_eq!(alice.call(functions::auth::ResetAuthorizations {}), Ok(true));
    assert!(others.iter().all(|other| !is_logged_in(other)));
    assert!(is_logged_in(&alice));
}
