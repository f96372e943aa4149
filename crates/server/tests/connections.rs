//! The real binary over real sockets: transports, keys that outlive a crash, limits, the end.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panic")]

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{Server, havre};
use havre_mtproto::client::{ClientConfig, ClientConnection, ClosedBecause, KeyRequest, Output};
use havre_mtproto::crypto::{AuthKey, RsaKey};
use havre_mtproto::transport::Framing;
use havre_server::env::{entropy, now};
use havre_tl::{RemoteCall, Serialize as _, enums, functions};

mod common;

/// Longest that a test waits for the server.
const PATIENCE: Duration = Duration::from_secs(20);

fn config(data: &Path, framing: Framing, obfuscated: bool) -> ClientConfig {
    let pem = havre(&["keys", "--pem"], data).output().unwrap().stdout;
    let der = pem::parse(pem).unwrap();
    ClientConfig {
        framing,
        obfuscated,
        server_key: Arc::new(RsaKey::from_public_der(der.contents()).unwrap()),
        key_request: KeyRequest::default(),
    }
}

/// A client with a socket.
struct Client {
    socket: TcpStream,
    connection: ClientConnection,
}

impl Client {
    fn new(address: SocketAddr, config: ClientConfig) -> Self {
        Self::over(address, ClientConnection::new(now(), config, entropy()))
    }

    fn resume(address: SocketAddr, config: ClientConfig, key: AuthKey) -> Self {
        Self::over(
            address,
            ClientConnection::resume(now(), config, key, 0, entropy()),
        )
    }

    fn over(address: SocketAddr, connection: ClientConnection) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        Self { socket, connection }
    }

    /// The next thing that the client is told, once all that it says is written.
    fn next(&mut self) -> Output {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.connection.poll() {
                // A server that closes first is told of by what it said before.
                Some(Output::Write(bytes)) => drop(self.socket.write_all(&bytes)),
                Some(output) => return output,
                None => self.read(),
            }
            assert!(Instant::now() < deadline, "the server says nothing");
        }
    }

    fn read(&mut self) {
        let mut buffer = [0; 4096];
        match self.socket.read(&mut buffer) {
            Ok(0) => panic!("the server closed"),
            Ok(len) => self.connection.receive(now(), &buffer[..len]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                self.connection.handle_timeout(now());
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn made_key(&mut self) -> AuthKey {
        loop {
            match self.next() {
                Output::KeyMade { key, .. } => return key,
                Output::Closed(because) => panic!("closed: {because:?}"),
                _ => {}
            }
        }
    }

    fn answer<F: RemoteCall>(&mut self, call: &F) -> Result<F::Return, (i32, String)> {
        let asked = self.connection.call(now(), initialised(call.to_bytes()));
        loop {
            match self.next() {
                Output::Result { msg_id, body } if msg_id == asked => {
                    return Ok(havre_tl::Deserialize::from_bytes(&body).unwrap());
                }
                Output::Error { msg_id, code, text } if msg_id == asked => return Err((code, text)),
                Output::Closed(because) => panic!("closed: {because:?}"),
                _ => {}
            }
        }
    }
}

fn initialised(query: Vec<u8>) -> Vec<u8> {
    let init = functions::InitConnection {
        api_id: 1,
        device_model: "test".into(),
        system_version: "1".into(),
        app_version: "1".into(),
        system_lang_code: "en".into(),
        lang_pack: String::new(),
        lang_code: "en".into(),
        proxy: None,
        params: None,
        query,
    };
    functions::InvokeWithLayer {
        layer: havre_tl::CANONICAL_LAYER,
        query: init.to_bytes(),
    }
    .to_bytes()
}

#[test]
fn every_transport_makes_a_key_and_is_answered() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    for framing in [
        Framing::Full,
        Framing::Abridged,
        Framing::Intermediate,
        Framing::Padded,
    ] {
        for obfuscated in [false, true] {
            if framing == Framing::Full && obfuscated {
                continue;
            }
            let mut client = Client::new(server.address(), config(data.path(), framing, obfuscated));
            let enums::Config::Config(told) = client.answer(&functions::help::GetConfig {}).unwrap();
            assert_eq!(told.this_dc, 2, "{framing:?} {obfuscated}");
        }
    }
    server.stop();
}

#[test]
fn a_key_outlives_a_kill() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let config = config(data.path(), Framing::Abridged, true);
    let key = Client::new(server.address(), config.clone()).made_key();
    drop(server);
    let server = Server::start(data.path());
    let mut client = Client::resume(server.address(), config, key);
    client.answer(&functions::help::GetConfig {}).unwrap();
}

