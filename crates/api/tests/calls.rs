//! Rules RP-1 to RP-8 of calls as far as they are kept here: wrappers, layers, keys, errors.
#![allow(clippy::unwrap_used, reason = "a test that fails")]

use std::sync::Arc;

use havre_api::dispatch::{Call, Reply, runs_after};
use havre_api::error::RpcError;
use havre_api::live::SessionRef;
use havre_domain::ids::{AuthKeyId, Time};
use havre_mtproto::bind::{self, Binding};
use havre_mtproto::crypto::AuthKey;
use havre_sim::Town;
use havre_sim::env::SimEnv;
use havre_sim::faults::{Faulty, Rates};
use havre_store::engine::memory::Memory;
use havre_tl::{CANONICAL_LAYER, Deserialize as _, Serialize, enums, functions};

const SESSION: i64 = 77;
const MSG_ID: i64 = 4;
/// `user` of layer 152, the oldest that is served.
const USER_152: u32 = 0x8f97_c628;
/// `user` of layer 229 and later.
const USER_229: u32 = 0xb1b8_cc83;

/// A call under any key, in any session.
fn call_in(town: &Town, key: AuthKeyId, session: i64, body: Vec<u8>) -> Result<Vec<u8>, RpcError> {
    let call = Call {
        session: SessionRef { key, id: session },
        msg_id: MSG_ID,
        body,
        address: "127.0.0.1".into(),
        dc_id: Some(4),
    };
    match town.env().run(town.api().call(call)) {
        Reply::Result(bytes) => Ok(bytes),
        Reply::Error(error) => Err(error),
    }
}

fn call(town: &Town, key: AuthKeyId, body: Vec<u8>) -> Result<Vec<u8>, RpcError> {
    call_in(town, key, SESSION, body)
}

fn init(query: Vec<u8>) -> Vec<u8> {
    let init = functions::InitConnection {
        api_id: 1,
        query,
        ..Default::default()
    };
    init.to_bytes()
}

fn with_layer(layer: i32, query: Vec<u8>) -> Vec<u8> {
    functions::InvokeWithLayer { layer, query }.to_bytes()
}

fn after(msg_id: i64, query: Vec<u8>) -> Vec<u8> {
    functions::InvokeAfterMsg { msg_id, query }.to_bytes()
}

fn get_config() -> Vec<u8> {
    functions::help::GetConfig {}.to_bytes()
}

fn get_me() -> Vec<u8> {
    let id = vec![enums::InputUser::InputUserSelf];
    functions::users::GetUsers { id }.to_bytes()
}

/// The constructor of the only user in a `Vector<User>`.
fn user_in(answer: &[u8]) -> u32 {
    u32::from_le_bytes(answer[8..12].try_into().unwrap())
}

#[test]
fn rp_1_those_that_a_call_runs_after_are_found_in_any_wrapper() {
    let several = |query| {
        let msg_ids = vec![8, 12];
        functions::InvokeAfterMsgs { msg_ids, query }.to_bytes()
    };
    assert_eq!(runs_after(&get_config()), Vec::<i64>::new());
    assert_eq!(runs_after(&after(4, get_config())), [4]);
    assert_eq!(runs_after(&several(get_config())), [8, 12]);
    assert_eq!(runs_after(&after(4, several(get_config()))), [4, 8, 12]);
    let first_call = with_layer(CANONICAL_LAYER, init(after(4, get_config())));
    assert_eq!(runs_after(&first_call), [4]);
    assert_eq!(
        runs_after(&after(4, with_layer(CANONICAL_LAYER, init(get_config())))),
        [4]
    );
    assert_eq!(
        runs_after(&after(4, get_config())[..8]),
        Vec::<i64>::new(),
        "cut off"
    );
}

#[test]
fn rp_3_a_client_that_said_nothing_of_itself_is_asked_to() {
    let town = Town::new(1);
    let key = town.client().key;
    assert_eq!(
        call(&town, key, get_config()),
        Err(RpcError::CONNECTION_NOT_INITED)
    );
    let only_layer = with_layer(CANONICAL_LAYER, get_config());
    assert_eq!(call(&town, key, only_layer), Err(RpcError::CONNECTION_NOT_INITED));
    assert!(call(&town, key, with_layer(CANONICAL_LAYER, init(get_config()))).is_ok());
}

