//! What strangers do to a server, one kind a test: each meets a limit that holds and is counted, and two people
//! who are inside write to each other all along.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panic")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use havre_bench::client::{CallError, Client};
use havre_bench::process::Server;
use havre_tl::{enums, functions};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

const HAVRE: &str = env!("CARGO_BIN_EXE_havre");

/// A message between people inside takes no longer, whatever goes on beside them.
const DELIVERED_WITHIN: Duration = Duration::from_secs(3);
/// Connections without a first packet are closed then (TR-14).
const SILENT: Duration = Duration::from_secs(30);
/// `req_pq_multi`.
const REQ_PQ_MULTI: u32 = 0xbe7e_8ef1;
/// `req_DH_params`.
const REQ_DH_PARAMS: u32 = 0xd712_e4be;
/// Opens the intermediate transport.
const INTERMEDIATE: [u8; 4] = [0xee; 4];

/// A server that is watched.
struct Town {
    server: Server,
    metrics: SocketAddr,
    _folder: TempDir,
}

fn free_address() -> SocketAddr {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    taken.local_addr().unwrap()
}

impl Town {
    fn start(settings: &[&str]) -> Self {
        let (folder, metrics) = (tempfile::tempdir().unwrap(), free_address());
        let (data, log) = (folder.path().join("data"), folder.path().join("log"));
        let watched = format!("metrics_listen={metrics}");
        let settings = [&[watched.as_str()], settings].concat();
        let server = Server::start_with(Path::new(HAVRE), &data, free_address(), &log, &settings);
        Self {
            server: server.unwrap(),
            metrics,
            _folder: folder,
        }
    }

