//! A server that is watched: what it counts of a conversation, and that its log holds nothing of it.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panic")]

use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use havre_bench::client::{CallError, Client};
use havre_bench::process::Server;
use havre_tl::{enums, functions, types};
use tempfile::TempDir;

const HAVRE: &str = env!("CARGO_BIN_EXE_havre");

/// Numbers, names, texts: none of them stands anywhere else.
const PHONES: [&str; 2] = ["15550104711", "15550104712"];
const NAMES: [&str; 2] = ["Wilhelmine", "Bartholomew"];
const TEXT: &str = "the herons are back on the weir";
const GROUP: &str = "Heron watchers";
const USERNAME: &str = "heron_friend";
const WRONG_CODE: &str = "00000";

fn free_address() -> SocketAddr {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    taken.local_addr().unwrap()
}

/// A server with monitoring, and everything that it says.
struct Watched {
    server: Server,
    metrics: SocketAddr,
    folder: TempDir,
}

impl Watched {
    /// The server for load takes no settings: a script in its place adds them.
    fn start(settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (script, metrics) = (folder.path().join("havre"), free_address());
        let mut command = format!("#!/bin/sh\nexec '{HAVRE}' \"$@\" --set metrics_listen={metrics}");
        for setting in settings {
            command += &format!(" --set {setting}");
        }
        fs::write(&script, command).unwrap();
        fs::set_permissions(&script, Permissions::from_mode(0o700)).unwrap();
        let (data, log) = (folder.path().join("data"), folder.path().join("log"));
        let server = Server::start(&script, &data, free_address(), &log).unwrap();
        Self {
            server,
            metrics,
            folder,
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.metrics).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// The value of one line of the metrics.
    fn value(&self, sample: &str) -> f64 {
        let page = self.get("/metrics");
        let value = page
            .lines()
            .find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
        value
            .unwrap_or_else(|| panic!("{sample} in\n{page}"))
            .parse()
            .unwrap()
    }

    /// Waits until a metric is so high: what happens after an answer is counted a moment later.
    fn reaches(&self, sample: &str, least: f64) {
        let begun = Instant::now();
        while self.value(sample) < least {
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "{sample} {}",
                self.value(sample)
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

async fn ask_code(client: &Client, phone: &str) -> Result<enums::auth::SentCode, CallError> {
    let request = functions::auth::SendCode {
        phone_number: phone.into(),
        api_id: 1,
        api_hash: "x".into(),
        ..Default::default()
    };
    client.call(request).await
}

/// Two people sign up, write, make a group, take a username, ask too often and err; returns the codes that
/// were sent.
async fn converse(server: &Server) -> Vec<String> {
    let first = Client::connect(server.endpoint()).await.unwrap();
    let mut codes = vec![err(&first, server).await];
    let second = Client::connect(server.endpoint()).await.unwrap();
    first.sign_up(&server.desk(), PHONES[0], NAMES[0]).await.unwrap();
    second.sign_up(&server.desk(), PHONES[1], NAMES[1]).await.unwrap();
    let peer = first.peer_of(PHONES[1]).await.unwrap();
    for random_id in 1..=3 {
        let message = functions::messages::SendMessage {
            peer: peer.clone(),
            message: TEXT.into(),
            random_id,
            ..Default::default()
        };
        first.call(message).await.unwrap();
    }
    let group = functions::messages::CreateChat {
        users: vec![invited(&peer)],
        title: GROUP.into(),
        ..Default::default()
    };
    first.call(group).await.unwrap();
    let username = USERNAME.into();
    let named = functions::account::UpdateUsername { username };
    first.call(named).await.unwrap();
    codes.push(second_login(server).await);
    codes
}

/// Enters a wrong code; returns the right one, which stays pending.
async fn err(client: &Client, server: &Server) -> String {
    client.introduce().await.unwrap();
    let enums::auth::SentCode::SentCode(sent) = ask_code(client, PHONES[0]).await.unwrap() else {
        panic!("no code")
    };
    let code = server.code(PHONES[0]).await.unwrap();
    let wrong = functions::auth::SignIn {
        phone_number: PHONES[0].into(),
        phone_code_hash: sent.phone_code_hash,
        phone_code: Some(WRONG_CODE.into()),
        ..Default::default()
    };
    assert!(client.call(wrong).await.is_err());
    code
}

/// Somebody logs in from another device.
async fn second_login(server: &Server) -> String {
    let device = Client::connect(server.endpoint()).await.unwrap();
    device.introduce().await.unwrap();
    let enums::auth::SentCode::SentCode(sent) = ask_code(&device, PHONES[1]).await.unwrap() else {
        panic!("no code")
    };
    let code = server.code(PHONES[1]).await.unwrap();
    let sign_in = functions::auth::SignIn {
        phone_number: PHONES[1].into(),
        phone_code_hash: sent.phone_code_hash,
        phone_code: Some(code.clone()),
        ..Default::default()
    };
    device.call(sign_in).await.unwrap();
    code
}

fn invited(peer: &enums::InputPeer) -> enums::InputUser {
    let enums::InputPeer::InputPeerUser(user) = peer else {
        panic!("not a person")
    };
    let (user_id, access_hash) = (user.user_id, user.access_hash);
    types::InputUser { user_id, access_hash }.into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_counted() {
    let watched = Watched::start(&[]);
    assert!(watched.get("/health").starts_with("HTTP/1.1 200"));
    assert!(watched.get("/ready").starts_with("HTTP/1.1 200"));
    converse(&watched.server).await;
    for (sample, exactly) in [
        ("havre_sign_ups_total", 2.0),
        ("havre_log_ins_total", 1.0),
        ("havre_codes_wrong_total", 1.0),
        ("havre_handshakes_begun_total", 3.0),
        ("havre_handshakes_done_total", 3.0),
        ("havre_handshake_work_seconds_count", 6.0),
        ("havre_connections_accepted_total", 3.0),
        ("havre_call_errors_total{code=\"400\"}", 1.0),
        ("havre_call_seconds_count{namespace=\"messages\"}", 4.0),
        ("havre_calls_running", 0.0),
    ] {
        assert_eq!(watched.value(sample), exactly, "{sample}");
    }
    for (sample, least) in [
        ("havre_messages_sent_total", 3.0),
        ("havre_reached_with_commit_total", 5.0),
        ("havre_pushes_total", 1.0),
        ("havre_codes_sent_total", 2.0),
        ("havre_store_commit_seconds_count", 10.0),
        ("havre_store_batches_total", 5.0),
        ("havre_packets_received_total", 15.0),
        ("havre_packets_sent_total", 15.0),
        ("havre_received_bytes_total", 3000.0),
        ("havre_sent_bytes_total", 3000.0),
        ("havre_sessions", 3.0),
        ("havre_people_online", 1.0),
        ("havre_connections_ended_total{reason=\"peer\"}", 3.0),
        ("process_resident_memory_bytes", 1e6),
        ("process_open_fds", 5.0),
    ] {
        watched.reaches(sample, least);
    }
}

/// What would tell who was there and what was said.
fn assert_says_nothing_personal(log: &str, codes: &[String]) {
    let secrets = PHONES
        .iter()
        .chain(&NAMES)
        .chain(&[TEXT, GROUP, USERNAME, "127.0.0.1"]);
    for secret in secrets.copied().chain(codes.iter().map(String::as_str)) {
        assert!(!log.contains(secret), "{secret:?} in\n{log}");
    }
    // The number of a group or person would tell as much as the name.
    assert!(!log.contains("user") && !log.contains("peer"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_says_nothing_personal_however_much_is_logged() {
    for format in ["text", "json"] {
        let watched = Watched::start(&["log=trace", &format!("log_format={format}")]);
        let codes = converse(&watched.server).await;
        watched.reaches("havre_connections_ended_total{reason=\"peer\"}", 3.0);
        let log = watched.log();
        assert!(log.contains("the server is ready"), "{log}");
        assert!(
            log.contains("a call was refused") && log.contains("PHONE_CODE_INVALID"),
            "{log}"
        );
        assert_says_nothing_personal(&log, &codes);
        if format == "json" {
            let is_object = |line: &str| line.starts_with("{\"timestamp\":") && line.ends_with('}');
            assert!(log.lines().all(is_object), "{log}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_and_who_breaks_rules_is_counted_by_why() {
    let watched = Watched::start(&["connections_per_ip_max=1"]);
    let address = watched.server.endpoint().address;
    let mut held = TcpStream::connect(address).unwrap();
    watched.reaches("havre_connections", 1.0);
    let _refused = TcpStream::connect(address).unwrap();
    watched.reaches("havre_connections_refused_total{reason=\"address\"}", 1.0);
    assert_eq!(
        watched.value("havre_connections_refused_total{reason=\"total\"}"),
        0.0
    );
    // The intermediate transport, then a packet under a key that nobody has, then one that is too long.
    let mut packet = vec![0xee, 0xee, 0xee, 0xee, 40, 0, 0, 0];
    packet.extend([7; 40]);
    held.write_all(&packet).unwrap();
    watched.reaches("havre_packets_spoilt_total{kind=\"unknown_key\"}", 1.0);
    held.write_all(&[0xff, 0xff, 0xff, 0x7f]).unwrap();
    watched.reaches("havre_packets_spoilt_total{kind=\"framing\"}", 1.0);
    watched.reaches("havre_connections_ended_total{reason=\"rule\"}", 1.0);
}