#[test]
fn rp_3_nonsense_for_a_layer_is_refused_and_not_kept() {
    let town = Town::new(2);
    let key = town.client().key;
    for layer in [0, -1, i32::MIN] {
        let refused = call(&town, key, with_layer(layer, init(get_config())));
        assert_eq!(refused, Err(RpcError::CONNECTION_LAYER_INVALID), "{layer}");
    }
    assert_eq!(
        call(&town, key, init(get_config())),
        Err(RpcError::CONNECTION_LAYER_INVALID)
    );
    for layer in [1, 151] {
        let refused = call(&town, key, with_layer(layer, init(get_config())));
        assert_eq!(refused, Err(RpcError::UPDATE_APP_TO_LOGIN), "{layer}");
    }
    assert_eq!(
        call(&town, key, get_config()),
        Err(RpcError::CONNECTION_NOT_INITED)
    );
}

#[test]
fn rp_3_what_a_client_said_is_kept_with_its_key() {
    let town = Town::new(3);
    let ann = town.person("15550000001", "Ann");
    assert!(call(&town, ann.key, with_layer(152, init(get_me()))).is_ok());
    assert_eq!(user_in(&call(&town, ann.key, get_me()).unwrap()), USER_152);
    let elsewhere = call_in(&town, ann.key, SESSION + 1, get_me());
    assert_eq!(
        user_in(&elsewhere.unwrap()),
        USER_152,
        "another session of the key"
    );
    town.restart();
    assert_eq!(
        user_in(&call(&town, ann.key, get_me()).unwrap()),
        USER_152,
        "after a restart"
    );
    let stranger = town.client().key;
    assert_eq!(
        call(&town, stranger, get_config()),
        Err(RpcError::CONNECTION_NOT_INITED)
    );
}

#[test]
fn rp_4_an_answer_is_in_the_layer_of_its_call() {
    let town = Town::new(4);
    let ann = town.person("15550000001", "Ann");
    let layers = [
        (152, USER_152),
        (229, USER_229),
        (152, USER_152),
        (CANONICAL_LAYER, USER_229),
    ];
    for (layer, user) in layers {
        let answer = call(&town, ann.key, with_layer(layer, init(get_me()))).unwrap();
        assert_eq!(user_in(&answer), user, "{layer}");
        let answer = call(&town, ann.key, with_layer(layer, get_me())).unwrap();
        assert_eq!(user_in(&answer), user, "{layer} without the rest");
    }
}

#[test]
fn rp_4_a_layer_that_is_not_known_yet_gets_the_newest_that_is() {
    let town = Town::new(5);
    let ann = town.person("15550000001", "Ann");
    for layer in [CANONICAL_LAYER + 1, CANONICAL_LAYER + 5, i32::MAX] {
        let answer = call(&town, ann.key, with_layer(layer, init(get_me()))).unwrap();
        assert_eq!(user_in(&answer), USER_229, "{layer}");
    }
}

/// Whether some push has this constructor in it.
fn has(pushes: &[Vec<u8>], constructor: u32) -> bool {
    let id = constructor.to_le_bytes();
    let words = pushes.iter().flat_map(|push| push.chunks_exact(4));
    words.into_iter().any(|word| word == id)
}

#[test]
fn rp_4_a_push_is_in_the_layer_that_its_session_announced_last() {
    let town = Town::new(6);
    let (ann, bob) = (
        town.person("15550000001", "Ann"),
        town.person("15550000002", "Bob"),
    );
    let newer = town.second_login(&bob);
    for (layer, expected, other) in [(152, USER_152, USER_229), (CANONICAL_LAYER, USER_229, USER_152)] {
        bob.call_raw(with_layer(layer, get_me())).unwrap();
        drop((bob.pushed_bytes(), newer.pushed_bytes()));
        ann.say(ann.input_peer_of(&bob), "Hello").unwrap();
        let pushed = bob.pushed_bytes();
        assert!(has(&pushed, expected) && !has(&pushed, other), "{layer}");
        let pushed = newer.pushed_bytes();
        assert!(
            has(&pushed, USER_229) && !has(&pushed, USER_152),
            "the other session's own"
        );
    }
}

/// A key that the server knows; temporary for a day, or permanent.
fn kept_key(town: &Town, secret: u8, temporary: bool) -> AuthKey {
    let key = AuthKey::new([secret; 256]);
    let expires = temporary.then(|| Time(now(town) + DAY));
    let api = town.api();
    let kept = api.keep_key(AuthKeyId(key.id()), key.secret(), expires);
    town.env().run(kept).unwrap();
    key
}

