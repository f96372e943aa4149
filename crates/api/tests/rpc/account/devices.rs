//! `account.registerDevice`, `account.unregisterDevice`.

use havre_api::error::RpcError;
use havre_domain::sessions::{self, Device};
use havre_sim::{Client, Town};
use havre_tl::functions;

fn register(token: &str) -> functions::account::RegisterDevice {
    functions::account::RegisterDevice {
        token_type: 10,
        token: token.into(),
        ..Default::default()
    }
}

fn devices(town: &Town, client: &Client) -> Vec<Device> {
    let session = town.env().run(async {
        let mut world = town.api().world();
        sessions::session(world.view_user(client.user()), client.key).await
    });
    session.unwrap().unwrap().devices
}

#[test]
fn an_address_belongs_to_the_login_until_it_is_taken_away() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    for token in ["one", "two", "one"] {
        assert_eq!(alice.call(register(token)), Ok(true));
    }
    assert_eq!(devices(&town, &alice).len(), 2);
    let unregister = functions::account::UnregisterDevice {
        token_type: 10,
        token: "one".into(),
        ..Default::default()
    };
    assert_eq!(alice.call(unregister), Ok(true));
    assert!(matches!(&devices(&town, &alice)[..], [left] if left.token == "two"));
}

#[test]
fn addresses_are_bounded() {
    let town = Town::new(2);
    let alice = town.person("79990000001", "Alice");
    assert_eq!(alice.call(register("")), Err(RpcError::TOKEN_INVALID));
    assert_eq!(
        alice.call(register(&"x".repeat(4097))),
        Err(RpcError::TOKEN_INVALID)
    );
    for n in 0..10 {
        assert_eq!(alice.call(register(&n.to_string())), Ok(true));
    }
    assert_eq!(devices(&town, &alice).len(), 4);
}
