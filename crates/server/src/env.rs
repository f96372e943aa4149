//! What the rules are given from outside: the clock, entropy, tasks, and the way of login codes.

use std::io::Write as _;
use std::num::NonZero;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use futures::future::BoxFuture;
use havre_api::dispatch::Env;
use havre_codes::console::Console;
use havre_codes::exchange::{Exchange, Line, ProviderStatus};
use havre_codes::provider::Message;
use havre_codes::route::Countries;
use havre_codes::smpp::{self, Account, Smpp};
use havre_codes::smtp::Smtp;
use havre_codes::switchboard::{self, Terms};
use havre_codes::tls;
use havre_codes::webhook::Webhook;
use havre_domain::ids::Time;
use havre_domain::waiting_room::Class;
use havre_mtproto::time::Millis;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::config::{CodeProvider, Prefixes, Secret, Settings};

/// Codes that a provider without a bound of its own has at most in its hands.
const IN_FLIGHT_MAX: usize = 64;
/// Connections to a mail server at once: one for each code.
pub const MAILS_MAX: usize = 8;

/// The real outside.
#[derive(Debug)]
pub struct System {
    runtime: Handle,
    codes: Exchange,
    mail: Option<Exchange>,
    /// As much long work at a time as there are processors: each may hold a large picture in memory.
    turns: Arc<Semaphore>,
    started: Instant,
}

impl System {
    /// Runs tasks on `runtime` and sends codes by `codes`.
    pub fn new(runtime: Handle, codes: Exchange) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            runtime,
            codes,
            mail: None,
            turns: Arc::new(Semaphore::new(processors)),
            started: Instant::now(),
        }
    }
}

impl System {
    /// Sends codes by `mail` to people's addresses, if there is any.
    #[must_use]
    pub fn with_mail(self, mail: Option<Exchange>) -> Self {
        Self { mail, ..self }
    }

    /// How the providers of login codes are doing, one a line: those for telephone numbers in the order of
    /// preference, then the one for e-mail addresses.
    pub fn providers(&self) -> String {
        let mail = self.mail.iter().flat_map(Exchange::status);
        let all = self.codes.status().into_iter().chain(mail);
        all.map(described).collect::<Vec<_>>().join("\n")
    }
}

fn described(status: ProviderStatus) -> String {
    let (name, health) = (status.name, status.health);
    let state = if health.healthy { "works" } else { "rests" };
    let failure = health.last_failure.map_or(String::new(), |failure| {
        format!("; last failure: {}", failure.word())
    });
    format!(
        "codes        {name} {state}: {:.1}/s, {} delivered, {} refused, {} failed, {} on their way{failure}",
        health.rate, health.delivered, health.refused, health.failed, health.in_flight
    )
}

impl Env for System {
    fn now(&self) -> Time {
        Time(i64::try_from(since_epoch().as_secs()).unwrap_or(i64::MAX))
    }

    fn seed(&self) -> [u8; 32] {
        entropy()
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.runtime.spawn(task);
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(time))
    }

    fn compute(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        let (runtime, turns) = (self.runtime.clone(), Arc::clone(&self.turns));
        Box::pin(async move {
            // The semaphore is never closed.
            let _turn = turns.acquire().await;
            // What a panic leaves without a result, whoever asked sees as such.
            let _ = runtime.spawn_blocking(work).await;
        })
    }

    fn has_mail(&self) -> bool {
        self.mail.is_some()
    }

    fn send_mail(&self, to: &str, code: &str) {
        let message = Message {
            number: to.to_owned(),
            code: code.to_owned(),
            text: String::new(),
        };
        let Some(mail) = &self.mail else { return };
        // Whoever has an address has an account, or has nearly one.
        if let Err(cause) = mail.send(message, switchboard::Class::LogIn) {
            tracing::warn!(?cause, "a login code is not sent by e-mail");
        }
    }

    fn serves(&self, phone: &str) -> bool {
        self.codes.serves(phone)
    }

    fn code_rate(&self) -> f64 {
        self.codes.rate(None)
    }

    fn send_code(&self, phone: &str, code: &str, class: Class) {
        let message = Message {
            number: phone.to_owned(),
            code: code.to_owned(),
            text: format!("Login code: {code}. Do not give it to anyone."),
        };
        let class = match class {
            Class::LogIn => switchboard::Class::LogIn,
            Class::SignUp => switchboard::Class::SignUp,
        };
        if let Err(cause) = self.codes.send(message, class) {
            tracing::warn!(?cause, "a login code is not sent");
        }
    }
}

/// The exchange before the ways of codes that `settings` names. Needs a tokio runtime.
pub fn exchange(settings: &Settings) -> Result<Exchange> {
    let lines: Result<Vec<Line>> = (settings.codes.0.iter())
        .map(|provider| {
            line(*provider, settings).with_context(|| format!("codes = {:?} cannot be used", provider.name()))
        })
        .collect();
    Ok(Exchange::start(lines?, entropy()))
}