const DAY: i64 = 24 * 3600;

fn now(town: &Town) -> i64 {
    use havre_api::dispatch::Env as _;
    town.env().now().0
}

/// What binds one key to the other, when all of it is right.
fn binding(town: &Town, permanent: &AuthKey, temporary: &AuthKey) -> Binding {
    Binding {
        msg_id: MSG_ID,
        nonce: 5,
        temp_auth_key_id: temporary.id(),
        perm_auth_key_id: permanent.id(),
        temp_session_id: SESSION,
        expires_at: now(town) as i32 + 3600,
    }
}

/// `auth.bindTempAuthKey` with the fields of one binding around the envelope of another.
fn bind(permanent: &AuthKey, outside: &Binding, inside: &Binding) -> Vec<u8> {
    let request = functions::auth::BindTempAuthKey {
        perm_auth_key_id: outside.perm_auth_key_id,
        nonce: outside.nonce,
        expires_at: outside.expires_at,
        encrypted_message: bind::seal(permanent, inside, &[3; 32]),
    };
    request.to_bytes()
}

/// Keys that were made, and the town that keeps them.
fn two_keys(seed: u64) -> (Town, AuthKey, AuthKey) {
    let town = Town::new(seed);
    let (permanent, temporary) = (kept_key(&town, 1, false), kept_key(&town, 2, true));
    (town, permanent, temporary)
}

fn is_known(town: &Town, key: &AuthKey) -> bool {
    let api = town.api();
    let secret = town.env().run(api.key_secret(AuthKeyId(key.id())));
    secret.unwrap().is_some()
}

#[test]
fn rp_5_an_unbound_key_may_ask_for_the_configuration_and_nothing_else() {
    let (town, _, temporary) = two_keys(7);
    let temporary = AuthKeyId(temporary.id());
    for may in [get_config(), functions::help::GetNearestDc {}.to_bytes()] {
        assert!(call(&town, temporary, with_layer(CANONICAL_LAYER, init(may))).is_ok());
    }
    let may_not = [
        get_me(),
        functions::updates::GetState {}.to_bytes(),
        functions::help::GetAppConfig { hash: 0 }.to_bytes(),
        functions::auth::LogOut {}.to_bytes(),
        functions::auth::DropTempAuthKeys {
            except_auth_keys: vec![],
        }
        .to_bytes(),
    ];
    for may_not in may_not {
        let refused = call(&town, temporary, may_not.clone());
        assert_eq!(refused, Err(RpcError::AUTH_KEY_PERM_EMPTY), "{may_not:x?}");
    }
}

#[test]
fn rp_5_a_key_lives_as_long_as_its_handshake_said_whatever_its_binding_says() {
    let (town, permanent, temporary) = two_keys(8);
    let binding = Binding {
        expires_at: now(&town) as i32 + 1,
        ..binding(&town, &permanent, &temporary)
    };
    let bound = call(
        &town,
        AuthKeyId(temporary.id()),
        bind(&permanent, &binding, &binding),
    );
    assert!(bound.is_ok());
    town.pass(DAY as u64 - 1);
    assert!(is_known(&town, &temporary));
    town.pass(1);
    assert!(!is_known(&town, &temporary), "-404 on the wire");
    assert!(is_known(&town, &permanent));
}

#[test]
fn rp_5_on_a_key_that_expired_nobody_is_logged_out() {
    let (town, _, temporary) = two_keys(9);
    town.pass(DAY as u64);
    let refused = call(
        &town,
        AuthKeyId(temporary.id()),
        with_layer(CANONICAL_LAYER, init(get_me())),
    );
    assert_eq!(refused, Err(RpcError::AUTH_KEY_PERM_EMPTY));
}

