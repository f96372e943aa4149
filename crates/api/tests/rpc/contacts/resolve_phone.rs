use havre_sim::Town;
use havre_tl::{enums, functions};

use crate::import_contacts::hide;

#[test]
fn only_who_wants_to_be_found_is() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let resolve = |phone: &str| {
        let phone = phone.into();
        alice.call(functions::contacts::ResolvePhone { phone })
    };
    let enums::contacts::ResolvedPeer::ResolvedPeer(found) = resolve("79990000002").unwrap();
    assert_eq!(found.users.len(), 1);
    hide(&town, &bob);
    assert_eq!(resolve("79990000002").unwrap_err().text, "PHONE_NOT_OCCUPIED");
    assert_eq!(resolve("79990000009").unwrap_err().text, "PHONE_NOT_OCCUPIED");
}
