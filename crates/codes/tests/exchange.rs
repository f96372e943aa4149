//! The exchange on a clock that the tests advance: what waits is delivered, what is down is passed over.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panic")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use havre_codes::console::Console;
use havre_codes::exchange::{DELIVERY_MAX, Exchange, Line};
use havre_codes::provider::{Failure, Message, Provider};
use havre_codes::route::Countries;
use havre_codes::switchboard::{Class, LIFETIME, Terms, Unsendable};

fn line(provider: Arc<dyn Provider>, rate_max: f64) -> Line {
    let terms = Terms {
        countries: Countries::default(),
        rate_max,
        in_flight_max: 8,
    };
    Line { provider, terms }
}

fn message(code: &str) -> Message {
    Message {
        number: "15550000001".into(),
        code: code.into(),
        text: format!("Your code is {code}"),
    }
}

/// Does what the script says, then delivers.
#[derive(Default)]
struct Scripted {
    script: Mutex<VecDeque<Step>>,
    delivered: Mutex<Vec<String>>,
}

enum Step {
    Fail(Failure),
    Hang,
    Panic,
}

impl Scripted {
    fn new(script: impl IntoIterator<Item = Step>) -> Arc<Self> {
        let script = Mutex::new(script.into_iter().collect());
        Arc::new(Self {
            script,
            ..Self::default()
        })
    }

    fn delivered(&self) -> Vec<String> {
        self.delivered.lock().unwrap().clone()
    }
}

#[async_trait]
impl Provider for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    async fn deliver(&self, message: &Message) -> Result<(), Failure> {
        let step = self.script.lock().unwrap().pop_front();
        match step {
            None => self.delivered.lock().unwrap().push(message.code.clone()),
            Some(Step::Fail(failure)) => return Err(failure),
            Some(Step::Hang) => std::future::pending().await,
            Some(Step::Panic) => panic!("as planned"),
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_console_prints_at_once() {
    let (sender, mut printed) = tokio::sync::mpsc::unbounded_channel();
    let console = Console::new(move |message: &Message| sender.send(message.code.clone()).unwrap());
    let exchange = Exchange::start(vec![line(Arc::new(console), 1000.0)], [0; 32]);
    exchange.send(message("31415"), Class::SignUp).unwrap();
    assert_eq!(printed.recv().await.unwrap(), "31415");
    assert!((exchange.rate(None) - 1000.0).abs() < 1e-9);
    assert_eq!(exchange.status()[0].name, "console");
}

#[tokio::test(start_paused = true)]
async fn silence_and_panic_count_as_down_and_the_next_provider_delivers() {
    let first = Scripted::new([Step::Hang, Step::Panic, Step::Fail(Failure::Down)]);
    let second = Scripted::new([]);
    let lines = vec![line(first.clone(), 100.0), line(second.clone(), 100.0)];
    let exchange = Exchange::start(lines, [0; 32]);
    for code in ["1", "2", "3"] {
        exchange.send(message(code), Class::LogIn).unwrap();
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(second.delivered(), ["2", "3"]);
    tokio::time::sleep(DELIVERY_MAX).await;
    assert_eq!(second.delivered(), ["2", "3", "1"]);
    let status = exchange.status();
    assert!(!status[0].health.healthy && status[1].health.healthy);
    assert_eq!(
        (status[0].health.failed, status[0].health.last_failure),
        (3, Some(Failure::Down))
    );
    exchange.send(message("4"), Class::LogIn).unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(first.delivered(), ["4"], "the probe found it well");
    assert!(exchange.status()[0].health.healthy);
}

#[tokio::test(start_paused = true)]
async fn a_crowd_leaves_at_the_pace_of_the_provider_and_what_is_too_late_is_lost() {
    let provider = Scripted::new([]);
    let exchange = Exchange::start(vec![line(provider.clone(), 2.0)], [0; 32]);
    for code in 0..400 {
        exchange.send(message(&code.to_string()), Class::SignUp).unwrap();
    }
    exchange.send(message("log-in"), Class::LogIn).unwrap();
    tokio::time::sleep(Duration::from_millis(10_200)).await;
    assert_eq!(provider.delivered()[0], "log-in");
    assert_eq!(provider.delivered().len(), 21);
    tokio::time::sleep(LIFETIME).await;
    let totals = exchange.totals();
    assert_eq!(totals.delivered + totals.lost, totals.accepted);
    assert!((240..=242).contains(&totals.delivered), "{totals:?}");
}

#[tokio::test(start_paused = true)]
async fn a_number_that_nobody_serves_is_refused_at_once() {
    let mut only = line(Scripted::new([]), 2.0);
    only.terms.countries = Countries::new(["49"]);
    let exchange = Exchange::start(vec![only], [0; 32]);
    assert_eq!(
        exchange.send(message("1"), Class::LogIn),
        Err(Unsendable::NotServed)
    );
}
