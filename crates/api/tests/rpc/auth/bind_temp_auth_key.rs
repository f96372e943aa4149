//! `auth.bindTempAuthKey`, `auth.dropTempAuthKeys`.

use havre_api::dispatch::{Call, Reply};
use havre_api::error::RpcError;
use havre_api::live::SessionRef;
use havre_domain::ids::{AuthKeyId, Time};
use havre_mtproto::bind::{self, Binding};
use havre_mtproto::crypto::AuthKey;
use havre_sim::Town;
use havre_tl::{Serialize, functions};

const MSG_ID: i64 = 4;
const SESSION: i64 = 77;

/// A key that the server knows; temporary for a day, or permanent.
fn key(town: &Town, secret: u8, temporary: bool) -> AuthKey {
    let key = AuthKey::new([secret; 256]);
    let day = Time(now(town) + 24 * 3600);
    let api = town.api();
    let kept = api.keep_key(AuthKeyId(key.id()), key.secret(), temporary.then_some(day));
    town.env().run(kept).unwrap();
    key
}

fn now(town: &Town) -> i64 {
    use havre_api::dispatch::Env as _;
    town.env().now().0
}

/// A bare call under a key, without a word about the client.
fn call<F: Serialize>(town: &Town, key: &AuthKey, request: &F) -> Result<(), RpcError> {
    let call = Call {
        session: SessionRef {
            key: AuthKeyId(key.id()),
            id: SESSION,
        },
        msg_id: MSG_ID,
        body: request.to_bytes(),
        address: "127.0.0.1".into(),
        dc_id: None,
    };
    match town.env().run(town.api().call(call)) {
        Reply::Result(_) => Ok(()),
        Reply::Error(error) => Err(error),
    }
}

fn bind_request(town: &Town, permanent: &AuthKey, temporary: &AuthKey) -> functions::auth::BindTempAuthKey {
    let binding = Binding {
        msg_id: MSG_ID,
        nonce: 5,
        temp_auth_key_id: temporary.id(),
        perm_auth_key_id: permanent.id(),
        temp_session_id: SESSION,
        expires_at: now(town) as i32 + 3600,
    };
    functions::auth::BindTempAuthKey {
        perm_auth_key_id: permanent.id(),
        nonce: binding.nonce,
        expires_at: binding.expires_at,
        encrypted_message: bind::seal(permanent, &binding, &[3; 32]),
    }
}

fn state() -> Vec<u8> {
    let init = functions::InitConnection {
        api_id: 1,
        query: functions::updates::GetState {}.to_bytes(),
        ..Default::default()
    };
    init.to_bytes()
}

fn get_state() -> functions::InvokeWithLayer {
    functions::InvokeWithLayer {
        layer: havre_tl::CANONICAL_LAYER,
        query: state(),
    }
}

#[test]
fn rp_5_before_it_is_bound_a_key_may_only_bind() {
    let town = Town::new(1);
    let (permanent, temporary) = (key(&town, 1, false), key(&town, 2, true));
    assert_eq!(
        call(&town, &temporary, &get_state()),
        Err(RpcError::AUTH_KEY_PERM_EMPTY)
    );
    assert_eq!(
        call(&town, &temporary, &bind_request(&town, &permanent, &temporary)),
        Ok(())
    );
    // Bound now, and nobody is logged in on the permanent key.
    assert_eq!(
        call(&town, &temporary, &get_state()),
        Err(RpcError::AUTH_KEY_UNREGISTERED)
    );
    assert_eq!(
        call(&town, &temporary, &bind_request(&town, &permanent, &temporary)),
        Ok(()),
        "again"
    );
}

#[test]
fn rp_6_a_wrong_envelope_binds_nothing() {
    let town = Town::new(2);
    let (permanent, temporary) = (key(&town, 1, false), key(&town, 2, true));
    let (stranger, other) = (AuthKey::new([9; 256]), key(&town, 3, true));
    let right = bind_request(&town, &permanent, &temporary);
    let wrong = [
        functions::auth::BindTempAuthKey {
            nonce: 6,
            ..right.clone()
        },
        functions::auth::BindTempAuthKey {
            expires_at: right.expires_at + 1,
            ..right.clone()
        },
        functions::auth::BindTempAuthKey {
            encrypted_message: Vec::new(),
            ..right.clone()
        },
        bind_request(&town, &permanent, &other),
        bind_request(&town, &stranger, &temporary),
        bind_request(&town, &temporary, &temporary),
    ];
    for request in wrong {
        let refused = call(&town, &temporary, &request);
        assert_eq!(refused, Err(RpcError::ENCRYPTED_MESSAGE_INVALID), "{request:?}");
    }
    let permanent_asks = call(&town, &permanent, &right);
    assert_eq!(permanent_asks, Err(RpcError::TEMP_AUTH_KEY_EMPTY));
}

#[test]
fn a_key_stays_with_its_permanent_key() {
    let town = Town::new(3);
    let (first, second, temporary) = (key(&town, 1, false), key(&town, 2, false), key(&town, 3, true));
    assert_eq!(
        call(&town, &temporary, &bind_request(&town, &first, &temporary)),
        Ok(())
    );
    let moved = call(&town, &temporary, &bind_request(&town, &second, &temporary));
    assert_eq!(moved, Err(RpcError::TEMP_AUTH_KEY_ALREADY_BOUND));
}

#[test]
fn dropped_keys_are_gone_and_the_one_that_asks_stays() {
    let town = Town::new(4);
    let permanent = key(&town, 1, false);
    let temporary: Vec<AuthKey> = (2..5).map(|n| key(&town, n, true)).collect();
    for one in &temporary {
        assert_eq!(call(&town, one, &bind_request(&town, &permanent, one)), Ok(()));
        assert_eq!(
            call(&town, one, &get_state()),
            Err(RpcError::AUTH_KEY_UNREGISTERED)
        );
    }
    let drop = functions::auth::DropTempAuthKeys {
        except_auth_keys: vec![temporary[1].id()],
    };
    assert_eq!(call(&town, &temporary[0], &drop), Ok(()));
    let gone: Vec<bool> = temporary
        .iter()
        .map(|key| town.auth_key(AuthKeyId(key.id())).is_none())
        .collect();
    assert_eq!(gone, [false, false, true]);
    let refused = call(&town, &temporary[2], &get_state());
    assert_eq!(
        refused,
        Err(RpcError::AUTH_KEY_PERM_EMPTY),
        "nobody logs out on it"
    );
}

#[test]
fn the_number_of_keys_bound_at_once_is_bounded() {
    let town = Town::new(5);
    let permanent = key(&town, 1, false);
    let temporary: Vec<AuthKey> = (2..19).map(|n| key(&town, n, true)).collect();
    for one in &temporary {
        assert_eq!(call(&town, one, &bind_request(&town, &permanent, one)), Ok(()));
    }
    assert!(
        town.auth_key(AuthKeyId(temporary[0].id())).is_none(),
        "the oldest goes"
    );
    assert!(town.auth_key(AuthKeyId(temporary[1].id())).is_some());
}
