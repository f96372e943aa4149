use havre_domain::keys;
use havre_domain::privacy::{ADDED_BY_PHONE, Rule, Rules};
use havre_sim::{Client, Town};
use havre_tl::{enums, functions, types};

/// Lets nobody find somebody by number.
pub fn hide(town: &Town, who: &Client) {
    town.env().run(async {
        let mut world = town.api().world();
        let tx = world.user(who.user()).unwrap();
        tx.put(keys::privacy(ADDED_BY_PHONE), &Rules(vec![Rule::DisallowAll]));
        world.commit().await.unwrap();
    });
}

fn import(who: &Client, cards: &[(i64, &str, &str)]) -> types::contacts::ImportedContacts {
    let card = |&(client_id, phone, first_name): &(i64, &str, &str)| {
        types::InputPhoneContact {
            client_id,
            phone: phone.into(),
            first_name: first_name.into(),
            ..Default::default()
        }
        .into()
    };
    let contacts = cards.iter().map(card).collect();
    let answer = who
        .call(functions::contacts::ImportContacts { contacts })
        .unwrap();
    let enums::contacts::ImportedContacts::ImportedContacts(answer) = answer;
    answer
}

#[test]
fn who_is_here_and_wants_to_be_found_is_added() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let carol = town.person("79990000003", "Carol");
    hide(&town, &carol);
    let cards = [
        (10, "+7 999 000-00-02", "Bobby"),
        (11, "+79990000003", "C"),
        (12, "+79990000099", "Nobody"),
        (13, "rubbish", "R"),
    ];
    let answer = import(&alice, &cards);
    let expected = types::ImportedContact {
        user_id: bob.user().0,
        client_id: 10,
    };
    assert_eq!(answer.imported, [expected.into()]);
    assert_eq!((answer.retry_contacts.len(), answer.users.len()), (0, 1));
    let enums::User::User(user) = &answer.users[0] else {
        panic!("bob is there")
    };
    assert_eq!(user.phone.as_deref(), Some("79990000002"), "the asker knew it");
    assert_eq!(import(&alice, &cards).imported.len(), 1);
    assert!(bob.pushed().is_empty());
}

#[test]
fn numbers_looked_up_are_forgotten() {
    let town = Town::new(2);
    let alice = town.person("79990000001", "Alice");
    import(&alice, &[(1, "79990000050", "Later")]);
    // Who signs up later with a number that somebody looked up is not their contact.
    let later = town.person("79990000050", "Dora");
    let answer = alice.call(functions::contacts::GetContacts { hash: 0 }).unwrap();
    assert!(matches!(answer, enums::contacts::Contacts::Contacts(c) if c.contacts.is_empty()));
    assert!(later.pushed().is_empty());
}

#[test]
fn what_is_over_the_limit_is_to_be_sent_again() {
    let town = Town::new(3);
    let alice = town.person("79990000001", "Alice");
    let cards: Vec<_> = (0..502).map(|n| (n, "70000000000", "X")).collect();
    assert_eq!(import(&alice, &cards).retry_contacts, [500, 501]);
}