/// One way of codes. What it cannot do without has been checked with the settings.
fn line(provider: CodeProvider, settings: &Settings) -> Result<Line> {
    let secret = |secret: &Option<Secret>| secret.as_ref().map_or(String::new(), |secret| secret.0.clone());
    Ok(match provider {
        CodeProvider::Console => Line {
            provider: Arc::new(Console::new(print)),
            terms: Terms {
                countries: Countries::default(),
                rate_max: f64::from(settings.console_rate),
                in_flight_max: IN_FLIGHT_MAX,
            },
        },
        CodeProvider::Webhook => {
            let url = secret(&settings.webhook_url);
            let webhook = Webhook::new(&url, &secret(&settings.webhook_secret), tls::towards(&url)?)?;
            Line {
                provider: Arc::new(webhook),
                terms: terms(&settings.webhook_countries, settings.webhook_rate, IN_FLIGHT_MAX),
            }
        }
        CodeProvider::Smtp => {
            let smtp = Smtp::new(
                &secret(&settings.smtp_url),
                &settings.smtp_from,
                &settings.smtp_to,
            )?;
            Line {
                provider: Arc::new(smtp),
                terms: terms(&settings.smtp_countries, settings.smtp_rate, MAILS_MAX),
            }
        }
        CodeProvider::Smpp => {
            let account = Account {
                host: &settings.smpp_host,
                system_id: &settings.smpp_system_id,
                password: &secret(&settings.smpp_password),
                from: &settings.smpp_from,
            };
            Line {
                provider: Arc::new(Smpp::new(account, tls::towards(account.host)?)?),
                terms: terms(&settings.smpp_countries, settings.smpp_rate, smpp::WINDOW),
            }
        }
    })
}

fn terms(countries: &Prefixes, rate_max: u32, in_flight_max: usize) -> Terms {
    Terms {
        countries: Countries::new(&countries.0),
        rate_max: f64::from(rate_max),
        in_flight_max,
    }
}

/// The operator's console is standard output; the log must not hold phone numbers.
fn print(message: &Message) {
    // Whoever reads it may have gone; `havre code` gives it too.
    let _ = writeln!(
        std::io::stdout(),
        "Login code for +{}: {}",
        message.number,
        message.code
    );
}

/// Time on the wall.
fn since_epoch() -> Duration {
    // Before 1970 only a broken clock stands; it is told as 1970 rather than as a panic.
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Time on the wall as the protocol counts it.
pub fn now() -> Millis {
    Millis(i64::try_from(since_epoch().as_millis()).unwrap_or(i64::MAX))
}

/// Random bytes of the operating system.
pub fn entropy<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Without entropy nothing that a server says could be trusted.
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    const WEBHOOK: [(&str, &str); 2] = [("codes", "webhook"), ("webhook_secret", "0123456789abcdef")];
    const SMTP: [(&str, &str); 4] = [
        ("codes", "smtp,console"),
        ("smtp_url", "smtps://a:b@mail.example.org"),
        ("smtp_from", "havre@example.org"),
        ("smtp_to", "{number}@sms.example.org"),
    ];
    const SMPP: [(&str, &str); 3] = [
        ("codes", "smpp"),
        ("smpp_host", "sms.example.org"),
        ("smpp_system_id", "havre"),
    ];

    fn opened(typed: &[(&str, &str)], more: (&str, &str)) -> Result<Exchange> {
        let typed = typed.iter().chain([&more]);
        let typed = typed.map(|(key, text)| ((*key).to_owned(), (*text).to_owned()));
        exchange(&Settings::load(typed, [], None).unwrap())
    }

    #[tokio::test]
    async fn a_code_goes_the_way_that_the_settings_name() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let codes = opened(&WEBHOOK, ("webhook_url", &url)).unwrap();
        let system = System::new(Handle::current(), codes);
        assert!((system.code_rate() - 20.0).abs() < 1e-9);
        system.send_code("15550000001", "31415", Class::SignUp);
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = String::new();
        while !request.contains('}') {
            let mut bytes = [0; 4096];
            let len = socket.read(&mut bytes).await.unwrap();
            request.push_str(std::str::from_utf8(&bytes[..len]).unwrap());
        }
        assert!(request.contains(r#""number":"15550000001""#), "{request}");
        assert!(request.contains(r#""text":"Login code: 31415."#), "{request}");
        socket
            .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn each_way_keeps_to_its_own_rate_and_countries() {
        let mail = opened(&SMTP, ("smtp_countries", "49")).unwrap();
        assert!((mail.rate(Some("4915550000")) - 1005.0).abs() < 1e-9);
        assert!((mail.rate(Some("15550000001")) - 1000.0).abs() < 1e-9);
        let text = opened(&SMPP, ("smpp_rate", "7")).unwrap();
        assert!((text.rate(None) - 7.0).abs() < 1e-9);
        let names: Vec<_> = mail.status().into_iter().map(|status| status.name).collect();
        assert_eq!(names, ["smtp", "console"]);
    }

    #[tokio::test]
    async fn what_cannot_be_used_is_named_without_the_secret() {
        let refusal = |typed: &[(&str, &str)], more| format!("{:#}", opened(typed, more).unwrap_err());
        for (typed, more, named) in [
            (&WEBHOOK[..], ("webhook_url", "hush-hush"), "webhook's address"),
            (&SMTP[..], ("smtp_url", "smtp://a:hush-hush@b"), "over TLS only"),
            (&SMTP[..], ("smtp_to", "sms@example.org"), "{number}"),
            (&SMPP[..], ("smpp_password", "hush-hush"), "at most 8"),
        ] {
            let text = refusal(typed, more);
            assert!(text.contains(named) && text.contains("cannot be used"), "{text}");
            assert!(!text.contains("hush-hush"), "{text}");
        }
    }
}
