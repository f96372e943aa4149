//! The exchange: runs the switchboard on tokio's clock and the providers' connections.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::provider::{Failure, Message, Provider};
use crate::switchboard::{Class, Health, Start, Switchboard, Terms, Ticket, Totals, Unsendable};

/// How long a provider may take over one delivery; it then counts as down.
pub const DELIVERY_MAX: Duration = Duration::from_secs(30);

/// A provider and what the operator says about it.
pub struct Line {
    /// The way out.
    pub provider: Arc<dyn Provider>,
    /// Its numbers and bounds.
    pub terms: Terms,
}

/// How a provider is doing, for an operator.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderStatus {
    /// What the operator calls it.
    pub name: String,
    /// The figures.
    pub health: Health,
}

/// Takes codes from the server and sees to it that they are delivered. Dropping it gives up what is waiting.
pub struct Exchange {
    inner: Arc<Inner>,
    driver: JoinHandle<()>,
}

struct Inner {
    state: Mutex<State>,
    /// Something has happened that may let a delivery start.
    changed: Notify,
    providers: Vec<Arc<dyn Provider>>,
    origin: Instant,
}

struct State {
    switchboard: Switchboard,
    /// Jitter.
    chance: ChaCha8Rng,
}

impl Exchange {
    /// Starts an exchange before `lines`, the preferred ones first; `seed` gives the jitter of retries. Needs
    /// a tokio runtime.
    pub fn start(lines: Vec<Line>, seed: [u8; 32]) -> Self {
        let (providers, terms): (Vec<_>, Vec<_>) =
            lines.into_iter().map(|line| (line.provider, line.terms)).unzip();
        let state = State {
            switchboard: Switchboard::new(terms),
            chance: ChaCha8Rng::from_seed(seed),
        };
        let inner = Arc::new(Inner {
            state: Mutex::new(state),
            changed: Notify::new(),
            providers,
            origin: Instant::now(),
        });
        let driver = tokio::spawn(Arc::clone(&inner).drive());
        Self { inner, driver }
    }

    /// Takes a message; returns at once.
    ///
    /// # Errors
    /// When too many wait already, or nobody serves the number.
    pub fn send(&self, message: Message, class: Class) -> Result<(), Unsendable> {
        let now = self.inner.now();
        self.inner
            .state()
            .switchboard
            .handle_message(message, class, now)?;
        self.inner.changed.notify_one();
        Ok(())
    }

    /// Codes a second that healthy providers can deliver now: to `number` (digits), or, without one, to
    /// anybody at all.
    pub fn rate(&self, number: Option<&str>) -> f64 {
        self.inner.state().switchboard.rate(number, self.inner.now())
    }

    /// Whether any provider is for this number, working or not.
    pub fn serves(&self, number: &str) -> bool {
        self.inner.state().switchboard.serves(number)
    }

    /// How each provider is doing, in the order of preference.
    pub fn status(&self) -> Vec<ProviderStatus> {
        let health = self.inner.state().switchboard.health(self.inner.now());
        let named = self.inner.providers.iter().zip(health);
        named
            .map(|(provider, health)| ProviderStatus {
                name: provider.name().to_owned(),
                health,
            })
            .collect()
    }

    /// What became of the messages so far.
    pub fn totals(&self) -> Totals {
        self.inner.state().switchboard.totals()
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").finish_non_exhaustive()
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Inner {
    /// No call of the switchboard leaves it half changed.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    async fn drive(self: Arc<Self>) {
        loop {
            while let Some(start) = self.next_start() {
                tokio::spawn(Arc::clone(&self).deliver(start));
            }
            let timeout = self.state().switchboard.poll_timeout();
            let timeout = async {
                match timeout {
                    Some(at) => tokio::time::sleep_until(self.origin + at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.changed.notified() => {}
                () = timeout => {}
            }
        }
    }

    /// In a function of its own, so that the lock is not held while the delivery starts.
    fn next_start(&self) -> Option<Start> {
        self.state().switchboard.poll_start(self.now())
    }

    async fn deliver(self: Arc<Self>, start: Start) {
        let mut report = Report {
            inner: Arc::clone(&self),
            ticket: start.ticket,
            provider: start.provider,
            outcome: Err(Failure::Down),
        };
        let delivery = self.providers[start.provider].deliver(&start.message);
        if let Ok(outcome) = tokio::time::timeout(DELIVERY_MAX, delivery).await {
            report.outcome = outcome;
        }
    }

    fn handle_outcome(&self, report: &Report) {
        let now = self.now();
        let (before, after) = {
            let mut state = self.state();
            let jitter = f64::from(state.chance.next_u32()) / (f64::from(u32::MAX) + 1.0);
            let before = state.switchboard.health(now)[report.provider].healthy;
            state
                .switchboard
                .handle_outcome(report.ticket, report.outcome, now, jitter);
            (before, state.switchboard.health(now)[report.provider].healthy)
        };
        self.changed.notify_one();
        let name = self.providers[report.provider].name();
        match (before, after) {
            (true, false) => tracing::warn!(provider = name, "login codes: a provider is down"),
            (false, true) => tracing::info!(provider = name, "login codes: a provider is back"),
            _ => {}
        }
    }
}

/// Reports the outcome of a delivery when it goes, even by a panic of the provider.
struct Report {
    inner: Arc<Inner>,
    ticket: Ticket,
    provider: usize,
    outcome: Result<(), Failure>,
}

impl Drop for Report {
    fn drop(&mut self) {
        self.inner.handle_outcome(self);
    }
}
