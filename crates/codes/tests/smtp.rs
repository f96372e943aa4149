//! E-mail against a mail server that keeps what it is sent and answers as it is told.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panic")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use havre_codes::provider::{Failure, Message, Provider as _};
use havre_codes::smtp::{Smtp, Unusable};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

const FROM: &str = "Havre <havre@example.org>";
const TO: &str = "{number}@sms.example.org";
const SLOWER: Failure = Failure::Slower { retry_after: None };
/// Shorter than the production one, so that the tests do not wait.
const ANSWER_MAX: Duration = Duration::from_millis(500);

/// Answers one command otherwise than well.
#[derive(Clone, Copy)]
struct Fault {
    /// The first word of the command; empty is the greeting, `.` the end of the text.
    command: &'static str,
    /// What is said to it; nothing at all when empty.
    answer: &'static str,
}

const NO_FAULT: Fault = Fault {
    command: "none",
    answer: "",
};

/// A mail server.
struct Server {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                tokio::spawn(converse(socket, fault, Arc::clone(&log)));
            }
        });
        Self { port, seen }
    }

    fn smtp(&self) -> Smtp {
        let url = format!("smtp://127.0.0.1:{}", self.port);
        Smtp::new(&url, FROM, TO).unwrap().with_answer_max(ANSWER_MAX)
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

/// One connection: every line that comes is kept, and every command answered.
async fn converse(socket: TcpStream, fault: Fault, log: Arc<Mutex<Vec<String>>>) {
    let mut socket = BufReader::new(socket);
    let (mut line, mut in_text) = (String::new(), false);
    loop {
        let command = line.split([' ', ':', '\r']).next().unwrap_or_default().to_owned();
        let well = match command.as_str() {
            "" if !in_text => "220 mail.example.org",
            "EHLO" => "250-mail.example.org\r\n250 8BITMIME",
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            _ => "250 well",
        };
        if !in_text || command == "." {
            let answer = if command == fault.command {
                fault.answer
            } else {
                well
            };
            if !answer.is_empty()
                && socket
                    .write_all(format!("{answer}\r\n").as_bytes())
                    .await
                    .is_err()
            {
                return;
            }
            in_text = command == "DATA" && answer == well;
        }
        line.clear();
        if socket.read_line(&mut line).await.is_ok_and(|len| len == 0) {
            return;
        }
        log.lock().unwrap().push(line.trim_end().to_owned());
    }
}

fn message() -> Message {
    Message {
        number: "15550000001".into(),
        code: "31415".into(),
        text: "Your Havre code is 31415".into(),
    }
}

#[tokio::test]
async fn a_gateway_gets_the_text_at_the_number() {
    let server = Server::start(NO_FAULT).await;
    assert_eq!(server.smtp().deliver(&message()).await, Ok(()));
    let seen = server.seen();
    for line in [
        "MAIL FROM:<havre@example.org>",
        "RCPT TO:<15550000001@sms.example.org>",
        "To: 15550000001@sms.example.org",
        "Subject: Login code",
        "Your Havre code is 31415",
    ] {
        assert!(
            seen.iter().any(|seen| seen.starts_with(line)),
            "{line} in {seen:#?}"
        );
    }
}

#[tokio::test]
async fn somebody_who_logs_in_by_address_gets_the_code_there() {
    let server = Server::start(NO_FAULT).await;
    assert_eq!(server.smtp().email("somebody@example.net", "27182").await, Ok(()));
    let seen = server.seen();
    assert!(
        seen.contains(&"RCPT TO:<somebody@example.net>".to_owned()),
        "{seen:#?}"
    );
    assert!(
        seen.contains(&"Your login code is 27182.".to_owned()),
        "{seen:#?}"
    );
    for address in [
        "",
        "nobody",
        "a@b\r\nRCPT TO:<c@d>",
        "a@example.org, b@example.org",
    ] {
        assert_eq!(
            server.smtp().email(address, "27182").await,
            Err(Failure::Refused),
            "{address:?}"
        );
    }
    assert_eq!(server.seen().len(), seen.len());
}

#[tokio::test]
async fn what_each_answer_means() {
    let meanings = [
        ("", "421 too many connections", SLOWER),
        ("", "554 no mail here", Failure::Refused),
        ("", "nonsense", Failure::Down),
        ("MAIL", "451 4.7.1 slow down", SLOWER),
        ("MAIL", "530 5.7.0 who are you", Failure::Down),
        ("RCPT", "450 4.2.2 the mailbox is full", Failure::Refused),
        ("RCPT", "452 4.3.1 no room", SLOWER),
        ("RCPT", "550 5.1.1 nobody of that name", Failure::Refused),
        ("DATA", "503 what", Failure::Down),
        (".", "421 shutting down", SLOWER),
        (".", "554 5.7.1 not wanted", Failure::Refused),
    ];
    for (command, answer, meaning) in meanings {
        let server = Server::start(Fault { command, answer }).await;
        let outcome = server.smtp().deliver(&message()).await;
        assert_eq!(outcome, Err(meaning), "{answer} to {command:?}");
    }
}

#[tokio::test]
async fn silence_and_nobody_there_are_down_in_time() {
    let started = Instant::now();
    for command in ["", "RCPT", "."] {
        let server = Server::start(Fault { command, answer: "" }).await;
        assert_eq!(server.smtp().deliver(&message()).await, Err(Failure::Down));
    }
    let nobody = Smtp::new("smtp://127.0.0.1:1", FROM, TO).unwrap();
    assert_eq!(nobody.deliver(&message()).await, Err(Failure::Down));
    let elapsed = started.elapsed();
    assert!(
        elapsed >= ANSWER_MAX * 3 && elapsed < ANSWER_MAX * 6,
        "{elapsed:?}"
    );
}

/// A server that does not offer TLS must not be given the message when TLS was asked for.
#[tokio::test]
async fn tls_is_required_when_asked_for() {
    let server = Server::start(NO_FAULT).await;
    let url = format!("smtp://somebody:secret@127.0.0.1:{}?tls=required", server.port);
    let smtp = Smtp::new(&url, FROM, TO).unwrap().with_answer_max(ANSWER_MAX);
    assert_eq!(smtp.deliver(&message()).await, Err(Failure::Down));
    let seen = server.seen();
    assert!(
        !seen
            .iter()
            .any(|line| line.starts_with("MAIL") || line.starts_with("AUTH")),
        "{seen:#?}"
    );
}

#[test]
fn what_cannot_be_sent_with_is_refused() {
    let refusal = |url: &str, from: &str, to: &str| Smtp::new(url, from, to).err();
    assert_eq!(refusal("http://example.org", FROM, TO), Some(Unusable::Url));
    assert_eq!(refusal("smtp://a:b@example.org", FROM, TO), Some(Unusable::Plain));
    assert_eq!(
        refusal("smtp://a:b@example.org?tls=opportunistic", FROM, TO),
        Some(Unusable::Plain)
    );
    assert_eq!(
        refusal("smtps://a:b@example.org", "nobody", TO),
        Some(Unusable::From)
    );
    assert_eq!(
        refusal("smtps://a:b@example.org", FROM, "sms@example.org"),
        Some(Unusable::To)
    );
    assert_eq!(
        refusal("smtps://a:b@example.org", FROM, "{number}"),
        Some(Unusable::To)
    );
    assert_eq!(refusal("smtps://a:b@example.org", FROM, TO), None);
}
