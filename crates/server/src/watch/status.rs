//! `havre status`: one screen for the operator.

use std::time::Duration;

use havre_metrics::{Code, Metrics};

use super::pace::{Rates, SPAN};

/// What the metrics do not say.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Version of the server.
    pub version: &'static str,
    /// How long it has run.
    pub uptime: Duration,
    /// Most connections that there may be.
    pub connections_max: usize,
    /// What happened lately.
    pub rates: Rates<f64>,
}

/// The screen, lines without a last line end.
#[must_use]
pub fn screen(facts: &Facts, metrics: &Metrics) -> String {
    let mut lines = vec![format!("Havre {}, up {}", facts.version, spelled(facts.uptime))];
    lines.extend([people(facts, metrics), work(facts, metrics), machine(metrics)].concat());
    lines.join("\n")
}

fn people(facts: &Facts, metrics: &Metrics) -> Vec<String> {
    vec![
        format!(
            "connections  {} of {}; {} refused since the start",
            metrics.connections.level(),
            facts.connections_max,
            metrics.connections_refused.count()
        ),
        format!(
            "sessions     {}; {} people online",
            metrics.sessions.level(),
            metrics.people_online.level()
        ),
        format!(
            "accounts     {} sign-ups, {} logins, {} wrong codes since the start",
            metrics.sign_ups.count(),
            metrics.log_ins.count(),
            metrics.codes_wrong.count()
        ),
    ]
}

fn work(facts: &Facts, metrics: &Metrics) -> Vec<String> {
    let (rates, seconds) = (facts.rates, SPAN.as_secs());
    let (calls, time) = metrics.calls.total();
    vec![
        format!(
            "handshakes   {:.1}/s in the last {seconds} s; {} since the start, {} refused",
            rates.handshakes,
            metrics.handshakes_done.count(),
            metrics.handshakes_refused.count()
        ),
        format!(
            "messages     {:.1}/s in the last {seconds} s; {} since the start",
            rates.messages,
            metrics.messages_sent.count()
        ),
        format!(
            "calls        {:.1}/s in the last {seconds} s; {:.1} ms each; {} run, {} failed, {} told to wait",
            rates.calls,
            mean_ms(calls, time),
            metrics.calls_running.level(),
            metrics.call_errors.of(Code::Internal).count(),
            metrics.floods.count()
        ),
        format!(
            "lane         {} handshake steps wait; {:.1} ms each so far",
            metrics.handshake_queue.level(),
            mean_ms(metrics.handshake_waited.count(), metrics.handshake_waited.sum())
        ),
    ]
}

fn machine(metrics: &Metrics) -> Vec<String> {
    let commits = metrics.store_commits.count();
    vec![
        format!(
            "store        {commits} commits, {:.1} ms each; {} failures, {} outboxes wait",
            mean_ms(commits, metrics.store_commits.sum()),
            metrics.store_failures.count(),
            metrics.outboxes_waiting.level()
        ),
        format!(
            "memory       {} MiB; {} of {} files open",
            metrics.process_memory.level() >> 20,
            metrics.process_files.level(),
            metrics.process_files_max.level()
        ),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "a mean needs no more than 52 bits")]
fn mean_ms(count: u64, sum: Duration) -> f64 {
    sum.as_secs_f64() * 1000.0 / count.max(1) as f64
}

/// `3 d 04:05:06`
fn spelled(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let clock = format!("{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
    if days == 0 {
        clock
    } else {
        format!("{days} d {clock}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use havre_metrics::{Namespace, Refusal};

    #[test]
    fn the_screen_says_what_was_counted() {
        let metrics = Metrics::default();
        metrics.connections.set(12);
        metrics.connections_refused.of(Refusal::Address).add(3);
        metrics.messages_sent.add(70);
        metrics.calls.of(Namespace::Help).took(Duration::from_millis(2));
        metrics.calls.of(Namespace::Auth).took(Duration::from_millis(5));
        metrics.store_commits.took(Duration::from_millis(4));
        metrics.process_memory.set(33 << 20);
        let facts = Facts {
            version: "1.2.3",
            uptime: Duration::from_secs(3 * 86_400 + 4 * 3600 + 5 * 60 + 6),
            connections_max: 100,
            rates: Rates {
                messages: 6.96,
                ..Rates::default()
            },
        };
        let screen = screen(&facts, &metrics);
        for line in [
            "Havre 1.2.3, up 3 d 04:05:06",
            "connections  12 of 100; 3 refused since the start",
            "messages     7.0/s in the last 10 s; 70 since the start",
            "calls        0.0/s in the last 10 s; 3.5 ms each; 0 run, 0 failed, 0 told to wait",
            "store        1 commits, 4.0 ms each; 0 failures, 0 outboxes wait",
            "memory       33 MiB; 0 of 0 files open",
        ] {
            assert!(screen.lines().any(|l| l == line), "{line} in\n{screen}");
        }
        assert!(screen.lines().count() <= 24 && screen.lines().all(|line| line.len() <= 100));
    }
}
