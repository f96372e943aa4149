//! Which message goes to which provider, and when: a state machine without clock, entropy or I/O.
//!
//! The caller hands in what happens (`handle_*`), takes what shall be done (`poll_start`) until there is
//! nothing, and calls again at `poll_timeout`. Times are since an origin that the caller chooses once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::circuit::Circuit;
use crate::pace::Pace;
use crate::provider::{Failure, Message};
use crate::route::{Countries, route};

/// Messages of one class that wait at most. Each class has its own queue, so that a crowd of sign-ups leaves
/// room for log-ins.
pub const QUEUE_LEN_MAX: usize = 2048;
/// How long a message is tried. A code lives 300 seconds; one that comes later than this finds its reader
/// asking for another.
pub const LIFETIME: Duration = Duration::from_secs(120);
/// How often all providers of a number are tried in turn.
pub const ROUNDS_MAX: u32 = 4;
/// How long a message rests after the first round that failed; doubles with each round.
pub const REST_MIN: Duration = Duration::from_secs(2);
/// What a provider that has been down is said to take, in codes a second, when it may be probed: somebody
/// has to be let in to find out.
pub const PROBE_RATE: f64 = 1.0;

/// Who waits for a code. In the order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Somebody who has an account.
    LogIn,
    /// Somebody new.
    SignUp,
}

/// What the operator says about a provider.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The numbers it is for.
    pub countries: Countries,
    /// Codes a second at most.
    pub rate_max: f64,
    /// Codes at most that it has been given and has not answered for; at least 1.
    pub in_flight_max: usize,
}

/// Why a message was not taken. Nothing is kept of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsendable {
    /// Too many wait already: come back later.
    Full,
    /// No provider serves this number.
    NotServed,
}

/// Names a message while it is here; grows with each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u64);

/// A delivery to start.
#[derive(Clone, Debug)]
pub struct Start {
    /// To be named with its outcome.
    pub ticket: Ticket,
    /// Which provider, as an index into the list that the switchboard was made from.
    pub provider: usize,
    /// What to deliver.
    pub message: Arc<Message>,
}

/// What became of the messages that were taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Messages taken.
    pub accepted: u64,
    /// Delivered by some provider.
    pub delivered: u64,
    /// Refused by every provider that serves the number.
    pub refused: u64,
    /// Given up.
    pub lost: u64,
}

/// How a provider is doing, for an operator.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Health {
    /// It is in use.
    pub healthy: bool,
    /// Codes a second that it takes now, as far as known.
    pub rate: f64,
    /// Codes that it has not answered for yet.
    pub in_flight: usize,
    /// Codes delivered.
    pub delivered: u64,
    /// Codes refused.
    pub refused: u64,
    /// Codes that it did not deliver for other reasons; another may have.
    pub failed: u64,
    /// What went wrong last.
    pub last_failure: Option<Failure>,
}

/// The state machine.
#[derive(Debug)]
pub struct Switchboard {
    lines: Vec<Line>,
    /// By class; within one by ticket, that is by age.
    waiting: [BTreeMap<Ticket, Job>; 2],
    in_flight: BTreeMap<Ticket, Flight>,
    next: Ticket,
    totals: Totals,
}

/// One provider, as seen from here.
#[derive(Debug)]
struct Line {
    terms: Terms,
    circuit: Circuit,
    pace: Pace,
    /// Smoothed time to an answer, once one is known.
    latency: Option<Duration>,
    health: Health,
}

/// A message on its way through.
#[derive(Debug)]
struct Job {
    message: Arc<Message>,
    class: Class,
    accepted_at: Duration,
    /// Providers that serve the number and have not refused it, the first to ask in front.
    route: Vec<usize>,
    /// Those of `route` that were down in this round.
    tried: Vec<usize>,
    round: u32,
    rests_until: Duration,
}

#[derive(Debug)]
struct Flight {
    job: Job,
    provider: usize,
    started: Duration,
    probe: bool,
}

impl Switchboard {
    /// A switchboard before `providers`, the preferred ones first.
    pub fn new(providers: impl IntoIterator<Item = Terms>) -> Self {
        Self {
            lines: providers.into_iter().map(Line::new).collect(),
            waiting: Default::default(),
            in_flight: BTreeMap::new(),
            next: Ticket(0),
            totals: Totals::default(),
        }
    }

