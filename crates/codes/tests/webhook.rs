//! The webhook against an HTTP server: what it is sent, and what its answers mean.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panic")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use havre_codes::provider::{Failure, Message, Provider as _};
use havre_codes::tls;
use havre_codes::webhook::{ANSWER_LEN_MAX, Unusable, Webhook};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use sha2::{Digest as _, Sha256};
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const SECRET: &str = "correct horse battery staple";
/// Shorter than the production one, so that the tests do not wait.
const ANSWER_MAX: Duration = Duration::from_millis(500);

/// A request as it came.
#[derive(Clone, Debug)]
struct Seen {
    connection: usize,
    line: String,
    headers: HashMap<String, String>,
    body: String,
}

/// Answers every request alike.
struct Server {
    address: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// `None` never answers.
    async fn start(answer: Option<String>) -> Self {
        Self::start_over(answer, None).await
    }

    async fn start_over(answer: Option<String>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("localhost:{}", listener.local_addr().unwrap().port());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            for connection in 0.. {
                let (socket, _) = listener.accept().await.unwrap();
                let (answer, log, tls) = (answer.clone(), Arc::clone(&log), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => converse(socket, connection, answer.as_deref(), &log).await,
                        Some(tls) => {
                            if let Ok(socket) = tls.accept(socket).await {
                                converse(socket, connection, answer.as_deref(), &log).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, seen }
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    fn webhook(&self) -> Webhook {
        let url = format!("http://{}/codes?to=sms", self.address);
        Webhook::new(&url, SECRET, trusting(RootCertStore::empty()))
            .unwrap()
            .with_answer_max(ANSWER_MAX)
    }
}

async fn converse(
    socket: impl AsyncRead + AsyncWrite + Unpin,
    connection: usize,
    answer: Option<&str>,
    log: &Mutex<Vec<Seen>>,
) {
    let mut socket = BufReader::new(socket);
    while let Some(seen) = request(&mut socket, connection).await {
        log.lock().unwrap().push(seen);
        match answer {
            Some(answer) if socket.write_all(answer.as_bytes()).await.is_ok() => {
                let _ = socket.flush().await;
            }
            Some(_) => return,
            None => std::future::pending().await,
        }
    }
}

async fn request(
    socket: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>,
    connection: usize,
) -> Option<Seen> {
    let mut line = String::new();
    socket.read_line(&mut line).await.ok().filter(|len| *len > 0)?;
    let mut headers = HashMap::new();
    loop {
        let mut header = String::new();
        socket.read_line(&mut header).await.ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    socket.read_exact(&mut body).await.ok()?;
    Some(Seen {
        connection,
        line: line.trim_end().to_owned(),
        headers,
        body: String::from_utf8(body).unwrap(),
    })
}

fn answer(status: &str, headers: &str, body: &str) -> Option<String> {
    let len = body.len();
    Some(format!(
        "HTTP/1.1 {status}\r\nContent-Length: {len}\r\n{headers}\r\n{body}"
    ))
}

fn trusting(roots: RootCertStore) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    versions
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

fn message() -> Message {
    Message {
        number: "15550000001".into(),
        code: "31415".into(),
        text: "Your \"Havre\" code is 31415 ✓".into(),
    }
}

/// HMAC as RFC 2104 defines it, so that the signature is not checked by the library that made it.
fn hmac_sha256(key: &[u8], text: &[u8]) -> String {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let padded = |pad: u8| block.map(|byte| byte ^ pad);
    let inner = Sha256::new()
        .chain_update(padded(0x36))
        .chain_update(text)
        .finalize();
    let outer = Sha256::new()
        .chain_update(padded(0x5c))
        .chain_update(inner)
        .finalize();
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_check_of_signatures_agrees_with_rfc_4231() {
    let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    assert_eq!(hmac_sha256(b"Jefe", b"what do ya want for nothing?"), expected);
}

#[tokio::test]
async fn a_message_is_posted_as_json_and_signed() {
    let server = Server::start(answer("204 No Content", "", "")).await;
    server.webhook().deliver(&message()).await.unwrap();
    let seen = server.seen().pop().unwrap();
    assert_eq!(seen.line, "POST /codes?to=sms HTTP/1.1");
    assert_eq!(seen.headers["content-type"], "application/json");
    let body: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
    let message = message();
    let expected = serde_json::json!({"number": message.number, "code": message.code, "text": message.text});
    assert_eq!(body, expected);
    let timestamp = &seen.headers["havre-timestamp"];
    let signed = format!("{timestamp}.{}", seen.body);
    let expected = format!("v1={}", hmac_sha256(SECRET.as_bytes(), signed.as_bytes()));
    assert_eq!(seen.headers["havre-signature"], expected);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    assert!(now.as_secs().abs_diff(timestamp.parse().unwrap()) < 10);
}

#[tokio::test]
async fn what_each_status_means() {
    let slower = |seconds| {
        Err(Failure::Slower {
            retry_after: Option::map(seconds, Duration::from_secs),
        })
    };
    let meanings = [
        ("200 OK", "", Ok(())),
        ("202 Accepted", "", Ok(())),
        ("400 Bad Request", "", Err(Failure::Refused)),
        ("404 Not Found", "Retry-After: 7\r\n", Err(Failure::Refused)),
        ("429 Too Many Requests", "", slower(None)),
        ("429 Too Many Requests", "Retry-After: 7\r\n", slower(Some(7))),
        ("429 Too Many Requests", "Retry-After: soon\r\n", slower(None)),
        ("500 Internal Server Error", "", Err(Failure::Down)),
        ("503 Service Unavailable", "", Err(Failure::Down)),
    ];
    for (status, headers, meaning) in meanings {
        let server = Server::start(answer(status, headers, "")).await;
        let outcome = server.webhook().deliver(&message()).await;
        assert_eq!(outcome, meaning, "{status} {headers}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Server::start(answer("200 OK", "", "")).await;
    for status in [
        "301 Moved Permanently",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        let location = format!("Location: http://{}/\r\n", elsewhere.address);
        let server = Server::start(answer(status, &location, "")).await;
        let outcome = server.webhook().deliver(&message()).await;
        assert_eq!(outcome, Err(Failure::Down), "{status}");
        assert_eq!(server.seen().len(), 1);
    }
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn silence_and_nobody_there_are_down_in_time() {
    let started = Instant::now();
    let silent = Server::start(None).await;
    assert_eq!(silent.webhook().deliver(&message()).await, Err(Failure::Down));
    assert!(started.elapsed() >= ANSWER_MAX);
    let slow_body = Some("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc".to_owned());
    let half = Server::start(slow_body).await;
    assert_eq!(half.webhook().deliver(&message()).await, Err(Failure::Down));
    let nonsense = Server::start(Some("220 mail.example ESMTP\r\n".to_owned())).await;
    assert_eq!(nonsense.webhook().deliver(&message()).await, Err(Failure::Down));
    let nobody = Server {
        address: "localhost:1".into(),
        ..nonsense
    };
    assert_eq!(nobody.webhook().deliver(&message()).await, Err(Failure::Down));
    assert!(started.elapsed() < ANSWER_MAX * 4);
}

#[tokio::test]
async fn a_connection_is_used_again_unless_its_answer_is_far_too_long() {
    for (body_len, connections) in [(10, 1), (ANSWER_LEN_MAX, 1), (64 << 20, 2)] {
        let server = Server::start(answer("200 OK", "", &"x".repeat(body_len))).await;
        let webhook = server.webhook();
        webhook.deliver(&message()).await.unwrap();
        webhook.deliver(&message()).await.unwrap();
        let used = server.seen().iter().map(|seen| seen.connection).max().unwrap() + 1;
        assert_eq!(used, connections, "{body_len}");
    }
}

#[tokio::test]
async fn https_only_with_a_certificate_that_somebody_vouches_for() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let server = Server::start_over(answer("200 OK", "", ""), Some(acceptor)).await;
    let url = format!("https://{}/", server.address);
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let trusted = Webhook::new(&url, SECRET, trusting(roots)).unwrap();
    assert_eq!(trusted.deliver(&message()).await, Ok(()));
    let system = Webhook::new(&url, SECRET, tls::towards(&url).unwrap()).unwrap();
    assert_eq!(system.deliver(&message()).await, Err(Failure::Down));
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn what_cannot_be_posted_to_or_guessed_is_refused() {
    let refusal = |url: &str, secret: &str| Webhook::new(url, secret, trusting(RootCertStore::empty())).err();
    for url in [
        "",
        "/codes",
        "example.org/codes",
        "ftp://example.org/",
        "https://",
        "https://somebody:secret@example.org/",
    ] {
        assert_eq!(refusal(url, SECRET), Some(Unusable::Url), "{url}");
    }
    assert_eq!(refusal("https://example.org", "short"), Some(Unusable::Secret));
    assert_eq!(refusal("https://example.org", SECRET), None);
}
