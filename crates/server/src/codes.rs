//! Login codes of a server whose people ask its operator: printed, and kept until used or stale.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a code is given out. The rules refuse a code sooner; this only bounds what is kept.
const KEPT: Duration = Duration::from_mins(10);

/// Most codes that wait at once; past that the oldest goes.
const PENDING_MAX: usize = 10_000;

/// The codes that were printed and may still be asked for.
#[derive(Debug, Default)]
pub struct ConsoleCodes {
    pending: Mutex<HashMap<String, (String, Instant)>>,
}

impl ConsoleCodes {
    /// Prints a code for the operator and keeps it for [`Self::pending`].
    pub fn deliver(&self, phone: &str, code: &str) {
        println!("Login code for +{}: {code}", digits(phone));
        self.keep(phone, code, Instant::now());
    }

    /// The code that waits for a number, however the number is spelled.
    pub fn pending(&self, phone: &str) -> Option<String> {
        self.pending_at(phone, Instant::now())
    }

    fn keep(&self, phone: &str, code: &str, now: Instant) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.retain(|_, (_, since)| now.duration_since(*since) < KEPT);
        if pending.len() >= PENDING_MAX {
            let oldest = pending
                .iter()
                .min_by_key(|(_, (_, since))| *since)
                .map(|(phone, _)| phone.clone());
            oldest.and_then(|phone| pending.remove(&phone));
        }
        pending.insert(digits(phone), (code.to_owned(), now));
    }

    fn pending_at(&self, phone: &str, now: Instant) -> Option<String> {
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let (code, since) = pending.get(&digits(phone))?;
        (now.duration_since(*since) < KEPT).then(|| code.clone())
    }
}

fn digits(phone: &str) -> String {
    phone.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_under_any_spelling_of_its_number() {
        let codes = ConsoleCodes::default();
        codes.keep("+1 (555) 000-0001", "12345", Instant::now());
        assert_eq!(codes.pending("15550000001").as_deref(), Some("12345"));
        assert_eq!(codes.pending("15550000002"), None);
    }

    #[test]
    fn the_newest_code_counts_and_old_ones_go() {
        let codes = ConsoleCodes::default();
        let start = Instant::now();
        codes.keep("1", "11111", start);
        codes.keep("1", "22222", start);
        assert_eq!(codes.pending_at("1", start).as_deref(), Some("22222"));
        assert_eq!(codes.pending_at("1", start + KEPT), None);
        codes.keep("2", "33333", start + KEPT);
        assert_eq!(codes.pending.lock().unwrap().len(), 1);
    }
}