    /// Takes a message, or says why not.
    pub fn handle_message(
        &mut self,
        message: Message,
        class: Class,
        now: Duration,
    ) -> Result<Ticket, Unsendable> {
        let countries = self.lines.iter().map(|line| &line.terms.countries);
        let route = route(countries, &message.number);
        if route.is_empty() {
            return Err(Unsendable::NotServed);
        }
        let queue = &mut self.waiting[class as usize];
        if queue.len() >= QUEUE_LEN_MAX {
            return Err(Unsendable::Full);
        }
        let ticket = self.next;
        self.next = Ticket(ticket.0 + 1);
        queue.insert(ticket, Job::new(message, class, route, now));
        self.totals.accepted += 1;
        Ok(ticket)
    }

    /// The next delivery to start, if one can start now.
    pub fn poll_start(&mut self, now: Duration) -> Option<Start> {
        self.expire(now);
        if self.waiting.iter().all(BTreeMap::is_empty) {
            return None;
        }
        let ready: Vec<bool> = (self.lines.iter_mut().map(|line| line.is_ready(now))).collect();
        if !ready.contains(&true) {
            return None;
        }
        let (class, ticket, provider) = self.choose(&ready, now)?;
        let job = self.waiting[class].remove(&ticket)?;
        let message = Arc::clone(&job.message);
        let probe = self.lines[provider].handle_start(now);
        let flight = Flight {
            job,
            provider,
            started: now,
            probe,
        };
        self.in_flight.insert(ticket, flight);
        Some(Start {
            ticket,
            provider,
            message,
        })
    }

    /// The first message, log-ins before sign-ups and old before new, that one of the ready providers serves.
    fn choose(&self, ready: &[bool], now: Duration) -> Option<(usize, Ticket, usize)> {
        for (class, queue) in self.waiting.iter().enumerate() {
            for (ticket, job) in queue {
                let provider = job.left().find(|&provider| ready[provider]);
                if let Some(provider) = provider.filter(|_| job.rests_until <= now) {
                    return Some((class, *ticket, provider));
                }
            }
        }
        None
    }

    /// A delivery has ended. `jitter`, from 0 to 1, spreads retries.
    pub fn handle_outcome(
        &mut self,
        ticket: Ticket,
        outcome: Result<(), Failure>,
        now: Duration,
        jitter: f64,
    ) {
        let Some(flight) = self.in_flight.remove(&ticket) else {
            debug_assert!(false, "a delivery ends once");
            return;
        };
        self.lines[flight.provider].handle_outcome(&flight, outcome, now, jitter);
        let (mut job, provider) = (flight.job, flight.provider);
        match outcome {
            Ok(()) => self.totals.delivered += 1,
            Err(Failure::Refused) => {
                job.route.retain(|&other| other != provider);
                job.tried.retain(|&other| other != provider);
                self.requeue(ticket, job, now, jitter);
            }
            Err(Failure::Slower { .. }) => self.requeue(ticket, job, now, jitter),
            Err(Failure::Down) => {
                job.tried.push(provider);
                self.requeue(ticket, job, now, jitter);
            }
        }
    }

    /// A message that was not delivered: refused by all, lost, or waiting once more.
    fn requeue(&mut self, ticket: Ticket, mut job: Job, now: Duration, jitter: f64) {
        if job.route.is_empty() {
            self.totals.refused += 1;
            return;
        }
        if job.left().next().is_none() {
            job.next_round(now, jitter);
        }
        if job.round >= ROUNDS_MAX || job.expires_at() <= now {
            self.totals.lost += 1;
            return;
        }
        // It may make its class one longer than the bound for each delivery in flight, which are bounded too.
        self.waiting[job.class as usize].insert(ticket, job);
    }

    /// Gives up what has waited too long.
    fn expire(&mut self, now: Duration) {
        for queue in &mut self.waiting {
            while let Some(oldest) = queue.first_entry()
                && oldest.get().expires_at() <= now
            {
                oldest.remove();
                self.totals.lost += 1;
            }
        }
    }

    /// When `poll_start` should be called again if nothing happens before; `None` when only an outcome or a
    /// new message can change anything. Later than `now` once `poll_start` has nothing more.
    pub fn poll_timeout(&self) -> Option<Duration> {
        let ready_at: Vec<Option<Duration>> = self.lines.iter().map(Line::ready_at).collect();
        let jobs = self.waiting.iter().flat_map(BTreeMap::values);
        jobs.map(|job| {
            let soonest = job.left().filter_map(|provider| ready_at[provider]).min();
            let expires_at = job.expires_at();
            soonest.map_or(expires_at, |at| at.max(job.rests_until).min(expires_at))
        })
        .min()
    }

    /// Codes a second that can be delivered now: to `number`, or, without one, to anybody at all.
    pub fn rate(&self, number: Option<&str>, now: Duration) -> f64 {
        let serves = |line: &&Line| number.is_none_or(|n| line.terms.countries.matched_len(n).is_some());
        self.lines.iter().filter(serves).map(|line| line.rate(now)).sum()
    }

