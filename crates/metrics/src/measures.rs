//! The atomics: counters, gauges, histograms, and one of them for each kind of event.

use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use crate::kinds::Kind;

/// Something that can be printed.
pub(crate) trait Measure: Default {
    const TYPE: MetricType;
    /// The label's name and values, if there is one.
    const LABEL: Option<(&'static str, &'static [&'static str])> = None;

    fn encode(&self, encoder: MetricEncoder<'_>) -> fmt::Result;
}

/// Counts what happened since the server started.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Once more.
    pub fn inc(&self) {
        self.add(1);
    }

    /// So many times more.
    pub fn add(&self, times: u64) {
        self.0.fetch_add(times, Ordering::Relaxed);
    }

    /// Takes over what something else has counted since the start.
    pub fn set(&self, count: u64) {
        self.0.store(count, Ordering::Relaxed);
    }

    /// How often so far.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Measure for Counter {
    const TYPE: MetricType = MetricType::Counter;

    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        encoder.encode_counter::<NoLabelSet, _, u64>(&self.count(), None)
    }
}

/// Time that was spent since the server started; counted in nanoseconds, printed in seconds.
#[derive(Debug, Default)]
pub struct Spent(AtomicU64);

impl Spent {
    /// It is this much now.
    pub fn set(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.0.store(nanos, Ordering::Relaxed);
    }
}

impl Measure for Spent {
    const TYPE: MetricType = MetricType::Counter;

    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let time = Duration::from_nanos(self.0.load(Ordering::Relaxed));
        encoder.encode_counter::<NoLabelSet, _, u64>(&time.as_secs_f64(), None)
    }
}

/// How much there is now.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// It is this now.
    pub fn set(&self, level: u64) {
        self.0.store(level.cast_signed(), Ordering::Relaxed);
    }

    /// One more, until what is returned is dropped.
    pub fn hold(&self) -> Held<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Held(self)
    }

    /// What it is.
    #[must_use]
    pub fn level(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// One of what a gauge counts.
#[derive(Debug)]
pub struct Held<'a>(&'a Gauge);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Measure for Gauge {
    const TYPE: MetricType = MetricType::Gauge;

    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        encoder.encode_gauge(&self.level())
    }
}

/// Upper bounds of the buckets of a histogram but for the last, which has none; nanoseconds.
const BOUNDS: [u64; 16] = [
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
];

/// How long something took, how often: from a tenth of a millisecond to ten seconds. Counted in nanoseconds,
/// printed in seconds.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; BOUNDS.len() + 1],
    sum: AtomicU64,
}

impl Histogram {
    /// Counts a duration.
    pub fn took(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.partition_point(|bound| *bound < nanos);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(nanos, Ordering::Relaxed);
    }

    /// How many were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|b| b.load(Ordering::Relaxed)).sum()
    }

    /// How long all of them took together.
    #[must_use]
    pub fn sum(&self) -> Duration {
        Duration::from_nanos(self.sum.load(Ordering::Relaxed))
    }
}

impl Measure for Histogram {
    const TYPE: MetricType = MetricType::Histogram;

    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let bounds = BOUNDS
            .iter()
            .map(|bound| Duration::from_nanos(*bound).as_secs_f64());
        let counts = self.buckets.iter().map(|b| b.load(Ordering::Relaxed));
        let buckets: Vec<(f64, u64)> = bounds.chain([f64::INFINITY]).zip(counts).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        encoder.encode_histogram::<NoLabelSet>(self.sum().as_secs_f64(), count, &buckets, None)
    }
}

/// One measure for each kind; the kinds are an enum, so there are never more of them.
#[derive(Debug)]
pub struct ByKind<K, M = Counter> {
    measures: Box<[M]>,
    kind: PhantomData<K>,
}

impl<K: Kind, M: Default> Default for ByKind<K, M> {
    fn default() -> Self {
        Self {
            measures: K::NAMES.iter().map(|_| M::default()).collect(),
            kind: PhantomData,
        }
    }
}

impl<K: Kind, M> ByKind<K, M> {
    /// The measure of one kind.
    #[must_use]
    pub fn of(&self, kind: K) -> &M {
        &self.measures[kind.place()]
    }
}

impl<K: Kind> ByKind<K> {
    /// How often, whatever the kind.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.measures.iter().map(Counter::count).sum()
    }
}

impl<K: Kind> ByKind<K, Histogram> {
    /// How many, and how long they took together, whatever the kind.
    #[must_use]
    pub fn total(&self) -> (u64, Duration) {
        let each = self.measures.iter().map(|times| (times.count(), times.sum()));
        each.fold((0, Duration::ZERO), |all, one| (all.0 + one.0, all.1 + one.1))
    }
}

impl<K: Kind, M: Measure> Measure for ByKind<K, M> {
    const TYPE: MetricType = M::TYPE;
    const LABEL: Option<(&'static str, &'static [&'static str])> = Some((K::LABEL, K::NAMES));

    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        for (name, measure) in K::NAMES.iter().zip(&self.measures) {
            measure.encode(encoder.encode_family(&[(K::LABEL, *name)])?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_falls_into_the_first_bucket_that_holds_it() {
        let times = Histogram::default();
        for micros in [0, 100, 101, 10_000_000, 10_000_001] {
            times.took(Duration::from_micros(micros));
        }
        let counts = times.buckets.each_ref().map(|b| b.load(Ordering::Relaxed));
        assert_eq!((counts[0], counts[1], counts[15], counts[16]), (2, 1, 1, 1));
        assert_eq!(
            (times.count(), times.sum()),
            (5, Duration::from_micros(20_000_202))
        );
    }

    #[test]
    fn what_is_held_is_let_go_by_a_panic_too() {
        let gauge = Gauge::default();
        let held = gauge.hold();
        assert_eq!(gauge.level(), 1);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _held = gauge.hold();
            panic!("as planned");
        }));
        assert!(panicked.is_err());
        assert_eq!(gauge.level(), 1);
        drop(held);
        assert_eq!(gauge.level(), 0);
    }
}
