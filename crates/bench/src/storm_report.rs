//! What a storm was like.

use anyhow::{Context as _, Result};

use crate::letters::Account;
use crate::newcomers::Arrival;
use crate::steady::percentile;
use crate::storm::Plan;
use crate::svg::{Chart, Line};

/// Before the end, messages that were due later may have waited for the restart.
const CUT: f64 = 1.0;
/// A point of the picture stands for so many seconds.
const GRAIN: f64 = 0.25;

/// Everything that was measured. Times are seconds after the beginning.
pub struct Report {
    /// What was to be measured.
    pub plan: Plan,
    /// When the server ended.
    pub killed: f64,
    /// When it served again.
    pub up: f64,
    /// When the last one was back.
    pub all_back: f64,
    /// Everybody.
    pub returns: Vec<Return>,
    /// What became of messages.
    pub account: Account,
    /// Processor time of the server before it ended, and from when it served again until all were back: seconds.
    pub cpu: (f64, f64),
    /// Who came besides.
    pub newcomers: Vec<Arrival>,
}

/// Somebody's way back.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Return {
    /// When they were back; nothing when they stayed away.
    pub at: Option<f64>,
    /// Tries that failed before.
    pub failures: u32,
}

impl Report {
    /// Prints, and draws if that is wanted.
    pub fn publish(&self) -> Result<()> {
        self.print_returns();
        self.print_times();
        self.print_account();
        self.print_newcomers();
        if let Some(path) = &self.plan.svg {
            std::fs::write(path, self.picture()).with_context(|| format!("{}", path.display()))?;
        }
        Ok(())
    }

    /// Sorted seconds from when the server served again until each was back.
    fn waits(&self) -> Vec<f64> {
        let mut waits: Vec<f64> = self
            .returns
            .iter()
            .filter_map(|r| Some(r.at? - self.up))
            .collect();
        waits.sort_by(f64::total_cmp);
        waits
    }

    /// Processor time of the server for each return, seconds: without that for the messages of the same time, at
    /// what one took before.
    fn cpu_each(&self) -> f64 {
        let within = |from: f64, until: f64| self.account.times(from, until).len() as f64;
        let message = self.cpu.0 / within(0.0, self.killed).max(1.0);
        let messages = message * within(self.killed, self.all_back);
        (self.cpu.1 - messages) / (self.waits().len() as f64).max(1.0)
    }

    fn print_returns(&self) {
        let waits = self.waits();
        let failures: u32 = self.returns.iter().map(|r| r.failures).sum();
        println!(
            "{} people; the server was killed and served again {:.2} s later",
            self.plan.people,
            self.up - self.killed
        );
        println!();
        println!("| back after | 50 % | 99 % | 100 % | stay away | tries that failed | server CPU ms each |");
        println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
        println!(
            "| s | {:.2} | {:.2} | {:.2} | {} | {failures} | {:.2} |",
            percentile(&waits, 50.0),
            percentile(&waits, 99.0),
            percentile(&waits, 100.0),
            self.plan.people - waits.len(),
            self.cpu_each() * 1e3
        );
        println!();
    }

    fn print_times(&self) {
        println!("| pairs that are there | p50 ms | p99 ms | p99.9 ms | messages |");
        println!("| --- | ---: | ---: | ---: | ---: |");
        for (name, from, until) in [
            (
                "before",
                CUT.min(self.killed / 2.0),
                self.killed - CUT.min(self.killed / 4.0),
            ),
            ("while others come back", self.killed, self.all_back),
            ("when all are back", self.all_back, f64::MAX),
        ] {
            let times = self.account.times(from, until);
            let at = |percent| percentile(&times, percent) * 1e3;
            println!(
                "| {name} | {:.1} | {:.1} | {:.1} | {} |",
                at(50.0),
                at(99.0),
                at(99.9),
                times.len()
            );
        }
        println!();
    }

    fn print_account(&self) {
        let Account {
            written,
            repeated,
            lost,
            doubled,
            refused,
            ..
        } = &self.account;
        println!(
            "messages: {:.0} a second, {written} written, {repeated} of them again after the restart; lost {lost}, \
             doubled {doubled}, not acknowledged {refused}",
            self.plan.rate
        );
    }

    fn print_newcomers(&self) {
        if self.newcomers.is_empty() {
            return;
        }
        let mut took: Vec<f64> = self.newcomers.iter().filter_map(|a| a.took).collect();
        took.sort_by(f64::total_cmp);
        let early = self
            .newcomers
            .iter()
            .filter(|a| a.took.is_some_and(|t| a.came + t + self.up < self.all_back));
        println!(
            "newcomers: {} came, {} signed up, p50 {:.1} s, p99 {:.1} s; {} of them before the last was back; their \
             CPU is in that of the returns",
            self.newcomers.len(),
            took.len(),
            percentile(&took, 50.0),
            percentile(&took, 99.0),
            early.count()
        );
    }

    /// Who is back, and what messages take, over time.
    fn picture(&self) -> String {
        let end = self.up + self.plan.after;
        let times = || (0..(end / GRAIN) as usize).map(|n| n as f64 * GRAIN);
        let share = |at: f64| {
            let there = self
                .returns
                .iter()
                .filter(|r| r.at.is_some_and(|back| back <= at))
                .count();
            let share = 100.0 * there as f64 / self.plan.people as f64;
            (at, if at < self.killed { 100.0 } else { share })
        };
        let after = |percent: f64| {
            let point = move |at: f64| {
                let times = self.account.times(at, at + GRAIN);
                (at, percentile(&times, percent) * 1e3)
            };
            times().map(point).collect::<Vec<_>>()
        };
        Chart {
            title: format!("The server is killed; {} people come back", self.plan.people),
            across: "seconds".into(),
            shaded: (self.killed, self.up),
            panels: vec![
                (
                    "connected and up to date, of 100".into(),
                    vec![Line::new("people", times().map(share).collect())],
                ),
                (
                    "from when a message was due until it arrived, ms".into(),
                    vec![Line::new("p50", after(50.0)), Line::new("p99", after(99.0))],
                ),
            ],
        }
        .draw()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let back = |at| Return {
            at: Some(at),
            failures: 1,
        };
        Report {
            plan: Plan {
                people: 4,
                pairs: 1,
                rate: 1.0,
                newcomers: 0.0,
                calm: 5.0,
                after: 5.0,
                svg: None,
            },
            killed: 5.0,
            up: 6.0,
            all_back: 8.0,
            returns: vec![back(8.0), Return::default(), back(6.5), back(7.0)],
            account: Account {
                arrived: vec![(1.0, 0.1), (2.0, 0.1), (7.0, 0.2)],
                ..Account::default()
            },
            cpu: (0.2, 3.1),
            newcomers: Vec::new(),
        }
    }

    #[test]
    fn returns_are_counted_from_the_restart_and_without_the_cost_of_messages() {
        let report = report();
        assert_eq!(report.waits(), [0.5, 1.0, 2.0]);
        assert!((report.cpu_each() - 1.0).abs() < 1e-9, "{}", report.cpu_each());
    }

    #[test]
    fn the_picture_falls_when_the_server_ends_and_rises_to_who_came_back() {
        let svg = report().picture();
        let line = svg.split("points=\"").nth(1).unwrap().split('"').next().unwrap();
        let height = |point: &str| point.split(',').nth(1).unwrap().parse().unwrap();
        let heights: Vec<f64> = line.split(' ').map(height).collect();
        assert_eq!(heights.len(), 44);
        assert!(
            heights[0] < heights[30] && heights[30] < heights[20],
            "{heights:?}"
        );
    }
}
