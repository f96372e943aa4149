//! SMPP against a message centre that others wrote: node-smpp, in a process of its own.
//!
//! `scripts/install-clients.sh centre` installs it; `HAVRE_TEST_SMPP=skip` leaves these tests out.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panic")]

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use havre_codes::provider::{Failure, Message, Provider as _};
use havre_codes::smpp::{Account, Smpp, Unusable, WINDOW};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

const SLOWER: Failure = Failure::Slower { retry_after: None };
/// Shorter than the production ones, so that the tests do not wait.
const ANSWER_MAX: Duration = Duration::from_millis(500);
const BEAT: Duration = Duration::from_millis(300);

/// The message centre.
struct Centre {
    port: u16,
    events: Lines<BufReader<ChildStdout>>,
    commands: ChildStdin,
    _process: Child,
}

impl Centre {
    /// `None` where these tests are left out.
    async fn start(arguments: &[String]) -> Option<Self> {
        if std::env::var_os("HAVRE_TEST_SMPP").is_some_and(|value| value == "skip") {
            eprintln!("left out: HAVRE_TEST_SMPP=skip");
            return None;
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/centre");
        assert!(
            folder.join("node_modules/smpp").exists(),
            "node-smpp is not installed: run scripts/install-clients.sh centre, or set HAVRE_TEST_SMPP=skip"
        );
        let mut process = Command::new("node")
            .arg(folder.join("centre.js"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut centre = Self {
            port: 0,
            events: BufReader::new(process.stdout.take().unwrap()).lines(),
            commands: process.stdin.take().unwrap(),
            _process: process,
        };
        let port = centre.event("listening").await["port"].as_u64().unwrap();
        centre.port = u16::try_from(port).unwrap();
        Some(centre)
    }

    /// The next event of that name; others before it are passed over.
    async fn event(&mut self, name: &str) -> Value {
        let found = async {
            loop {
                let line = self.events.next_line().await.unwrap().unwrap();
                let event: Value = serde_json::from_str(&line).unwrap();
                if event["event"] == name {
                    return event;
                }
            }
        };
        let found = tokio::time::timeout(Duration::from_secs(10), found).await;
        found.unwrap_or_else(|_| panic!("no {name} came"))
    }

    async fn command(&mut self, command: &str) {
        self.commands
            .write_all(format!("{command}\n").as_bytes())
            .await
            .unwrap();
        self.event("done").await;
    }

    fn smpp(&self) -> Smpp {
        self.smpp_as("secret", "Havre")
    }

    fn smpp_as(&self, password: &str, from: &str) -> Smpp {
        let account = Account {
            host: &format!("127.0.0.1:{}", self.port),
            system_id: "havre",
            password,
            from,
        };
        let smpp = Smpp::new(account, trusting(RootCertStore::empty())).unwrap();
        smpp.with_times(ANSWER_MAX, BEAT)
    }
}

fn trusting(roots: RootCertStore) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    versions
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

fn message(number: &str, text: &str) -> Message {
    Message {
        number: number.into(),
        code: "31415".into(),
        text: text.into(),
    }
}

fn to(number: &str) -> Message {
    message(number, "Your code is 31415")
}

#[tokio::test]
async fn a_message_arrives_as_it_was_written() {
    let Some(mut centre) = Centre::start(&[]).await else {
        return;
    };
    let smpp = centre.smpp();
    let texts = [
        ("Your [Havre] code is 31415, worth 1 €", 0),
        ("Ваш код 31415 😀", 8),
    ];
    for (index, (text, data_coding)) in texts.into_iter().enumerate() {
        assert_eq!(smpp.deliver(&message("15550000001", text)).await, Ok(()));
        if index == 0 {
            let bind = centre.event("bind").await;
            assert_eq!(
                (&bind["system_id"], &bind["version"]),
                (&"havre".into(), &0x34.into())
            );
        }
        let submit = centre.event("submit").await;
        let expected = serde_json::json!({
            "event": "submit", "source": "Havre", "source_ton": 5, "destination": "15550000001",
            "destination_ton": 1, "data_coding": data_coding, "text": text,
        });
        assert_eq!(submit, expected);
    }
    drop(smpp);
    centre.event("unbind").await;
}

/// The whole GSM alphabet, read by somebody else's table.
#[tokio::test]
async fn every_character_of_the_gsm_alphabet_arrives() {
    let Some(mut centre) = Centre::start(&[]).await else {
        return;
    };
    let smpp = centre.smpp();
    let letters: String = ('A'..='Z').chain('a'..='z').chain('0'..='9').collect();
    for text in [
        letters.as_str(),
        "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ",
        " !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà",
        "^{}\\[~]|€\u{c}",
    ] {
        smpp.deliver(&message("15550000001", text)).await.unwrap();
        let submit = centre.event("submit").await;
        assert_eq!(
            (&submit["text"], &submit["data_coding"]),
            (&text.into(), &0.into())
        );
    }
}

#[tokio::test]
async fn the_sender_may_be_a_number() {
    let Some(mut centre) = Centre::start(&[]).await else {
        return;
    };
    for (from, ton) in [("12345", 3), ("15550000009", 1), ("", 0)] {
        centre
            .smpp_as("secret", from)
            .deliver(&to("15550000001"))
            .await
            .unwrap();
        let submit = centre.event("submit").await;
        assert_eq!(
            (&submit["source"], &submit["source_ton"]),
            (&from.into(), &ton.into())
        );
    }
}

#[tokio::test]
async fn what_each_status_means() {
    let Some(centre) = Centre::start(&[]).await else {
        return;
    };
    let smpp = centre.smpp();
    let meanings = [
        ("15550000900", SLOWER),
        ("15550000901", SLOWER),
        ("15550000902", Failure::Refused),
        ("15550000903", Failure::Down),
        ("1555000000100000000000", Failure::Refused),
    ];
    for (number, meaning) in meanings {
        assert_eq!(smpp.deliver(&to(number)).await, Err(meaning), "{number}");
    }
    assert_eq!(smpp.deliver(&to("15550000001")).await, Ok(()));
}

#[tokio::test]
async fn answers_that_come_in_another_order_find_their_messages_and_the_window_is_kept() {
    let Some(mut centre) = Centre::start(&[]).await else {
        return;
    };
    let smpp = Arc::new(
        centre
            .smpp()
            .with_times(Duration::from_secs(5), Duration::from_secs(5)),
    );
    centre.command("mute").await;
    let served = |index: usize| index.is_multiple_of(2);
    let number = move |index: usize| {
        if served(index) {
            "15550000001"
        } else {
            "15550000902"
        }
    };
    let deliveries: Vec<_> = (0..WINDOW + 2)
        .map(|index| {
            let smpp = Arc::clone(&smpp);
            tokio::spawn(async move { smpp.deliver(&to(number(index))).await })
        })
        .collect();
    for _ in 0..WINDOW {
        centre.event("submit").await;
    }
    let one_more = tokio::time::timeout(ANSWER_MAX, centre.events.next_line()).await;
    assert!(one_more.is_err(), "more than the window: {one_more:?}");
    centre.command("unmute").await;
    centre.command("release").await;
    for (index, delivery) in deliveries.into_iter().enumerate() {
        let expected = if served(index) {
            Ok(())
        } else {
            Err(Failure::Refused)
        };
        assert_eq!(delivery.await.unwrap(), expected, "{index}");
    }
}

#[tokio::test]
async fn a_lost_connection_is_made_anew() {
    let Some(mut centre) = Centre::start(&[]).await else {
        return;
    };
    let smpp = centre.smpp();
    for loss in ["drop", "unbind"] {
        assert_eq!(smpp.deliver(&to("15550000001")).await, Ok(()));
        centre.event("bind").await;
        centre.command(loss).await;
        centre.event("closed").await;
        // A connection that did not last is not made anew at once.
        assert_eq!(
            smpp.deliver(&to("15550000001")).await,
            Err(Failure::Down),
            "{loss}"
        );
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(smpp.deliver(&to("15550000001")).await, Ok(()));
}

#[tokio::test]
async fn a_loss_ends_the_wait_for_answers() {
    let Some(mut centre) = Centre::start(&[]).await else {
        return;
    };
    let smpp = Arc::new(
        centre
            .smpp()
            .with_times(Duration::from_secs(60), Duration::from_secs(60)),
    );
    centre.command("mute").await;
    let waiting = Arc::clone(&smpp);
    let delivery = tokio::spawn(async move { waiting.deliver(&to("15550000001")).await });
    centre.event("submit").await;
    centre.command("drop").await;
    let outcome = tokio::time::timeout(Duration::from_secs(5), delivery).await;
    assert_eq!(outcome.unwrap().unwrap(), Err(Failure::Down));
}

#[tokio::test]
async fn signs_of_life_go_both_ways_and_silence_ends_the_connection() {
    let Some(mut centre) = Centre::start(&[]).await else {
        return;
    };
    let smpp = centre.smpp();
    smpp.deliver(&to("15550000001")).await.unwrap();
    for _ in 0..3 {
        centre.event("enquire_link").await;
    }
    centre.command("enquire").await;
    centre.event("alive").await;
    centre.command("mute").await;
    let started = Instant::now();
    assert_eq!(smpp.deliver(&to("15550000001")).await, Err(Failure::Down));
    centre.event("closed").await;
    assert!(started.elapsed() < BEAT * 6, "{:?}", started.elapsed());
    centre.command("unmute").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(smpp.deliver(&to("15550000001")).await, Ok(()));
}

#[tokio::test]
async fn a_wrong_password_and_nobody_there_are_down_and_not_tried_at_once_again() {
    let Some(mut centre) = Centre::start(&[]).await else {
        return;
    };
    let smpp = centre.smpp_as("wrong", "");
    for _ in 0..3 {
        assert_eq!(smpp.deliver(&to("15550000001")).await, Err(Failure::Down));
    }
    centre.event("bind").await;
    let again = tokio::time::timeout(ANSWER_MAX, centre.event("bind")).await;
    assert!(again.is_err(), "bound again at once");
    centre.port = 1;
    assert_eq!(
        centre.smpp().deliver(&to("15550000001")).await,
        Err(Failure::Down)
    );
}

#[tokio::test]
async fn tls_only_with_a_certificate_that_somebody_vouches_for() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
    let arguments = [hex(made.cert.der()), hex(&made.signing_key.serialize_der())];
    let Some(centre) = Centre::start(&arguments).await else {
        return;
    };
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let account = Account {
        host: &format!("smpps://localhost:{}", centre.port),
        system_id: "havre",
        password: "secret",
        from: "",
    };
    let stranger = Smpp::new(account, trusting(RootCertStore::empty())).unwrap();
    assert_eq!(stranger.deliver(&to("15550000001")).await, Err(Failure::Down));
    let trusted = Smpp::new(account, trusting(roots)).unwrap();
    assert_eq!(trusted.deliver(&to("15550000001")).await, Ok(()));
}

#[tokio::test]
async fn accounts_that_cannot_be_are_refused() {
    let account = Account {
        host: "smsc.example.org",
        system_id: "havre",
        password: "secret",
        from: "Havre",
    };
    let refusal = |account: Account<'_>| Smpp::new(account, trusting(RootCertStore::empty())).err();
    assert_eq!(refusal(account), None);
    for host in ["", "host:", "host:port", "smpps://", "http://example.org"] {
        assert_eq!(
            refusal(Account { host, ..account }),
            Some(Unusable::Host),
            "{host}"
        );
    }
    for system_id in ["", "sixteen letters.", "é"] {
        assert_eq!(
            refusal(Account { system_id, ..account }),
            Some(Unusable::SystemId)
        );
    }
    let password = "nine char";
    assert_eq!(refusal(Account { password, ..account }), Some(Unusable::Password));
    for from in ["twelve chars", "1234567890123456", "é"] {
        assert_eq!(
            refusal(Account { from, ..account }),
            Some(Unusable::From),
            "{from}"
        );
    }
}