    /// Whether any provider is for this number, working or not.
    pub fn serves(&self, number: &str) -> bool {
        let serves = |line: &Line| line.terms.countries.matched_len(number).is_some();
        self.lines.iter().any(serves)
    }

    /// How each provider is doing, in the order of preference.
    pub fn health(&self, now: Duration) -> Vec<Health> {
        self.lines.iter().map(|line| line.health(now)).collect()
    }

    /// What became of the messages so far.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Messages that wait, of one class.
    pub fn waiting_len(&self, class: Class) -> usize {
        self.waiting[class as usize].len()
    }
}

impl Line {
    fn new(terms: Terms) -> Self {
        Self {
            circuit: Circuit::default(),
            pace: Pace::new(terms.rate_max),
            latency: None,
            health: Health::default(),
            terms,
        }
    }

    /// Whether a delivery can start now. Is asked on behalf of messages that wait, so one that cannot start
    /// shows that more is wanted.
    fn is_ready(&mut self, now: Duration) -> bool {
        if self.circuit.is_closed() && self.pace.ready_at() > now {
            self.pace.handle_short();
        }
        self.ready_at().is_some_and(|at| at <= now)
    }

    /// From when a delivery may start; `None` while that depends on those that are under way.
    fn ready_at(&self) -> Option<Duration> {
        let free = self.health.in_flight < self.terms.in_flight_max.max(1);
        let circuit = self.circuit.ready_at().filter(|_| free)?;
        Some(circuit.max(self.pace.ready_at()))
    }

    fn handle_start(&mut self, now: Duration) -> bool {
        self.health.in_flight += 1;
        self.pace.handle_start(now);
        self.circuit.handle_start()
    }

    fn handle_outcome(&mut self, flight: &Flight, outcome: Result<(), Failure>, now: Duration, jitter: f64) {
        self.health.in_flight -= 1;
        if outcome == Err(Failure::Down) {
            self.circuit.handle_down(flight.probe, now, jitter);
        } else {
            self.circuit.handle_answer();
        }
        match outcome {
            Ok(()) => {
                self.health.delivered += 1;
                self.pace.handle_success();
                self.handle_latency(now.saturating_sub(flight.started));
            }
            Err(Failure::Refused) => self.health.refused += 1,
            Err(Failure::Slower { retry_after }) => {
                self.health.failed += 1;
                self.pace.handle_slower(flight.started, retry_after, now);
            }
            Err(Failure::Down) => self.health.failed += 1,
        }
        self.health.last_failure = outcome.err().or(self.health.last_failure);
    }

    /// Smooths by an eighth, as round-trip times are in RFC 6298.
    fn handle_latency(&mut self, sample: Duration) {
        let smoothed = self.latency.map_or(sample, |old| (old * 7 + sample) / 8);
        self.latency = Some(smoothed);
    }

    fn rate(&self, now: Duration) -> f64 {
        match self.circuit.ready_at() {
            Some(at) if self.circuit.is_closed() || at <= now => {}
            _ => return 0.0,
        }
        if !self.circuit.is_closed() {
            return PROBE_RATE.min(self.terms.rate_max);
        }
        self.pace.rate(now).min(self.window_rate())
    }

    /// What so many in flight at once amount to when each takes so long (Little's law).
    fn window_rate(&self) -> f64 {
        let latency = self.latency.unwrap_or_default().as_secs_f64();
        let in_flight_max = u32::try_from(self.terms.in_flight_max.max(1)).unwrap_or(u32::MAX);
        f64::from(in_flight_max) / latency
    }

    fn health(&self, now: Duration) -> Health {
        Health {
            healthy: self.circuit.is_closed(),
            rate: self.rate(now),
            ..self.health
        }
    }
}

impl Job {
    fn new(message: Message, class: Class, route: Vec<usize>, now: Duration) -> Self {
        Self {
            message: Arc::new(message),
            class,
            accepted_at: now,
            route,
            tried: Vec::new(),
            round: 0,
            rests_until: Duration::ZERO,
        }
    }

    /// Providers that may still deliver it in this round.
    fn left(&self) -> impl Iterator<Item = usize> {
        let untried = |provider: &usize| !self.tried.contains(provider);
        self.route.iter().copied().filter(untried)
    }

    fn next_round(&mut self, now: Duration, jitter: f64) {
        let rest = REST_MIN.saturating_mul(2_u32.saturating_pow(self.round));
        self.rests_until = now + rest.mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0);
        self.round += 1;
        self.tried.clear();
    }

    fn expires_at(&self) -> Duration {
        self.accepted_at + LIFETIME
    }
}
