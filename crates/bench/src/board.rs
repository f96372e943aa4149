//! What became of messages to a group: whom each has reached, how often and when.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::oneshot;

/// Notes messages and their deliveries; its clock begins when it is made.
#[derive(Debug)]
pub struct Board {
    began: Instant,
    members: usize,
    marks: Mutex<Vec<Mark>>,
}

/// One message.
#[derive(Debug)]
struct Mark {
    /// When it was due, and how long after that it had reached the last member: seconds.
    due: f64,
    after: Option<f64>,
    acknowledged: bool,
    /// How often each member was pushed it.
    reached: Vec<u8>,
    sender: usize,
    missing: usize,
    whole: Option<oneshot::Sender<()>>,
}

/// What became of some messages.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Account {
    /// Messages that were acknowledged.
    pub acknowledged: usize,
    /// Messages that were not.
    pub refused: usize,
    /// Members that a message has reached, all messages together.
    pub deliveries: usize,
    /// Members that a message did not reach though it was acknowledged.
    pub lost: usize,
    /// Deliveries beyond the first.
    pub doubled: usize,
    /// From when a message was due until it had reached the last member: seconds, sorted.
    pub times: Vec<f64>,
}

impl Board {
    /// For a group of so many members.
    pub fn new(members: usize) -> Self {
        Self {
            began: Instant::now(),
            members,
            marks: Mutex::default(),
        }
    }

    fn with<T>(&self, deed: impl FnOnce(&mut Vec<Mark>) -> T) -> T {
        deed(&mut self.marks.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Seconds since the beginning.
    pub fn now(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// Messages so far.
    pub fn len(&self) -> usize {
        self.with(|marks| marks.len())
    }

    /// A message by a member that is due at an instant: its number, and word when it has reached everybody.
    pub fn open(&self, sender: usize, due: f64) -> (usize, oneshot::Receiver<()>) {
        let (whole, word) = oneshot::channel();
        let mark = Mark {
            due,
            after: None,
            acknowledged: false,
            reached: vec![0; self.members],
            sender,
            missing: self.members - 1,
            whole: Some(whole),
        };
        let number = self.with(|marks| {
            marks.push(mark);
            marks.len() - 1
        });
        (number, word)
    }

    /// The server took it.
    pub fn acknowledge(&self, number: usize) {
        self.with(|marks| marks[number].acknowledged = true);
    }

    /// It has come to a member. Numbers that nobody has opened are passed over.
    pub fn reach(&self, number: usize, member: usize) {
        let now = self.now();
        self.with(|marks| {
            if let Some(mark) = marks.get_mut(number) {
                mark.reach(member, now);
            }
        });
    }

    /// What became of the messages from a number on.
    pub fn account(&self, from: usize) -> Account {
        let mut account = Account::default();
        self.with(|marks| marks[from..].iter().for_each(|mark| account.add(mark)));
        account.times.sort_by(f64::total_cmp);
        account
    }
}

impl Mark {
    fn reach(&mut self, member: usize, now: f64) {
        // Whoever wrote it has it from the answer; a push besides that is the same event under the same pts.
        if member == self.sender {
            return;
        }
        let reached = &mut self.reached[member];
        *reached = reached.saturating_add(1);
        if *reached > 1 {
            return;
        }
        self.missing -= 1;
        if self.missing == 0 {
            self.after = Some(now - self.due);
            if let Some(whole) = self.whole.take() {
                // Whoever waited may have given up.
                let _ = whole.send(());
            }
        }
    }
}

impl Account {
    fn add(&mut self, mark: &Mark) {
        self.deliveries += mark.reached.iter().filter(|times| **times > 0).count();
        self.doubled += mark.reached.iter().filter(|times| **times > 1).count();
        if mark.acknowledged {
            self.acknowledged += 1;
            self.lost += mark.missing;
        } else {
            self.refused += 1;
        }
        self.times.extend(mark.after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_whole_when_it_has_reached_everybody_but_whoever_wrote_it() {
        let board = Board::new(3);
        let (number, mut word) = board.open(1, 0.0);
        board.acknowledge(number);
        board.reach(number, 0);
        board.reach(number, 1);
        assert!(word.try_recv().is_err());
        assert_eq!((board.account(0).lost, board.account(0).deliveries), (1, 1));
        board.reach(number, 2);
        assert!(word.try_recv().is_ok());
        let account = board.account(0);
        assert_eq!(
            (account.acknowledged, account.lost, account.deliveries),
            (1, 0, 2)
        );
        assert_eq!(account.times.len(), 1);
        assert!(account.times[0] > 0.0);
    }

    #[test]
    fn what_is_lost_doubled_or_refused_is_found() {
        let board = Board::new(3);
        let (first, _word) = board.open(0, 0.0);
        board.acknowledge(first);
        board.reach(first, 1);
        board.reach(first, 1);
        let (second, _word) = board.open(0, 0.0);
        board.reach(second, 2);
        board.reach(second, 2);
        board.reach(second, 2);
        board.reach(7, 1);
        let account = board.account(first);
        assert_eq!((account.lost, account.doubled, account.refused), (1, 2, 1));
        assert_eq!(account.deliveries, 2);
        assert_eq!(board.account(second).lost, 0);
    }
}
