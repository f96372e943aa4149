//! How fast things happen now: counters as they were a few seconds ago, beside what they are.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use havre_metrics::Metrics;

/// How far back a pace looks.
pub const SPAN: Duration = Duration::from_secs(10);

/// How often the counters are noted.
pub const NOTED_EVERY: Duration = Duration::from_secs(1);

/// Counters at an instant.
#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Instant,
    counts: Rates<u64>,
}

/// A number for each thing that has a pace.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates<T> {
    /// Keys made.
    pub handshakes: T,
    /// Messages sent.
    pub messages: T,
    /// Calls answered.
    pub calls: T,
}

impl Rates<u64> {
    fn of(metrics: &Metrics) -> Self {
        Self {
            handshakes: metrics.handshakes_done.count(),
            messages: metrics.messages_sent.count(),
            calls: metrics.calls.total().0,
        }
    }
}

/// The samples of the last [`SPAN`].
#[derive(Debug, Default)]
pub struct Pace(Mutex<VecDeque<Sample>>);

impl Pace {
    fn samples(&self) -> MutexGuard<'_, VecDeque<Sample>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the counters as they are, and forgets what is older than the span.
    pub fn note(&self, now: Instant, metrics: &Metrics) {
        let counts = Rates::of(metrics);
        let mut samples = self.samples();
        samples.push_back(Sample { at: now, counts });
        while samples
            .get(1)
            .is_some_and(|second| now.duration_since(second.at) >= SPAN)
        {
            samples.pop_front();
        }
    }

    /// Times a second, since the oldest sample; 0 before there is one.
    #[expect(clippy::cast_precision_loss, reason = "nothing happens so often")]
    pub fn rates(&self, now: Instant, metrics: &Metrics) -> Rates<f64> {
        let Some(before) = self.samples().front().copied() else {
            return Rates::default();
        };
        let (counts, past) = (Rates::of(metrics), before.counts);
        // In the first moment a rate would be anything.
        let seconds = now.duration_since(before.at).max(NOTED_EVERY).as_secs_f64();
        let rate = |now: u64, then: u64| now.saturating_sub(then) as f64 / seconds;
        Rates {
            handshakes: rate(counts.handshakes, past.handshakes),
            messages: rate(counts.messages, past.messages),
            calls: rate(counts.calls, past.calls),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_that_of_the_last_ten_seconds() {
        let (pace, metrics, start) = (Pace::default(), Metrics::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(pace.rates(start, &metrics), Rates::default());
        for second in 0..30 {
            // Ten a second for twenty seconds, then none.
            metrics.messages_sent.add(if second < 20 { 10 } else { 0 });
            pace.note(at(second), &metrics);
        }
        let rate = pace.rates(at(29), &metrics).messages;
        assert!(rate.abs() < 1e-9, "{rate}");
        metrics.messages_sent.add(50);
        let rate = pace.rates(at(29), &metrics).messages;
        assert!((rate - 5.0).abs() < 1e-9, "{rate}");
        assert_eq!(pace.samples().len(), 11);
    }
}
