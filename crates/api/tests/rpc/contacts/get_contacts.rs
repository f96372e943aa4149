use havre_domain::contacts;
use havre_sim::Town;
use havre_tl::{enums, functions, types};

use crate::add_contact::add;

#[test]
fn the_documented_hash_is_answered_with_not_modified_and_zero_never() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let get = |hash| alice.call(functions::contacts::GetContacts { hash }).unwrap();
    assert!(matches!(get(0), enums::contacts::Contacts::Contacts(c) if c.contacts.is_empty()));
    add(&alice, &bob, "Bobby");
    add(&bob, &alice, "Al");
    let enums::contacts::Contacts::Contacts(list) = get(0) else {
        panic!("hash 0 is answered with the list")
    };
    let expected = types::Contact {
        user_id: bob.user().0,
        mutual: true,
    };
    assert_eq!(list.contacts, [expected.into()]);
    let mut ids = [alice.user().0, bob.user().0];
    ids.sort_unstable();
    let hash = contacts::hash([1, ids[0], ids[1]]);
    assert_eq!(get(hash), enums::contacts::Contacts::ContactsNotModified);
    assert!(matches!(get(hash + 1), enums::contacts::Contacts::Contacts(_)));
    let statuses = alice.call(functions::contacts::GetStatuses {}).unwrap();
    assert_eq!(statuses.len(), 1);
}