#[test]
fn an_unknown_key_is_told_so() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let config = config(data.path(), Framing::Intermediate, false);
    let mut client = Client::resume(server.address(), config, AuthKey::new([7; 256]));
    client.connection.ping(now(), 1, None);
    client.connection.flush(now());
    assert_eq!(client.next(), Output::Closed(ClosedBecause::Told(-404)));
}

#[test]
fn connections_past_the_limit_of_an_address_are_closed() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_with(data.path(), &["connections_per_ip_max=2"]);
    let config = config(data.path(), Framing::Full, false);
    let mut first = Client::new(server.address(), config.clone());
    first.made_key();
    let mut second = Client::new(server.address(), config);
    second.made_key();
    let mut third = TcpStream::connect(server.address()).unwrap();
    third.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(third.read(&mut [0; 1]).unwrap(), 0);
    drop(second);
    first.answer(&functions::help::GetConfig {}).unwrap();
}

#[test]
fn a_crowd_of_handshakes_is_told_to_come_back() {
    let data = tempfile::tempdir().unwrap();
    let settings = ["handshake_threads=1", "handshake_queue_len=1"];
    let server = Server::start_with(data.path(), &settings);
    let (address, config) = (server.address(), config(data.path(), Framing::Full, false));
    let crowd: Vec<_> = (0..24)
        .map(|_| {
            let config = config.clone();
            std::thread::spawn(move || {
                let mut client = Client::new(address, config);
                loop {
                    match client.next() {
                        Output::KeyMade { .. } => return None,
                        Output::Closed(because) => return Some(because),
                        _ => {}
                    }
                }
            })
        })
        .collect();
    let ends: Vec<_> = crowd.into_iter().map(|thread| thread.join().unwrap()).collect();
    let refused = ends.iter().flatten();
    assert!(
        refused
            .clone()
            .all(|because| *because == ClosedBecause::Told(-429)),
        "{ends:?}"
    );
    assert!(refused.count() < ends.len(), "nobody came in");
    Client::new(address, config).made_key();
}

/// What strangers open a connection with, and go on with for as long as the server listens.
const RUBBISH: [(&str, &[u8]); 8] = [
    ("nothing that is known", b"Mfwd9%\x91\xf2kfw\x07\xba"),
    ("the longest abridged packet", &[0xef, 0x7f, 0xff, 0x03, 0x04]),
    ("an abridged packet of 16 MiB", &[0xef, 0x7f, 0xff, 0xff, 0x3f]),
    (
        "a negative length",
        &[0xee, 0xee, 0xee, 0xee, 0xff, 0xff, 0xff, 0xff],
    ),
    (
        "a megabyte of plain text",
        &[0xee, 0xee, 0xee, 0xee, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ),
    (
        "small packets of no key",
        &[0xdd, 0xdd, 0xdd, 0xdd, 24, 0, 0, 0, 1, 2, 3, 4],
    ),
    ("a full packet with a wrong sum", &[64, 0, 0, 0, 0, 0, 0, 0]),
    ("a request without end", b"GET /apiws HTTP/1.1\r\nX: "),
];

/// Sends an opening and then whatever, until the server has enough; less than the longest packet, so that what
/// is not refused is held.
fn pester(address: SocketAddr, opening: &[u8], seed: u8) -> TcpStream {
    let mut socket = TcpStream::connect(address).unwrap();
    socket
        .set_write_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    let mut noise: Vec<u8> = (0..32_768_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8 ^ seed)
        .collect();
    noise[..opening.len()].copy_from_slice(opening);
    for _ in 0..28 {
        // A server that had enough has closed.
        if socket.write_all(&noise).is_err() {
            break;
        }
        noise.rotate_left(1);
    }
    socket
}

#[test]
fn tr_5_rubbish_costs_neither_memory_nor_those_who_talk() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_with(data.path(), &["buffered_bytes_max=16777216"]);
    let config = config(data.path(), Framing::Full, false);
    let mut inside = Client::new(server.address(), config);
    inside.made_key();
    inside.answer(&functions::help::GetConfig {}).unwrap();
    let before = server.resident();
    let address = server.address();
    let strangers: Vec<_> = (0..4)
        .map(|seed| {
            std::thread::spawn(move || {
                let pester = |n: usize| pester(address, RUBBISH[n % RUBBISH.len()].1, seed);
                (0..160).map(pester).collect::<Vec<TcpStream>>()
            })
        })
        .collect();
    while !strangers.iter().all(std::thread::JoinHandle::is_finished) {
        inside.answer(&functions::help::GetConfig {}).unwrap();
    }
    let held: Vec<_> = strangers
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    let grown = server.resident().saturating_sub(before);
    assert!(
        grown < 64 << 20,
        "{grown} bytes more for {} strangers",
        held.len() * 160
    );
    inside.answer(&functions::help::GetConfig {}).unwrap();
    server.stop();
}

