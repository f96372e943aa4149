//! What one writes to another across the end of a server: numbered texts, each under a random id of its own.

use std::sync::{Mutex, PoisonError};

use crate::pushes::Heard;
use crate::steady;

/// What one person wrote and the other has.
#[derive(Debug, Default)]
pub struct Letters(Mutex<Vec<Letter>>);

/// One text.
#[derive(Clone, Debug, Default, PartialEq)]
struct Letter {
    /// When it was due, and how long after that it came at first: seconds.
    due: f64,
    after: Option<f64>,
    acknowledged: bool,
    /// Sent again because the server ended before it was acknowledged.
    repeated: bool,
    /// Under which ids it lies in the reader's box.
    ids: Vec<i32>,
}

/// What became of all texts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Account {
    /// All that were written.
    pub written: usize,
    /// Sent again.
    pub repeated: usize,
    /// Acknowledged, and not arrived.
    pub lost: usize,
    /// Arrived more than once: as two messages, not as one that was told of twice.
    pub doubled: usize,
    /// Never acknowledged.
    pub refused: usize,
    /// When each that arrived without being repeated was due, and how long it took: seconds.
    pub arrived: Vec<(f64, f64)>,
}

impl Letters {
    fn with<T>(&self, deed: impl FnOnce(&mut Vec<Letter>) -> T) -> T {
        deed(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A new one; its number.
    pub fn open(&self, due: f64) -> usize {
        self.with(|letters| {
            let due = Letter {
                due,
                ..Letter::default()
            };
            letters.push(due);
            letters.len() - 1
        })
    }

    /// What it says.
    pub fn text(number: usize) -> String {
        format!("m {number}")
    }

    /// The server took it.
    pub fn acknowledge(&self, number: usize) {
        self.with(|letters| letters[number].acknowledged = true);
    }

    /// The numbers of those to be sent again.
    pub fn repeat(&self) -> Vec<usize> {
        self.with(|letters| {
            let open = letters.iter_mut().enumerate().filter(|(_, l)| !l.acknowledged);
            let mark = |(number, letter): (usize, &mut Letter)| {
                letter.repeated = true;
                number
            };
            open.map(mark).collect()
        })
    }

    /// It came to the reader. What else they are written is passed over, and so is what they have.
    pub fn note(&self, heard: &Heard, now: f64) {
        let number = heard
            .text
            .strip_prefix("m ")
            .and_then(|n| n.parse::<usize>().ok());
        self.with(|letters| {
            let Some(letter) = number.and_then(|n| letters.get_mut(n)) else {
                return;
            };
            if !letter.ids.contains(&heard.id) {
                letter.ids.push(heard.id);
                letter.after.get_or_insert(now - letter.due);
            }
        });
    }

    /// Whether something that was acknowledged has not arrived.
    pub fn is_awaited(&self) -> bool {
        self.with(|letters| letters.iter().any(|l| l.acknowledged && l.ids.is_empty()))
    }
}

impl Account {
    /// Adds what became of some.
    pub fn add(&mut self, letters: &Letters) {
        letters.with(|letters| letters.iter().for_each(|letter| self.add_one(letter)));
    }

    fn add_one(&mut self, letter: &Letter) {
        self.written += 1;
        self.repeated += usize::from(letter.repeated);
        self.lost += usize::from(letter.acknowledged && letter.ids.is_empty());
        self.doubled += usize::from(letter.ids.len() > 1);
        self.refused += usize::from(!letter.acknowledged);
        if !letter.repeated {
            self.arrived.extend(letter.after.map(|after| (letter.due, after)));
        }
    }

    /// Sorted times of those that were due within a span, seconds.
    pub fn times(&self, from: f64, until: f64) -> Vec<f64> {
        steady::times(&self.arrived, from, until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(id: i32, text: &str) -> Heard {
        Heard {
            id,
            text: text.into(),
            pts: id,
        }
    }

    #[test]
    fn the_same_message_told_of_twice_is_one_and_two_messages_are_doubled() {
        let letters = Letters::default();
        for number in 0..3 {
            assert_eq!(letters.open(1.0), number);
            letters.acknowledge(number);
        }
        letters.note(&heard(7, "m 0"), 1.5);
        letters.note(&heard(7, "m 0"), 9.0);
        letters.note(&heard(8, "m 1"), 2.0);
        letters.note(&heard(9, "m 1"), 2.0);
        letters.note(&heard(10, "hello"), 2.0);
        assert!(letters.is_awaited());
        let mut account = Account::default();
        account.add(&letters);
        assert_eq!((account.written, account.lost, account.doubled), (3, 1, 1));
        assert_eq!(account.times(0.0, 2.0), [0.5, 1.0]);
        letters.note(&heard(11, "m 2"), 3.0);
        assert!(!letters.is_awaited());
    }

    #[test]
    fn what_is_not_acknowledged_is_repeated_and_then_has_no_time() {
        let letters = Letters::default();
        letters.acknowledge(letters.open(0.0));
        let open = letters.open(0.0);
        assert_eq!(letters.repeat(), [open]);
        letters.note(&heard(1, &Letters::text(open)), 4.0);
        let mut account = Account::default();
        account.add(&letters);
        assert_eq!((account.repeated, account.refused, account.lost), (1, 1, 1));
        assert_eq!(account.arrived, []);
    }
}
