//! Whether a provider is worth asking: a circuit that opens when it stays silent.

use std::time::Duration;

/// Failures in a row after which a provider is left alone.
pub const DOWN_MAX: u32 = 3;
/// How long it is left alone the first time.
pub const PAUSE_MIN: Duration = Duration::from_secs(1);
/// How long it is left alone at most.
pub const PAUSE_MAX: Duration = Duration::from_secs(60);

/// The circuit of one provider. Times are since an origin that the caller chooses once.
#[derive(Clone, Debug, PartialEq)]
pub enum Circuit {
    /// In use; so many failures in a row have been seen.
    Closed {
        /// Failures in a row, less than [`DOWN_MAX`].
        downs: u32,
    },
    /// Left alone.
    Open {
        /// From when one delivery may probe it.
        until: Duration,
        /// How often in a row it has been left alone before.
        level: u32,
        /// A probe is on its way.
        probing: bool,
    },
}

impl Default for Circuit {
    fn default() -> Self {
        Self::Closed { downs: 0 }
    }
}

impl Circuit {
    /// Whether the provider is in use.
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed { .. })
    }

    /// From when a delivery may start, as a probe where the circuit is open; `None` while one probes.
    pub fn ready_at(&self) -> Option<Duration> {
        match *self {
            Self::Closed { .. } => Some(Duration::ZERO),
            Self::Open { until, probing, .. } => (!probing).then_some(until),
        }
    }

    /// A delivery starts; says whether it is a probe.
    pub fn handle_start(&mut self) -> bool {
        match self {
            Self::Closed { .. } => false,
            Self::Open { probing, .. } => {
                *probing = true;
                true
            }
        }
    }

    /// The provider has answered, whatever it said: it is there.
    pub fn handle_answer(&mut self) {
        *self = Self::default();
    }

    /// A delivery got no answer. What set out before the circuit opened and was no probe says nothing new.
    /// `jitter`, from 0 to 1, spreads the pauses of many servers.
    pub fn handle_down(&mut self, probe: bool, now: Duration, jitter: f64) {
        match *self {
            Self::Closed { downs } if downs + 1 < DOWN_MAX => *self = Self::Closed { downs: downs + 1 },
            Self::Closed { .. } => *self = Self::open(0, now, jitter),
            Self::Open { level, .. } if probe => *self = Self::open(level.saturating_add(1), now, jitter),
            Self::Open { .. } => {}
        }
    }

    fn open(level: u32, now: Duration, jitter: f64) -> Self {
        Self::Open {
            until: now + pause(level, jitter),
            level,
            probing: false,
        }
    }
}

/// Doubles with each level up to [`PAUSE_MAX`]; jitter takes up to half of it away.
pub fn pause(level: u32, jitter: f64) -> Duration {
    let doubled = PAUSE_MIN
        .saturating_mul(2_u32.saturating_pow(level))
        .min(PAUSE_MAX);
    doubled.mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(100);

    fn opened() -> Circuit {
        let mut circuit = Circuit::default();
        for _ in 0..DOWN_MAX {
            circuit.handle_down(false, NOW, 0.0);
        }
        circuit
    }

    #[test]
    fn opens_after_failures_in_a_row_only() {
        let mut circuit = Circuit::default();
        for _ in 0..10 {
            circuit.handle_down(false, NOW, 0.0);
            circuit.handle_down(false, NOW, 0.0);
            circuit.handle_answer();
        }
        assert!(circuit.is_closed());
        assert!(!opened().is_closed());
        assert_eq!(opened().ready_at(), Some(NOW + PAUSE_MIN));
    }

    #[test]
    fn one_probe_at_a_time_decides() {
        let mut circuit = opened();
        assert!(circuit.handle_start());
        assert_eq!(circuit.ready_at(), None);
        circuit.handle_down(false, NOW, 0.0);
        assert_eq!(
            circuit.ready_at(),
            None,
            "an older delivery does not end the probe"
        );
        circuit.handle_down(true, NOW, 0.0);
        assert_eq!(circuit.ready_at(), Some(NOW + PAUSE_MIN * 2));
        assert!(circuit.handle_start());
        circuit.handle_answer();
        assert!(circuit.is_closed());
        assert!(!circuit.handle_start());
    }

    #[test]
    fn pauses_double_up_to_the_bound_and_jitter_halves_at_most() {
        assert_eq!(pause(0, 0.0), PAUSE_MIN);
        assert_eq!(pause(3, 0.0), PAUSE_MIN * 8);
        assert_eq!(pause(u32::MAX, 0.0), PAUSE_MAX);
        assert_eq!(pause(3, 1.0), PAUSE_MIN * 4);
        assert!(pause(3, 0.3) < pause(3, 0.2));
    }
}
