//! What a flood was like.

use std::fmt;

use anyhow::{Context as _, Result};
use havre_bench::process::Server;

use crate::flood::Plan;
use crate::newcomers::Arrival;
use crate::peers;
use crate::steady::{Account, percentile};
use crate::svg::{Chart, Line};

/// Memory that rose less is flat: bytes, and part of the whole rise.
const FLAT: (u64, f64) = (4 << 20, 0.05);

/// The server at one instant.
#[derive(Clone, Copy, Debug, Default)]
pub struct Instantaneous {
    /// Processor time that it has used, seconds.
    pub cpu: f64,
    /// Memory that it holds, bytes.
    pub resident: u64,
}

impl Instantaneous {
    /// As it is now.
    pub fn of(server: &Server) -> Result<Self> {
        Ok(Self {
            cpu: server.cpu()?.as_secs_f64(),
            resident: server.resident()?,
        })
    }
}

/// Everything that was measured. Times are seconds after the people inside began.
pub struct Report {
    /// Messages a second.
    pub rate: f64,
    /// Messages a second that they could exchange.
    pub saturated: f64,
    /// Newcomers a second.
    pub arrivals_rate: f64,
    /// What was to be measured.
    pub plan: Plan,
    /// What became of messages.
    pub account: Account,
    /// What became of newcomers.
    pub arrivals: Vec<Arrival>,
    /// When the flood began and ended.
    pub flood: (f64, f64),
    /// The server at the start, when the flood began, when it ended, at the end.
    pub server: [Instantaneous; 4],
    /// Memory of the server over time, bytes.
    pub memory: Vec<(f64, u64)>,
    /// When what the flood left behind was done.
    pub calm_again: f64,
}

impl Report {
    /// Prints, and draws if that is wanted.
    pub fn publish(&self) -> Result<()> {
        let ratio = self.print_times();
        self.print_account();
        self.print_newcomers();
        self.print_server();
        self.print_memory();
        peers::print(&[
            (peers::FLOOD_P99, self.times_in_flood(99.0)),
            (peers::FLOOD_RATIO, ratio),
            (peers::FLOOD_SIGN_UPS, self.sign_ups_rate()),
        ]);
        if let Some(path) = &self.plan.svg {
            std::fs::write(path, self.picture()).with_context(|| format!("{}", path.display()))?;
        }
        Ok(())
    }

    /// Milliseconds that `percent` of the messages in the flood did not pass.
    fn times_in_flood(&self, percent: f64) -> f64 {
        percentile(&self.account.times(self.flood.0, self.flood.1), percent) * 1e3
    }

    fn sign_ups_rate(&self) -> f64 {
        self.signed_up().len() as f64 / (self.flood.1 - self.flood.0)
    }

    /// Those who were through before the flood was over.
    fn signed_up(&self) -> Vec<Arrival> {
        let span = self.flood.1 - self.flood.0;
        let through = |a: &&Arrival| a.took.is_some_and(|took| a.came + took <= span);
        self.arrivals.iter().filter(through).copied().collect()
    }

    /// Gives p99 during the flood, in times that before.
    fn print_times(&self) -> f64 {
        let (begins, ends) = self.flood;
        println!("| people inside | p50 ms | p99 ms | p99.9 ms | longest |");
        println!("| --- | ---: | ---: | ---: | ---: |");
        let mut p99 = Vec::new();
        for (name, from, until) in [
            ("before", 1.0, begins),
            ("during the flood", begins, ends),
            ("after", self.calm_again, f64::MAX),
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
        p99[1] / p99[0]
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
        let mut took: Vec<f64> = self.signed_up().iter().filter_map(|a| a.took).collect();
        took.sort_by(f64::total_cmp);
        let turned_away: u32 = self.arrivals.iter().map(|a| a.turned_away).sum();
        println!(
            "newcomers: {:.0} a second, {} came, {} signed up within the flood ({:.0} a second, p50 {:.1} s, p99 \
             {:.1} s), {} gave up, refused {turned_away} times before they had a key",
            self.arrivals_rate,
            self.arrivals.len(),
            took.len(),
            self.sign_ups_rate(),
            percentile(&took, 50.0),
            percentile(&took, 99.0),
            self.arrivals.iter().filter(|a| a.took.is_none()).count(),
        );
        let due = self.arrivals_rate * (self.flood.1 - self.flood.0);
        let missing = due - self.arrivals.len() as f64;
        if missing > due * 0.01 {
            println!("{missing:.0} more did not come: this program has no place for more at once");
        }
        if let Some(told) = Told::of(&self.arrivals) {
            println!("{told}");
        }
    }

    fn print_server(&self) {
        let [start, before, during, _] = self.server;
        let each = (before.cpu - start.cpu) / (self.rate * self.flood.0);
        let span = self.flood.1 - self.flood.0;
        let crowd = during.cpu - before.cpu - each * self.rate * span;
        println!(
            "server: {:.3} ms a message, {:.2} ms a sign-up, {:.2} cores in the flood",
            each * 1e3,
            crowd / (self.signed_up().len() as f64).max(1.0) * 1e3,
            (during.cpu - before.cpu) / span,
        );
    }

    fn print_memory(&self) {
        let [_, before, during, end] = self.server;
        let most = self
            .memory
            .iter()
            .map(|(_, bytes)| *bytes)
            .fold(during.resident, u64::max);
        let late = rise_at_the_end(&self.memory, self.flood);
        let rise = most.saturating_sub(before.resident);
        println!(
            "memory, flat at the end: {} ({} MB before, {} at most, {} after; {:.1} MB in the flood's last third)",
            if is_flat(late, rise) { "yes" } else { "no" },
            before.resident >> 20,
            most >> 20,
            end.resident >> 20,
            late as f64 / f64::from(1 << 20)
        );
    }

    /// Delays of the people inside and sign-ups, second by second.
    fn picture(&self) -> String {
        let last = self.account.arrived.iter().map(|(due, _)| *due);
        let seconds = last.fold(0.0, f64::max) as usize;
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
        let mega = f64::from(1 << 20);
        let memory = self.memory.iter().map(|(at, bytes)| (*at, *bytes as f64 / mega));
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
                (
                    "memory of the server, MB".into(),
                    vec![Line::new("RSS", memory.collect())],
                ),
            ],
        }
        .draw()
    }
}

