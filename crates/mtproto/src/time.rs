//! Time as the protocol counts it.

/// Unix time in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub i64);

impl Millis {
    /// This time and `ms` milliseconds more.
    #[must_use]
    pub fn plus(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Whole seconds.
    #[must_use]
    pub fn seconds(self) -> i32 {
        i32::try_from(self.0 / 1000).unwrap_or(i32::MAX)
    }

    /// The message id of this instant with its two lowest bits clear: seconds in the upper half, the
    /// fraction of a second in the lower.
    #[must_use]
    pub fn msg_id(self) -> i64 {
        let fraction = (self.0.rem_euclid(1000) << 32) / 1000;
        ((self.0.div_euclid(1000) << 32) | fraction) & !3
    }

    /// The instant that a message id names.
    #[must_use]
    pub fn of_msg_id(id: i64) -> Self {
        Self((id >> 32) * 1000 + (((id & 0xffff_ffff) * 1000) >> 32))
    }
}
