//! The flood: people who are inside write to each other at a steady rate, and a crowd of newcomers arrives.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use havre_bench::process::Server;
use tokio::time::{Instant, sleep_until};

use crate::house::House;
use crate::newcomers::{self, Arrival, Orders};
use crate::steady::{Account, People, percentile};
use crate::svg::{Chart, Line};

/// What is measured.
#[derive(Clone, Debug, clap::Args)]
pub struct Plan {
    /// People inside; half of them write to the other half.
    #[arg(long, default_value_t = 200)]
    pub people: usize,
    /// Messages a second that they exchange [default: a fifth of what they can].
    #[arg(long)]
    pub rate: Option<f64>,
    /// Newcomers a second [default: 450, about three times what server and clients manage on two cores].
    #[arg(long)]
    pub arrivals: Option<f64>,
    /// Codes a second that the provider delivers.
    #[arg(long, default_value_t = 1000)]
    pub codes: u32,
    /// Seconds in which it is measured how many messages the people inside can exchange.
    #[arg(long, default_value_t = 5.0)]
    pub saturate: f64,
    /// Seconds before and after the flood.
    #[arg(long, default_value_t = 10.0)]
    pub calm: f64,
    /// Seconds of the flood.
    #[arg(long, default_value_t = 30.0)]
    pub flood: f64,
    /// Where the picture goes.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

/// Sign-ups a second of a server and its clients on two shared cores, beside people who write.
const SIGN_UPS: f64 = 150.0;
/// How often memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Seconds for what the flood leaves behind, before what comes after it is measured.
const SETTLE: f64 = 2.0;

/// The server at one instant.
#[derive(Clone, Copy, Debug, Default)]
struct Instantaneous {
    cpu: f64,
    resident: u64,
}

impl Instantaneous {
    fn of(server: &Server) -> Result<Self> {
        Ok(Self {
            cpu: server.cpu()?.as_secs_f64(),
            resident: server.resident()?,
        })
    }
}

/// Everything that was measured.
struct Report {
    rate: f64,
    saturated: f64,
    arrivals_rate: f64,
    plan: Plan,
    account: Account,
    arrivals: Vec<Arrival>,
    /// When the flood began and ended, seconds.
    flood: (f64, f64),
    /// The server at the start, when the flood began, when it ended, at the end.
    server: [Instantaneous; 4],
    most_resident: u64,
}

/// Measures and prints.
pub async fn run(house: House, plan: Plan) -> Result<()> {
    let rate = format!("console_rate={}", plan.codes);
    let server = Arc::new(house.open(&[&rate])?);
    let mut people = People::meet(&server, plan.people / 2).await?;
    let saturated = people.saturate(Duration::from_secs_f64(plan.saturate)).await?;
    let rate = plan.rate.unwrap_or(saturated / 5.0);
    let arrivals_rate = plan.arrivals.unwrap_or(3.0 * SIGN_UPS);
    let orders = Orders {
        address: server.endpoint().address,
        data: server.desk().0,
        rate: arrivals_rate,
        during: plan.flood,
        friends: plan.people,
    };
    let pem = pem_of(&house.havre, &server)?;
    let most = watch_memory(Arc::clone(&server));
    let exchange = people.begin(rate);
    let began: Instant = exchange.began.into();
    let at = |seconds: f64| sleep_until(began + Duration::from_secs_f64(seconds));
    let start = Instantaneous::of(&server)?;
    at(plan.calm).await;
    let before = Instantaneous::of(&server)?;
    let crowd = tokio::task::spawn_blocking(move || newcomers::arrive(&orders, &pem));
    at(plan.calm + plan.flood).await;
    let during = Instantaneous::of(&server)?;
    // Those who wait for their code still come; what comes after them is measured without.
    let arrivals = crowd.await??;
    let calm_again = began.elapsed().as_secs_f64() + SETTLE;
    at(calm_again + plan.calm).await;
    let end = Instantaneous::of(&server)?;
    let report = Report {
        rate,
        saturated,
        arrivals_rate,
        flood: (plan.calm, plan.calm + plan.flood),
        account: exchange.end().await?,
        arrivals,
        server: [start, before, during, end],
        most_resident: most.load(Ordering::Relaxed).max(during.resident),
        plan,
    };
    report.print(calm_again);
    if let Some(path) = &report.plan.svg {
        std::fs::write(path, report.picture()).with_context(|| format!("{}", path.display()))?;
    }
    Ok(())
}

/// The server's public key as its operator reads it.
pub fn pem_of(havre: &PathBuf, server: &Server) -> Result<String> {
    let mut keys = std::process::Command::new(havre);
    let keys = keys.args(["keys", "--pem", "--data"]).arg(server.desk().0);
    Ok(String::from_utf8(keys.output()?.stdout)?)
}

/// Notes the most memory that the server holds, for as long as it runs.
fn watch_memory(server: Arc<Server>) -> Arc<AtomicU64> {
    let most = Arc::<AtomicU64>::default();
    let noted = Arc::clone(&most);
    tokio::spawn(async move {
        while let Ok(resident) = server.resident() {
            noted.fetch_max(resident, Ordering::Relaxed);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    });
    most
}

impl Report {
    /// Those who were through before the flood was over.
    fn signed_up(&self) -> Vec<Arrival> {
        let span = self.flood.1 - self.flood.0;
        let through = |a: &&Arrival| a.took.is_some_and(|took| a.came + took <= span);
        self.arrivals.iter().filter(through).copied().collect()
    }

    /// Share of those who were told to wait to whom the time was told within a fifth, or a second.
    fn told_truly(&self) -> Option<f64> {
        let waited = self.arrivals.iter().filter(|a| a.told > 0.0 && a.took.is_some());
        let truly: Vec<bool> = waited
            .map(|a| (a.waited - a.told).abs() <= (a.waited * 0.2).max(1.0))
            .collect();
        let share = truly.iter().filter(|truly| **truly).count() as f64 / truly.len() as f64;
        (!truly.is_empty()).then_some(share)
    }

    fn print(&self, calm_again: f64) {
        let (begins, ends) = self.flood;
        println!("| people inside | p50 ms | p99 ms | p99.9 ms | longest |");
        println!("| --- | ---: | ---: | ---: | ---: |");
        let mut p99 = Vec::new();
        for (name, from, until) in [
            ("before", 1.0, begins),
            ("during the flood", begins, ends),
            ("after", calm_again, f64::MAX),
        ] {
            let times = self.account.times(from, until);
            let at = |percent| percentile(&times, percent) * 1e3;
            p99.push(at(99.0));
            println!(
                "| {name} | {:.1} | {:.1} | {:.1} | {:.1} |",
                at(50.0),
                at(99.0),
                at(99.9),
                at(100.0)
            );
        }
        println!();
        println!("p99 during the flood is {:.2} times that before", p99[1] / p99[0]);
        self.print_account();
        self.print_newcomers();
        self.print_server();
    }

    fn print_account(&self) {
        let account = &self.account;
        println!(
            "messages: {:.0} a second of {:.0} at saturation, {} arrived, lost {}, doubled {}, not acknowledged {}; \
             sessions dropped {}",
            self.rate,
            self.saturated,
            account.arrived.len(),
            account.lost,
            account.doubled,
            account.refused,
            account.dropped
        );
    }

    fn print_newcomers(&self) {
        let through = self.signed_up();
        let mut took: Vec<f64> = through.iter().filter_map(|a| a.took).collect();
        took.sort_by(f64::total_cmp);
        let turned_away: u32 = self.arrivals.iter().map(|a| a.turned_away).sum();
        println!(
            "newcomers: {:.0} a second, {} came, {} signed up within the flood ({:.0} a second, p50 {:.1} s, p99 \
             {:.1} s), {} gave up, turned away {} times before they had a key",
            self.arrivals_rate,
            self.arrivals.len(),
            through.len(),
            through.len() as f64 / (self.flood.1 - self.flood.0),
            percentile(&took, 50.0),
            percentile(&took, 99.0),
            self.arrivals.iter().filter(|a| a.took.is_none()).count(),
            turned_away
        );
        if let Some(share) = self.told_truly() {
            let mut told: Vec<f64> = self
                .arrivals
                .iter()
                .map(|a| a.told)
                .filter(|t| *t > 0.0)
                .collect();
            told.sort_by(f64::total_cmp);
            println!(
                "waiting time told: p50 {:.0} s, longest {:.0} s, true within a fifth for {:.1} of 100",
                percentile(&told, 50.0),
                percentile(&told, 100.0),
                share * 100.0
            );
        }
    }

    fn print_server(&self) {
        let [start, before, during, end] = self.server;
        let each = (before.cpu - start.cpu) / (self.rate * self.flood.0);
        let span = self.flood.1 - self.flood.0;
        let crowd = during.cpu - before.cpu - each * self.rate * span;
        println!(
            "server: {:.3} ms a message, {:.2} ms a sign-up, {:.2} cores in the flood; memory {} MB before, {} at most, \
             {} after",
            each * 1e3,
            crowd / (self.signed_up().len() as f64).max(1.0) * 1e3,
            (during.cpu - before.cpu) / span,
            before.resident >> 20,
            self.most_resident >> 20,
            end.resident >> 20
        );
    }

    /// Delays of the people inside and sign-ups, second by second.
    fn picture(&self) -> String {
        let seconds = self
            .account
            .arrived
            .iter()
            .map(|(due, _)| *due)
            .fold(0.0, f64::max) as usize;
        let at = |percent: f64| {
            let point = |n: usize| {
                let times = self.account.times(n as f64, n as f64 + 1.0);
                (n as f64 + 0.5, percentile(&times, percent) * 1e3)
            };
            (0..seconds).map(point).collect::<Vec<_>>()
        };
        let through = |n: usize| {
            let done = self
                .arrivals
                .iter()
                .filter_map(|a| Some(self.flood.0 + a.came + a.took?));
            let within = done.filter(|t| (n as f64..n as f64 + 1.0).contains(t));
            (n as f64 + 0.5, within.count() as f64)
        };
        Chart {
            title: "A flood of newcomers, and the people inside".into(),
            across: "seconds".into(),
            shaded: self.flood,
            panels: vec![
                (
                    "from when a message was due until it arrived, ms".into(),
                    vec![Line::new("p50", at(50.0)), Line::new("p99", at(99.0))],
                ),
                (
                    "newcomers who signed up, a second".into(),
                    vec![Line::new("signed up", (0..seconds).map(through).collect())],
                ),
            ],
        }
        .draw()
    }
}
