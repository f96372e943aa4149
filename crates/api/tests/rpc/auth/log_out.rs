//! `auth.logOut`.

use havre_sim::Town;
use havre_tl::functions;

use super::is_logged_in;

#[test]
fn the_login_ends_and_the_key_stays() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let phone = town.second_login(&alice);
    let bob = town.person("79990000002", "Bob");
    phone.call(functions::auth::LogOut {}).unwrap();
    assert!(!is_logged_in(&phone));
    assert!(is_logged_in(&alice), "other logins go on");
    drop(phone.pushed());
    bob.say(bob.input_peer_of(&alice), "secret").unwrap();
    assert!(
        phone.pushed().is_empty(),
        "nothing is pushed to who is logged out"
    );
    assert_eq!(alice.pushed_updates().len(), 1);
    assert!(town.auth_key(phone.key).is_some_and(|key| key.user.is_none()));
    phone.call(functions::auth::LogOut {}).unwrap();
}