#[test]
fn rp_6_every_field_of_the_envelope_must_be_that_of_its_call() {
    let (town, permanent, temporary) = two_keys(10);
    let right = binding(&town, &permanent, &temporary);
    let wrong = [
        Binding {
            msg_id: MSG_ID + 4,
            ..right
        },
        Binding {
            nonce: right.nonce + 1,
            ..right
        },
        Binding {
            temp_auth_key_id: permanent.id(),
            ..right
        },
        Binding {
            perm_auth_key_id: temporary.id(),
            ..right
        },
        Binding {
            temp_session_id: SESSION + 1,
            ..right
        },
        Binding {
            expires_at: right.expires_at + 1,
            ..right
        },
    ];
    for inside in wrong {
        let refused = call(
            &town,
            AuthKeyId(temporary.id()),
            bind(&permanent, &right, &inside),
        );
        assert_eq!(refused, Err(RpcError::ENCRYPTED_MESSAGE_INVALID), "{inside:?}");
    }
    let past = Binding {
        expires_at: now(&town) as i32,
        ..right
    };
    let refused = call(&town, AuthKeyId(temporary.id()), bind(&permanent, &past, &past));
    assert_eq!(refused, Err(RpcError::ENCRYPTED_MESSAGE_INVALID), "over already");
    let bound = call(&town, AuthKeyId(temporary.id()), bind(&permanent, &right, &right));
    assert!(bound.is_ok());
}

/// Sources of this crate.
fn sources(folder: &std::path::Path, into: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else {
            into.push(std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn rp_7_errors_have_codes_that_clients_know_and_names_of_capitals() {
    let mut texts = Vec::new();
    sources(
        &std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut texts,
    );
    let mut found = 0;
    for text in &texts {
        for made in text
            .split("RpcError::new(")
            .skip(1)
            .chain(text.split("Self::new(").skip(1))
        {
            let Some((code, rest)) = made.split_once(',') else {
                continue;
            };
            let Ok(code) = code.trim().parse::<i32>() else {
                continue;
            };
            let name = rest
                .trim_start()
                .trim_start_matches('"')
                .split('"')
                .next()
                .unwrap();
            if name.starts_with("stringify!") {
                continue;
            }
            found += 1;
            assert!(
                [303, 400, 401, 403, 404, 406, 420, 500].contains(&code),
                "{code} {name}"
            );
            let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
            assert!(!name.is_empty() && name.chars().all(is_name), "{name}");
        }
    }
    assert!(found > 10, "the sources were read");
    for waits in [RpcError::flood_wait(17), RpcError::flood_wait(-1)] {
        assert_eq!(waits.code, 420);
        let seconds = waits.text.strip_prefix("FLOOD_WAIT_").unwrap();
        assert!(seconds.parse::<u32>().unwrap() >= 1);
    }
}

#[test]
fn rp_8_a_fault_of_the_store_logs_nobody_out() {
    for rates in [
        Rates {
            unavailable: 1000,
            ..Rates::default()
        },
        Rates {
            unavailable: 300,
            ..Rates::default()
        },
        Rates {
            conflict: 500,
            ..Rates::default()
        },
    ] {
        let env = Arc::new(SimEnv::new(11));
        let faulty = Arc::new(Faulty::new(Arc::new(Memory::new()), env.clone(), rates));
        faulty.calm();
        let town = Town::over(env, faulty.clone());
        let ann = town.person("15550000001", "Ann");
        faulty.excite();
        for _ in 0..20 {
            for body in [get_me(), functions::updates::GetState {}.to_bytes()] {
                // What is remembered of the key is gone, so that the store is asked.
                faulty.calm();
                town.restart();
                faulty.excite();
                if let Err(error) = call(&town, ann.key, with_layer(CANONICAL_LAYER, init(body))) {
                    assert_eq!(error.code, 500, "{rates:?}: {error:?}");
                }
            }
        }
        faulty.calm();
        assert!(call(&town, ann.key, get_me()).is_ok(), "still logged in");
    }
}

#[test]
fn rp_8_a_login_that_was_ended_is_told_and_stays_ended() {
    let town = Town::new(12);
    let ann = town.person("15550000001", "Ann");
    let other = town.second_login(&ann);
    town.pass(2 * DAY as u64);
    ann.call(functions::auth::ResetAuthorizations {}).unwrap();
    let refused = Err(RpcError::AUTH_KEY_UNREGISTERED);
    assert_eq!(call(&town, other.key, get_me()), refused);
    town.restart();
    assert_eq!(call(&town, other.key, get_me()), refused, "durable");
    assert!(call(&town, ann.key, get_me()).is_ok());
}

#[test]
fn the_configuration_names_the_data_centre_that_the_client_dialled() {
    let town = Town::new(1);
    let key = town.client().key;
    let told = call(&town, key, with_layer(CANONICAL_LAYER, init(get_config()))).unwrap();
    let enums::Config::Config(config) = enums::Config::from_bytes(&told).unwrap();
    assert_eq!(config.this_dc, 4);
}
