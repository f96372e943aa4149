use havre_domain::keys::partition;
use havre_domain::usernames;
use havre_sim::{Client, Town};
use havre_tl::{enums, functions, types};

use crate::add_contact::add;

fn name(town: &Town, who: &Client, username: &str) {
    town.env().run(async {
        let mut world = town.api().world();
        let claim = world
            .subject(partition::username(&username.to_lowercase()))
            .unwrap();
        assert!(usernames::claim(claim, who.user(), username).await.unwrap());
        let committed = world.commit().await.unwrap().unwrap();
        town.api().deliver(committed, None).await;
    });
}

fn search(who: &Client, q: &str) -> types::contacts::Found {
    let request = functions::contacts::Search {
        q: q.into(),
        limit: 20,
        ..Default::default()
    };
    let enums::contacts::Found::Found(found) = who.call(request).unwrap();
    found
}

#[test]
fn who_is_known_is_found_by_a_beginning_others_by_the_whole_username() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let carol = town.person("79990000003", "Carol");
    name(&town, &carol, "Carol_42");
    add(&alice, &bob, "Robert Smith");
    let found = search(&alice, "smi");
    assert_eq!((found.my_results.len(), found.results.len()), (1, 0));
    assert_eq!(search(&alice, "caro"), types::contacts::Found::default());
    let found = search(&alice, "@carol_42");
    assert_eq!(
        (found.my_results.len(), found.results.len(), found.users.len()),
        (0, 1, 1)
    );
    alice.say(alice.input_peer_of(&carol), "salut").unwrap();
    let found = search(&alice, "caro");
    assert_eq!((found.my_results.len(), found.results.len()), (1, 0));
    let empty = functions::contacts::Search::default();
    assert_eq!(alice.call(empty).unwrap_err().text, "SEARCH_QUERY_EMPTY");
}

#[test]
fn a_username_leads_to_its_owner_in_any_case() {
    let town = Town::new(2);
    let alice = town.person("79990000001", "Alice");
    let carol = town.person("79990000003", "Carol");
    name(&town, &carol, "Carol_42");
    let resolve = |username: &str| {
        let request = functions::contacts::ResolveUsername {
            username: username.into(),
            ..Default::default()
        };
        alice.call(request)
    };
    let enums::contacts::ResolvedPeer::ResolvedPeer(found) = resolve("cAROL_42").unwrap();
    let enums::Peer::PeerUser(peer) = &found.peer else {
        panic!("a person has it")
    };
    assert_eq!(peer.user_id, carol.user().0);
    let enums::User::User(user) = &found.users[0] else {
        panic!("the person is told")
    };
    assert_eq!(user.username.as_deref(), Some("Carol_42"));
    assert_eq!(resolve("nobody_here").unwrap_err().text, "USERNAME_NOT_OCCUPIED");
    assert_eq!(resolve("x").unwrap_err().text, "USERNAME_INVALID");
}
