//! Server salts: a keyed hash of key and half hour, so that nothing is stored and all nodes agree.

use crate::crypto::sha256;
use crate::time::Millis;

/// How long a salt is the current one, seconds; as long again the one before it stays good.
pub const WINDOW: i64 = 1800;

/// Makes and checks salts.
#[derive(Clone)]
pub struct Salts {
    secret: [u8; 32],
}

impl Salts {
    /// Salts of a server with this secret.
    #[must_use]
    pub fn new(secret: [u8; 32]) -> Self {
        Self { secret }
    }

    fn of_window(&self, auth_key_id: i64, window: i64) -> i64 {
        let hash = sha256(&[
            &self.secret,
            &auth_key_id.to_le_bytes(),
            &window.to_le_bytes(),
            &self.secret,
        ]);
        let mut salt = [0; 8];
        salt.copy_from_slice(&hash[..8]);
        i64::from_le_bytes(salt)
    }

    fn window(now: Millis) -> i64 {
        now.0.div_euclid(1000).div_euclid(WINDOW)
    }

    /// The current salt of a key.
    #[must_use]
    pub fn current(&self, auth_key_id: i64, now: Millis) -> i64 {
        self.of_window(auth_key_id, Self::window(now))
    }

    /// Whether a salt may be used now: the current one, the one before it, and the one after it for
    /// clients whose clock is ahead.
    #[must_use]
    pub fn is_valid(&self, auth_key_id: i64, now: Millis, salt: i64) -> bool {
        let window = Self::window(now);
        (window - 1..=window + 1).any(|w| self.of_window(auth_key_id, w) == salt)
    }

    /// The next salts of a key: valid since, valid until, salt.
    #[must_use]
    pub fn future(&self, auth_key_id: i64, now: Millis, count: usize) -> Vec<(i32, i32, i64)> {
        let second = |n: i64| i32::try_from(n).unwrap_or(i32::MAX);
        let count = i64::try_from(count).unwrap_or(1);
        let windows = (0..count).map(|n| Self::window(now) + n);
        windows
            .map(|w| {
                (
                    second(w * WINDOW),
                    second((w + 2) * WINDOW),
                    self.of_window(auth_key_id, w),
                )
            })
            .collect()
    }
}
