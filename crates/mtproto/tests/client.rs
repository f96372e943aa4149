//! The client's role against the server's, over a link that loses nothing.

mod common;

use common::*;
use havre_mtproto::client::{ClientConnection, KeyRequest, Output as Told, RsaScheme};
use havre_mtproto::transport::Framing;

const FRAMINGS: [Framing; 4] = [
    Framing::Abridged,
    Framing::Intermediate,
    Framing::Padded,
    Framing::Full,
];

#[test]
fn a_key_is_made_and_calls_are_answered_over_every_transport() {
    for framing in FRAMINGS {
        for obfuscated in [false, true] {
            let mut pair = Pair::new(havre_mtproto::client::ClientConfig {
                obfuscated: obfuscated && framing != Framing::Full,
                ..config(framing)
            });
            let first = pair.client.call(NOW, echo(1));
            let told = pair.run();
            assert!(matches!(told[0], Told::KeyMade { expires: None, .. }));
            assert_eq!(results(&told), [(first, echo(1))]);
            let created = told
                .iter()
                .filter(|o| matches!(o, Told::NewSession { .. }))
                .count();
            assert_eq!(created, 1);
            let failed = pair.client.call(NOW, object(id::FAIL, |_| {}));
            let text = "FAILED".to_owned();
            assert_eq!(
                pair.run(),
                [Told::Error {
                    msg_id: failed,
                    code: 400,
                    text
                }]
            );
        }
    }
}

#[test]
fn hs_7_every_kind_of_key_in_both_schemes() {
    for scheme in [RsaScheme::Padded, RsaScheme::Sha1] {
        for dc_id in [None, Some(2), Some(-2)] {
            for expires_in in [None, Some(86_400)] {
                let mut configured = config(Framing::Intermediate);
                configured.key_request = KeyRequest {
                    scheme,
                    dc_id,
                    expires_in,
                };
                let mut pair = Pair::new(configured);
                let told = pair.run();
                let [Told::KeyMade { key, salt, expires }] = &told[..] else {
                    panic!("{told:?}")
                };
                let made = &pair.server.made[0];
                assert_eq!((key, *salt, *expires), (&made.key, made.salt, made.expires));
                assert_eq!(*expires, expires_in.map(|s| NOW.plus(i64::from(s) * 1000)));
            }
        }
    }
}

#[test]
fn a_key_is_resumed_with_any_salt() {
    let mut server = Server::new();
    server.keys.insert(auth_key().id(), auth_key());
    let at = server.accept(NOW);
    let mut client = ClientConnection::resume(NOW, config(Framing::Full), auth_key(), 0, [1; 32]);
    let calls: Vec<i64> = (0..5).map(|n| client.queue(NOW, echo(n))).collect();
    client.flush(NOW);
    let mut pair = Pair {
        server,
        client,
        at,
        now: NOW,
    };
    let answered: Vec<i64> = results(&pair.run()).into_iter().map(|(id, _)| id).collect();
    assert_eq!(answered, calls);
    assert_eq!(pair.server.executed.len(), 5);
    assert_eq!(
        pair.client.salt(),
        pair.server.salts.current(auth_key().id(), NOW)
    );
}

#[test]
fn what_was_not_answered_is_sent_again_on_the_next_connection() {
    let mut pair = Pair::new(config(Framing::Padded));
    pair.server.delay_ms = |_| 5_000;
    let calls = [pair.client.call(NOW, echo(1)), pair.client.call(NOW, echo(2))];
    pair.run();
    assert_eq!(pair.client.open_calls(), 2);
    pair.reconnect();
    pair.run();
    pair.now = NOW.plus(5_000);
    let told = pair.run();
    assert_eq!(results(&told), [(calls[0], echo(1)), (calls[1], echo(2))]);
    assert_eq!(pair.server.executed.len(), 2);
}

#[test]
fn a_wrong_clock_is_set_right_by_the_server() {
    for wrong in [-4_000_000, 4_000_000] {
        let mut server = Server::new();
        server.keys.insert(auth_key().id(), auth_key());
        let salt = server.salts.current(auth_key().id(), NOW);
        let at = server.accept(NOW);
        let theirs = NOW.plus(wrong);
        let mut client =
            ClientConnection::resume(theirs, config(Framing::Abridged), auth_key(), salt, [1; 32]);
        let call = client.call(theirs, echo(3));
        let (mut told, mut answered) = (Vec::new(), Vec::new());
        for _ in 0..5 {
            while let Some(output) = client.poll() {
                match output {
                    Told::Write(bytes) => server.receive(NOW, at, &bytes),
                    other => told.push(other),
                }
            }
            answered.extend(results(&told));
            told.clear();
            client.receive(theirs, &server.drain(NOW, at).0);
        }
        assert_eq!(answered, [(call, echo(3))]);
    }
}