/// By how much the most memory in the last third of a span passes the most in the third before: bytes.
fn rise_at_the_end(memory: &[(f64, u64)], span: (f64, f64)) -> u64 {
    let third = (span.1 - span.0) / 3.0;
    let most = |from: f64| {
        let within = memory.iter().filter(|(at, _)| (from..from + third).contains(at));
        within.map(|(_, bytes)| *bytes).max().unwrap_or(0)
    };
    most(span.1 - third).saturating_sub(most(span.1 - 2.0 * third))
}

fn is_flat(late: u64, rise: u64) -> bool {
    late <= FLAT.0 || late as f64 <= rise as f64 * FLAT.1
}

/// The waiting times that newcomers were told at first, and what they were.
#[derive(Debug, PartialEq)]
struct Told {
    /// Sorted, of all who were told to wait: seconds.
    told: Vec<f64>,
    /// How many of them have been seen to the end of their wait.
    seen: usize,
    /// How many of those waited as long as told, within a fifth or a second.
    truly: usize,
}

impl Told {
    /// Nothing when nobody had to wait.
    fn of(arrivals: &[Arrival]) -> Option<Self> {
        let told: Vec<&Arrival> = arrivals.iter().filter(|a| a.told > 0.0).collect();
        let seen = told.iter().filter(|a| a.waited > 0.0);
        let truly = seen
            .clone()
            .filter(|a| (a.waited - a.told).abs() <= (a.told * 0.2).max(1.0));
        let (seen, truly) = (seen.count(), truly.count());
        let mut told: Vec<f64> = told.iter().map(|a| a.told).collect();
        told.sort_by(f64::total_cmp);
        (!told.is_empty()).then_some(Self { told, seen, truly })
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { told, seen, truly } = self;
        write!(
            f,
            "waiting time told: {} people, p50 {:.0} s, longest {:.0} s; true within a fifth for {:.1} of 100 of the \
             {seen} who waited for its end",
            told.len(),
            percentile(told, 50.0),
            percentile(told, 100.0),
            100.0 * *truly as f64 / (*seen as f64).max(1.0)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(told: f64, waited: f64) -> Arrival {
        Arrival {
            told,
            waited,
            ..Arrival::default()
        }
    }

    #[test]
    fn what_was_told_is_held_against_those_who_waited_for_its_end() {
        let arrivals = [
            arrival(0.0, 0.2),
            arrival(10.0, 11.9),
            arrival(10.0, 12.1),
            arrival(2.0, 3.0),
            arrival(2.0, 0.9),
            arrival(300.0, 0.0),
        ];
        let told = Told::of(&arrivals).unwrap();
        assert_eq!((told.told.len(), told.seen, told.truly), (5, 4, 2));
        assert_eq!(Told::of(&arrivals[..1]), None);
    }

    #[test]
    fn memory_that_still_rises_at_the_end_is_not_flat() {
        let mega = |bytes: u64| bytes << 20;
        let rising: Vec<(f64, u64)> = (0..30_u32)
            .map(|n| (f64::from(n), mega(100 + u64::from(n) * 10)))
            .collect();
        let late = rise_at_the_end(&rising, (0.0, 30.0));
        assert_eq!(late, mega(100));
        assert!(!is_flat(late, mega(290)));
        let level: Vec<(f64, u64)> = rising
            .iter()
            .map(|(at, bytes)| (*at, (*bytes).min(mega(250))))
            .collect();
        assert_eq!(rise_at_the_end(&level, (0.0, 30.0)), 0);
        assert!(is_flat(mega(3), mega(4)) && is_flat(mega(10), mega(300)));
    }
}