#[test]
fn calls_run_after_those_that_they_name() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let mut client = Client::new(server.address(), config(data.path(), Framing::Full, false));
    client.answer(&functions::help::GetConfig {}).unwrap();
    let failing = client
        .connection
        .call(now(), functions::users::GetUsers { id: Vec::new() }.to_bytes());
    let query = functions::help::GetNearestDc {}.to_bytes();
    let after = functions::InvokeAfterMsg {
        msg_id: failing,
        query,
    }
    .to_bytes();
    let waiting = client.connection.call(now(), after);
    let mut told = Vec::new();
    while told.len() < 2 {
        if let Output::Error { msg_id, text, .. } = client.next() {
            told.push((msg_id, text));
        }
    }
    told.sort();
    let expected = [
        (failing, "AUTH_KEY_UNREGISTERED".to_owned()),
        (waiting, "MSG_WAIT_FAILED".to_owned()),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_server_that_is_stopped_lets_its_connections_go() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let mut client = Client::new(server.address(), config(data.path(), Framing::Full, false));
    client.made_key();
    let started = Instant::now();
    server.stop();
    assert!(started.elapsed() < Duration::from_secs(4));
    assert_eq!(client.socket.read(&mut [0; 1]).unwrap(), 0);
}

/// Signs somebody up, with the code from the operator's console.
fn sign_up(client: &mut Client, data: &Path, phone: &str) {
    let send = functions::auth::SendCode {
        phone_number: phone.into(),
        api_id: 1,
        api_hash: "hash".into(),
        ..Default::default()
    };
    let enums::auth::SentCode::SentCode(sent) = client.answer(&send).unwrap() else {
        panic!("a code is sent")
    };
    let code = havre(&["code", phone], data).output().unwrap().stdout;
    let enter = functions::auth::SignIn {
        phone_number: phone.into(),
        phone_code_hash: sent.phone_code_hash.clone(),
        phone_code: Some(String::from_utf8(code).unwrap().trim().to_owned()),
        ..Default::default()
    };
    client.answer(&enter).unwrap();
    let sign_up = functions::auth::SignUp {
        phone_number: phone.into(),
        phone_code_hash: sent.phone_code_hash,
        first_name: "Somebody".into(),
        ..Default::default()
    };
    client.answer(&sign_up).unwrap();
}

/// RP-12: newcomers are told to come back before anybody who is inside notices.
#[test]
fn rp_12_newcomers_have_bounded_places_and_people_inside_need_none() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_with(data.path(), &["newcomers_max=1"]);
    let config = || config(data.path(), Framing::Intermediate, true);
    let state = functions::updates::GetState {};
    let mut alice = Client::new(server.address(), config());
    let key = alice.made_key();
    sign_up(&mut alice, data.path(), "15550000001");
    assert!(alice.answer(&state).is_ok());
    // The place is free again: somebody takes it, and stays.
    let mut bob = Client::new(server.address(), config());
    bob.made_key();
    let mut carol = Client::new(server.address(), config());
    let told = loop {
        match carol.next() {
            Output::KeyMade { .. } => panic!("there is no place"),
            Output::Closed(because) => break because,
            _ => {}
        }
    };
    assert!(told == ClosedBecause::Told(-429), "{told:?}");
    assert!(alice.answer(&state).is_ok());
    let mut again = Client::resume(server.address(), config(), key);
    assert!(again.answer(&state).is_ok(), "a known key comes first");
    assert_eq!(bob.answer(&state).unwrap_err().0, 401);
    drop(bob);
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut dan = Client::new(server.address(), config());
        let made = loop {
            match dan.next() {
                Output::KeyMade { .. } => break true,
                Output::Closed(_) => break false,
                _ => {}
            }
        };
        if made {
            break;
        }
        assert!(Instant::now() < deadline, "the place is free again");
    }
    server.stop();
}