    /// The sum of a metric over all its labels that hold `label`.
    fn value(&self, name: &str, label: &str) -> f64 {
        let mut stream = std::net::TcpStream::connect(self.metrics).unwrap();
        write!(stream, "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        let samples = page
            .lines()
            .filter_map(|line| line.strip_prefix(name)?.rsplit_once(' '));
        let is_it = |labels: &str| labels.is_empty() || labels.starts_with('{');
        let named = samples.filter(|(labels, _)| is_it(labels) && labels.contains(label));
        named.map(|(_, value)| value.parse::<f64>().unwrap()).sum()
    }

    /// Waits until a metric is so high.
    async fn reaches(&self, name: &str, label: &str, least: f64) {
        let begun = Instant::now();
        while self.value(name, label) < least {
            let now = self.value(name, label);
            assert!(begun.elapsed() < Duration::from_secs(10), "{name} {label} {now}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Who else is there: a connection from another address than that of the people inside.
    async fn stranger(&self) -> std::io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind("127.0.0.2:0".parse().unwrap())?;
        socket.connect(self.server.endpoint().address).await
    }

    async fn sign_up(&self, phone: &str) -> Client {
        let client = Client::connect(self.server.endpoint()).await.unwrap();
        client
            .sign_up(&self.server.desk(), phone, "Somebody")
            .await
            .unwrap();
        client
    }
}

/// Two people who write to each other until they are asked how it was.
struct Inside {
    stop: Arc<AtomicBool>,
    written: Arc<AtomicUsize>,
    writing: JoinHandle<()>,
}

impl Inside {
    async fn begin(town: &Town) -> Self {
        let (alice, mut bob) = (
            town.sign_up("15550000001").await,
            town.sign_up("15550000002").await,
        );
        bob.call(functions::updates::GetState {}).await.unwrap();
        let (to, mut pushes) = (
            alice.peer_of("15550000002").await.unwrap(),
            bob.take_pushes().unwrap(),
        );
        let (stop, written) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let (stopped, count) = (Arc::clone(&stop), Arc::clone(&written));
        let writing = tokio::spawn(async move {
            while !stopped.load(Ordering::Relaxed) {
                let n = count.load(Ordering::Relaxed) + 1;
                let text = format!("n {n}");
                let sent = alice.call(functions::messages::SendMessage {
                    peer: to.clone(),
                    message: text.clone(),
                    random_id: i64::try_from(n).unwrap(),
                    ..Default::default()
                });
                timeout(DELIVERED_WITHIN, sent)
                    .await
                    .expect("it is answered in time")
                    .unwrap();
                let came = timeout(DELIVERED_WITHIN, next_text(&mut pushes));
                assert_eq!(came.await.expect("it arrives in time"), text, "lost or doubled");
                count.store(n, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            drop(bob);
        });
        Self {
            stop,
            written,
            writing,
        }
    }

    /// They write on until it is so many messages in all, of which none was lost or doubled.
    async fn end(self, least: usize) {
        while self.written.load(Ordering::Relaxed) < least && !self.writing.is_finished() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.stop.store(true, Ordering::Relaxed);
        self.writing.await.unwrap();
    }
}

async fn next_text(pushes: &mut tokio::sync::mpsc::UnboundedReceiver<enums::Updates>) -> String {
    loop {
        let enums::Updates::Updates(updates) = pushes.recv().await.expect("the session goes on") else {
            continue;
        };
        let text = updates.updates.into_iter().find_map(|update| match update {
            enums::Update::UpdateNewMessage(new) => match new.message {
                enums::Message::Message(message) => Some(message.message),
                _ => None,
            },
            _ => None,
        });
        if let Some(text) = text {
            return text;
        }
    }
}

/// A frame of the intermediate transport around a plain message.
fn plain(msg_id: u64, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len()).unwrap();
    let mut frame = Vec::from((20 + len).to_le_bytes());
    frame.extend([0; 8]);
    frame.extend(msg_id.to_le_bytes());
    frame.extend(len.to_le_bytes());
    frame.extend(body);
    frame
}

fn req_pq(nonce: u8) -> Vec<u8> {
    let mut body = Vec::from(REQ_PQ_MULTI.to_le_bytes());
    body.extend([nonce; 16]);
    plain(4, &body)
}

/// Whether the server ends a connection within a time; what it says first is read over.
async fn is_ended(stream: &mut TcpStream, within: Duration) -> bool {
    let mut rest = [0; 512];
    let ended = async { while stream.read(&mut rest).await.is_ok_and(|len| len > 0) {} };
    timeout(within, ended).await.is_ok()
}

/// Whether the server says -404.
async fn is_refused(stream: &mut TcpStream) -> bool {
    let (mut said, mut part) = (Vec::new(), [0; 512]);
    let refusal = [&4_u32.to_le_bytes()[..], &(-404_i32).to_le_bytes()].concat();
    while !said.ends_with(&refusal) {
        match timeout(Duration::from_secs(10), stream.read(&mut part)).await {
            Ok(Ok(len)) if len > 0 => said.extend(&part[..len]),
            _ => return false,
        }
    }
    true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_and_half_openings_are_ended_and_bounded_for_each_address() {
    const PLACES: usize = 200;
    let town = Town::start(&["connections_per_ip_max=200"]);
    let inside = Inside::begin(&town).await;
    let mut held = Vec::new();
    for n in 0..PLACES {
        let mut stream = town.stranger().await.unwrap();
        stream.write_all(&INTERMEDIATE).await.unwrap();
        if n % 2 == 0 {
            stream.write_all(&req_pq(1)).await.unwrap();
        }
        stream.write_all(&1024_u32.to_le_bytes()).await.unwrap();
        held.push(stream);
    }
    town.reaches("havre_connections_accepted_total", "", (PLACES + 2) as f64)
        .await;
    for _ in 0..50 {
        let mut late = town.stranger().await.unwrap();
        assert!(
            is_ended(&mut late, Duration::from_secs(5)).await,
            "there is no place"
        );
    }
    assert_eq!(town.value("havre_connections_refused_total", "address"), 50.0);
    let begun = Instant::now();
    // A byte at a time, of a packet that never is whole.
    while begun.elapsed() < SILENT + Duration::from_secs(2) {
        for stream in &mut held {
            // Who was ended cannot write.
            let _ = stream.try_write(&[0]);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    for stream in &mut held {
        assert!(is_ended(stream, Duration::from_secs(5)).await, "still there");
    }
    assert_eq!(town.value("havre_connections_ended_total", "idle"), PLACES as f64);
    assert_eq!(town.value("havre_connections", ""), 2.0);
    inside.end(300).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handshakes_that_are_replayed_or_made_up_lead_nowhere() {
    let town = Town::start(&[]);
    let inside = Inside::begin(&town).await;
    let done = town.value("havre_handshakes_done_total", "");
    for n in 0..300 {
        let mut stream = town.stranger().await.unwrap();
        stream.write_all(&INTERMEDIATE).await.unwrap();
        // The same beginning twice, and then a second step with what no answer said.
        stream.write_all(&req_pq(7)).await.unwrap();
        stream.write_all(&req_pq(7)).await.unwrap();
        let mut made_up = Vec::from(REQ_DH_PARAMS.to_le_bytes());
        made_up.extend([7; 16]);
        made_up.resize(320, n as u8);
        stream.write_all(&plain(8, &made_up)).await.unwrap();
        assert!(is_refused(&mut stream).await);
    }
    assert_eq!(town.value("havre_handshakes_replayed_total", ""), 300.0);
    assert_eq!(town.value("havre_handshakes_refused_total", ""), 300.0);
    assert_eq!(
        town.value("havre_handshakes_done_total", ""),
        done,
        "no key was made"
    );
    inside.end(10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handshakes_that_begin_again_and_again_on_one_connection_end() {
    let town = Town::start(&[]);
    let inside = Inside::begin(&town).await;
    for _ in 0..200 {
        let mut stream = town.stranger().await.unwrap();
        stream.write_all(&INTERMEDIATE).await.unwrap();
        for nonce in 0..40 {
            // Who was ended cannot write.
            let _ = stream.write_all(&req_pq(nonce)).await;
        }
        assert!(is_ended(&mut stream, Duration::from_secs(10)).await);
    }
    assert_eq!(town.value("havre_handshakes_refused_total", "limit"), 200.0);
    inside.end(3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_bytes_are_ended_and_hold_little() {
    let town = Town::start(&["buffered_bytes_max=16777216"]);
    let inside = Inside::begin(&town).await;
    let before = town.server.resident().unwrap();
    let mut random: u64 = 1;
    let mut held = Vec::new();
    for _ in 0..600 {
        let mut stream = town.stranger().await.unwrap();
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 56) as u8
        })
        .take(40_000)
        .collect();
        // A server that had enough does not take all of it.
        let _ = timeout(Duration::from_millis(200), stream.write_all(&noise)).await;
        held.push(stream);
    }
    let ended = ["rule", "bytes"].map(|reason| town.value("havre_connections_ended_total", reason));
    assert!(ended.iter().sum::<f64>() >= 300.0, "{ended:?}");
    assert!(town.value("havre_packets_spoilt_total", "") >= 300.0);
    let buffered = town.value("havre_buffered_bytes", "");
    assert!(
        buffered <= f64::from(16 << 20) + (held.len() * (16 << 10)) as f64,
        "{buffered}"
    );
    let grown = town.server.resident().unwrap().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes more");
    inside.end(10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_of_sockets_from_one_address_leaves_room_for_others() {
    const CROWD: usize = 3_000;
    let town = Town::start(&["connections_per_ip_max=100", "connections_max=150"]);
    let inside = Inside::begin(&town).await;
    let mut held = Vec::new();
    for _ in 0..CROWD {
        held.push(town.stranger().await.unwrap());
    }
    town.reaches("havre_connections_refused_total", "address", (CROWD - 100) as f64)
        .await;
    assert_eq!(town.value("havre_connections", ""), 102.0);
    // Somebody from elsewhere comes in.
    let carol = town.sign_up("15550000003").await;
    carol.call(functions::updates::GetState {}).await.unwrap();
    inside.end(10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn codes_cannot_be_guessed_at_scale() {
    const NUMBERS: usize = 12;
    let town = Town::start(&["codes_per_address=8"]);
    let inside = Inside::begin(&town).await;
    let (mut attempts, mut told_to_wait) = (Vec::new(), 0);
    for n in 0..NUMBERS {
        let guesser = Client::connect(town.server.endpoint()).await.unwrap();
        guesser.introduce().await.unwrap();
        let phone = format!("1556000{n:04}");
        match guesser.ask_code(&phone).await {
            Ok(attempt) => attempts.push((guesser, phone, attempt)),
            Err(CallError::Refused { code: 420, text }) => {
                assert!(text.starts_with("FLOOD_WAIT_"), "{text}");
                told_to_wait += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    // The people inside have asked for two of the eight.
    assert_eq!((attempts.len(), told_to_wait), (6, NUMBERS - 6));
    assert_eq!(town.value("havre_floods_total", "codes"), (NUMBERS - 6) as f64);
    for (guesser, phone, attempt) in &attempts {
        let right = town.server.code(phone).await.unwrap();
        for n in 0..10 {
            let wrong = format!("{:05}", (right.parse::<u32>().unwrap() + 1 + n) % 100_000);
            assert!(guess(guesser, phone, attempt, &wrong).await.is_err());
        }
        let late = guess(guesser, phone, attempt, &right).await;
        assert!(late.is_err(), "five wrong codes end an attempt");
    }
    assert_eq!(
        town.value("havre_codes_wrong_total", ""),
        (attempts.len() * 5) as f64
    );
    inside.end(3).await;
}

async fn guess(client: &Client, phone: &str, attempt: &str, code: &str) -> Result<(), CallError> {
    let request = functions::auth::SignIn {
        phone_number: phone.into(),
        phone_code_hash: attempt.into(),
        phone_code: Some(code.into()),
        ..Default::default()
    };
    client.call(request).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_sees_and_sets_limits_while_the_server_runs() {
    let town = Town::start(&[]);
    let havre = |arguments: &[&str]| {
        let mut command = std::process::Command::new(HAVRE);
        let output = command
            .args(arguments)
            .arg("--data")
            .arg(&town.server.desk().0)
            .output();
        let output = output.unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    let listed = havre(&["limits"]);
    assert!(listed.contains("codes_per_address = 0\n"), "{listed}");
    assert!(listed.contains("codes_per_prefix = \"870=0 "), "{listed}");
    let set = havre(&["limits", "codes_per_address=2"]);
    assert!(set.starts_with("codes_per_address = 2; it was 0."), "{set}");
    assert!(havre(&["limits", "codes_per_prefix=1557=0"]).contains("\"1557=0\""));
    assert!(havre(&["limits", "codes_per_address=many"]).contains("a whole number"));
    assert!(havre(&["limits", "code_len=4"]).contains("is no limit that can be set"));
    let client = Client::connect(town.server.endpoint()).await.unwrap();
    client.introduce().await.unwrap();
    let asked = async |phone: &str| match client.ask_code(phone).await {
        Ok(_) => "sent".to_owned(),
        Err(CallError::Refused { text, .. }) => text,
        Err(other) => panic!("{other}"),
    };
    assert_eq!(asked("15570000001").await, "PHONE_NUMBER_INVALID");
    assert_eq!(asked("15560000001").await, "sent");
    assert_eq!(asked("15560000002").await, "sent");
    assert!(asked("15560000003").await.starts_with("FLOOD_WAIT_"));
    // Enough are in: nobody else comes.
    havre(&["limits", "connections_max=1"]);
    let mut late = town.stranger().await.unwrap();
    assert!(is_ended(&mut late, Duration::from_secs(5)).await);
    assert!(
        havre(&["status"]).contains("codes        console works"),
        "{}",
        havre(&["status"])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn newcomers_past_their_places_are_turned_away_and_counted() {
    let town = Town::start(&["newcomers_max=1"]);
    let inside = Inside::begin(&town).await;
    let newcomer = Client::connect(town.server.endpoint()).await.unwrap();
    for _ in 0..20 {
        assert!(
            Client::connect(town.server.endpoint()).await.is_err(),
            "there is one place"
        );
    }
    assert_eq!(town.value("havre_handshakes_refused_total", "places"), 20.0);
    newcomer.introduce().await.unwrap();
    inside.end(10).await;
}
