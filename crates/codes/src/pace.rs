//! How fast a provider may be asked: its cap, and what it has shown to take.
//!
//! The rate grows by the same amount for every second of full use and is halved when the provider says
//! "slower", so it settles around what the provider takes (additive increase, multiplicative decrease, as
//! TCP does: RFC 5681, section 3.1).

use std::time::Duration;

/// What a rate never falls below, so that a recovery is noticed: one code in ten seconds.
pub const RATE_MIN: f64 = 0.1;
/// What a rate grows by in a second of full use, as a part of its cap.
pub const INCREASE: f64 = 0.02;
/// What may set out at once without having been due one after another.
pub const BURST: Duration = Duration::from_millis(100);
/// How long a provider that says "later" is left alone at most: somebody is waiting for a code.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(60);

/// The pace of one provider. Times are since an origin that the caller chooses once.
#[derive(Clone, Debug)]
pub struct Pace {
    rate_max: f64,
    rate: f64,
    /// When the next delivery would be due if all were evenly spread.
    due: Duration,
    paused_until: Duration,
    lowered_at: Option<Duration>,
    /// More has been wanted since the last increase than the rate allowed.
    short: bool,
}

impl Pace {
    /// A pace of at most `rate_max` codes a second, which it takes for true until it hears otherwise.
    pub fn new(rate_max: f64) -> Self {
        let rate_max = rate_max.max(RATE_MIN);
        Self {
            rate_max,
            rate: rate_max,
            due: Duration::ZERO,
            paused_until: Duration::ZERO,
            lowered_at: None,
            short: false,
        }
    }

    /// Codes a second: 0 while the provider has asked to be left alone.
    pub fn rate(&self, now: Duration) -> f64 {
        if now < self.paused_until { 0.0 } else { self.rate }
    }

    /// From when the next delivery may start.
    pub fn ready_at(&self) -> Duration {
        self.due.saturating_sub(BURST).max(self.paused_until)
    }

    /// A delivery starts.
    pub fn handle_start(&mut self, now: Duration) {
        self.due = self.due.max(now) + self.interval();
    }

    /// A delivery would have started but had to wait.
    pub fn handle_short(&mut self) {
        self.short = true;
    }

    /// A delivery has succeeded: where more was wanted than the rate allowed, more will be tried. At full use
    /// `rate` of them come in a second, so together they grow it by [`INCREASE`].
    pub fn handle_success(&mut self) {
        if std::mem::take(&mut self.short) {
            let grown = self.rate + INCREASE * self.rate_max / self.rate.max(1.0);
            self.rate = grown.min(self.rate_max);
        }
    }

    /// A delivery that set out at `started` was told "slower". What set out before the rate was last lowered
    /// says nothing about the lowered one.
    pub fn handle_slower(&mut self, started: Duration, retry_after: Option<Duration>, now: Duration) {
        if self.lowered_at.is_none_or(|lowered_at| started >= lowered_at) {
            self.rate = (self.rate / 2.0).max(RATE_MIN);
            self.lowered_at = Some(now);
            // The next one waits a whole interval, without a burst.
            self.due = now + self.interval() + BURST;
        }
        let retry_after = retry_after.unwrap_or_default().min(RETRY_AFTER_MAX);
        self.paused_until = self.paused_until.max(now + retry_after);
    }

    fn interval(&self) -> Duration {
        Duration::from_secs_f64(self.rate.recip())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Starts of deliveries in `from..to`, asked for every millisecond and all successful.
    fn starts(pace: &mut Pace, from: u64, to: u64) -> usize {
        let mut count = 0;
        for now in from..to {
            while pace.ready_at() <= ms(now) {
                pace.handle_start(ms(now));
                count += 1;
                pace.handle_success();
            }
            pace.handle_short();
        }
        count
    }

    #[test]
    fn never_above_the_cap() {
        let mut pace = Pace::new(50.0);
        assert_eq!(starts(&mut pace, 0, 10_000), 500 + 5);
        assert!(pace.rate(ms(10_000)) <= 50.0);
    }

    #[test]
    fn halved_on_slower_and_grown_again_under_use() {
        let mut pace = Pace::new(50.0);
        pace.handle_slower(ms(0), None, ms(1));
        assert!((pace.rate(ms(1)) - 25.0).abs() < 1e-9);
        assert_eq!(pace.ready_at(), ms(1 + 40));
        starts(&mut pace, 1, 10_001);
        let rate = pace.rate(ms(10_001));
        assert!(
            (33.0..37.0).contains(&rate),
            "a fiftieth of 50 for each of 10 seconds: {rate}"
        );
        starts(&mut pace, 10_001, 60_000);
        assert!(pace.rate(ms(60_000)) > 49.9);
    }

    #[test]
    fn one_crowd_halves_once() {
        let mut pace = Pace::new(64.0);
        for at in 10..20 {
            pace.handle_slower(ms(5), None, ms(at));
        }
        assert!((pace.rate(ms(20)) - 32.0).abs() < 1e-9);
        pace.handle_slower(ms(15), None, ms(30));
        assert!((pace.rate(ms(30)) - 16.0).abs() < 1e-9);
    }

    #[test]
    fn does_not_grow_unasked_nor_fall_below_the_least() {
        let mut pace = Pace::new(50.0);
        pace.handle_slower(ms(0), None, ms(1));
        pace.handle_success();
        assert!((pace.rate(ms(1)) - 25.0).abs() < 1e-9);
        for at in 2..100 {
            pace.handle_slower(ms(at), None, ms(at));
        }
        assert!((pace.rate(ms(100)) - RATE_MIN).abs() < 1e-9);
    }

    #[test]
    fn left_alone_as_long_as_it_asks_within_bounds() {
        let mut pace = Pace::new(50.0);
        pace.handle_slower(ms(0), Some(ms(7000)), ms(0));
        assert_eq!((pace.ready_at(), pace.rate(ms(6999))), (ms(7000), 0.0));
        assert!(pace.rate(ms(7000)) > 0.0);
        pace.handle_slower(ms(0), Some(Duration::MAX), ms(0));
        assert_eq!(pace.ready_at(), RETRY_AFTER_MAX);
    }
}
