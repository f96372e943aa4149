//! People who are inside: pairs of whom one writes to the other at a steady rate, whatever the server does
//! meanwhile. A message's time begins when it was due: a server that stalls cannot make its delays vanish by
//! delaying who measures them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use havre_bench::client::Client;
use havre_bench::process::Server;
use havre_tl::{enums, functions};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;

use crate::pushes::heard;

/// Pairs that sign up at the same time before anything is measured.
const MEETING: usize = 8;
/// A message that has not come by then is lost.
const LOST_AFTER: Duration = Duration::from_secs(15);

/// One message.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sent {
    /// When it was due, seconds after the beginning.
    due: f64,
    acknowledged: bool,
    /// How often it was pushed to whom it was for, and how long after it was due at first.
    pushed: u32,
    after: f64,
}

/// What one pair did.
#[derive(Debug, Default)]
struct Ledger(Mutex<Vec<Sent>>);

impl Ledger {
    fn with<T>(&self, deed: impl FnOnce(&mut Vec<Sent>) -> T) -> T {
        deed(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What became of all messages.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Account {
    /// When each that arrived was due, and how long it took: seconds.
    pub arrived: Vec<(f64, f64)>,
    /// Acknowledged, and not arrived.
    pub lost: usize,
    /// Arrived more than once.
    pub doubled: usize,
    /// Not acknowledged.
    pub refused: usize,
    /// Sessions that ended.
    pub dropped: usize,
}

impl Account {
    fn add(&mut self, sent: &[Sent]) {
        for message in sent {
            match message {
                Sent {
                    pushed: 0,
                    acknowledged,
                    ..
                } if *acknowledged => self.lost += 1,
                Sent { pushed: 0, .. } => self.refused += 1,
                Sent {
                    due, after, pushed, ..
                } => {
                    self.arrived.push((*due, *after));
                    self.doubled += usize::from(*pushed > 1);
                }
            }
        }
    }

    /// Sorted times of messages that were due within a span, seconds.
    pub fn times(&self, from: f64, until: f64) -> Vec<f64> {
        times(&self.arrived, from, until)
    }
}

/// Sorted times of what was due within a span; `arrived` is when each was due and how long it took, seconds.
pub fn times(arrived: &[(f64, f64)], from: f64, until: f64) -> Vec<f64> {
    let within = arrived.iter().filter(|(due, _)| (from..until).contains(due));
    let mut times: Vec<f64> = within.map(|(_, after)| *after).collect();
    times.sort_by(f64::total_cmp);
    times
}

/// The value that `percent` of the sorted ones do not pass; 0 for none.
pub fn percentile<T: Copy + Default>(sorted: &[T], percent: f64) -> T {
    let place = (sorted.len() as f64 * percent / 100.0).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied().unwrap_or_default()
}

/// People in pairs.
pub struct People {
    pairs: Vec<Pair>,
}

struct Pair {
    from: Arc<Client>,
    to: enums::InputPeer,
    reader: Client,
    pushes: UnboundedReceiver<enums::Updates>,
}

/// The number of somebody who is inside.
pub fn phone(n: usize) -> String {
    format!("1555{n:07}")
}

impl Pair {
    async fn meet(server: &Server, n: usize) -> Result<Self> {
        let (from, mut reader) = tokio::try_join!(
            Client::connect(server.endpoint()),
            Client::connect(server.endpoint())
        )?;
        from.sign_up(&server.desk(), &phone(2 * n), "Alice").await?;
        reader.sign_up(&server.desk(), &phone(2 * n + 1), "Bob").await?;
        // Only who asked for the state of things is pushed what is new.
        reader.call(functions::updates::GetState {}).await?;
        Ok(Self {
            to: from.peer_of(&phone(2 * n + 1)).await?,
            from: Arc::new(from),
            pushes: reader.take_pushes().context("pushes are taken once")?,
            reader,
        })
    }
}

impl People {
    /// So many pairs sign up.
    pub async fn meet(server: &Server, pairs: usize) -> Result<Self> {
        let mut people = Self { pairs: Vec::new() };
        for first in (0..pairs).step_by(MEETING) {
            let meeting = (first..(first + MEETING).min(pairs)).map(|n| Pair::meet(server, n));
            people.pairs.extend(futures::future::try_join_all(meeting).await?);
        }
        Ok(people)
    }

    /// Messages a second that they exchange when each waits only for the one before.
    pub async fn saturate(&mut self, during: Duration) -> Result<f64> {
        let (began, mut count) = (Instant::now(), 0);
        let busy = self.pairs.iter_mut().map(|pair| pair.exchange(began + during));
        for done in futures::future::try_join_all(busy).await? {
            count += done;
        }
        Ok(count as f64 / began.elapsed().as_secs_f64())
    }

    /// Begins to exchange `rate` messages a second in all, until the result is told to stop.
    pub fn begin(self, rate: f64) -> Exchange {
        let (began, stop) = (Instant::now(), Arc::new(AtomicBool::new(false)));
        let interval = self.pairs.len() as f64 / rate;
        let mut ended = JoinSet::new();
        for (n, pair) in self.pairs.into_iter().enumerate() {
            let offset = n as f64 / rate;
            let stop = Arc::clone(&stop);
            ended.spawn(pair.write_steadily(began, offset, interval, stop));
        }
        Exchange { began, stop, ended }
    }
}

/// An exchange that goes on.
pub struct Exchange {
    /// When it began.
    pub began: Instant,
    stop: Arc<AtomicBool>,
    ended: JoinSet<(Vec<Sent>, bool)>,
}

impl Exchange {
    /// Ends it, and says what became of all messages.
    pub async fn end(mut self) -> Result<Account> {
        self.stop.store(true, Ordering::Relaxed);
        let mut account = Account::default();
        while let Some(pair) = self.ended.join_next().await {
            let (sent, dropped) = pair?;
            account.add(&sent);
            account.dropped += usize::from(dropped);
        }
        Ok(account)
    }
}

impl Pair {
    async fn exchange(&mut self, until: Instant) -> Result<usize> {
        let mut count = 0;
        while Instant::now() < until {
            count += 1;
            let text = format!("s {count}");
            let sent = send(&self.from, &self.to, text.clone(), -(count as i64));
            let (sent, _) = tokio::join!(sent, heard(&mut self.pushes, |heard| heard == text));
            sent?;
        }
        Ok(count)
    }

    /// Also says whether a session ended meanwhile.
    async fn write_steadily(
        self,
        began: Instant,
        offset: f64,
        interval: f64,
        stop: Arc<AtomicBool>,
    ) -> (Vec<Sent>, bool) {
        let ledger = Arc::new(Ledger::default());
        let Self {
            from,
            to,
            reader,
            pushes,
        } = self;
        let reading = tokio::spawn(read(pushes, Arc::clone(&ledger), began));
        while !stop.load(Ordering::Relaxed) {
            let n = ledger.with(|sent| sent.len());
            let due = offset + interval * n as f64;
            tokio::time::sleep_until((began + Duration::from_secs_f64(due)).into()).await;
            ledger.with(|sent| {
                sent.push(Sent {
                    due,
                    ..Sent::default()
                });
            });
            let (from, to, ledger) = (Arc::clone(&from), to.clone(), Arc::clone(&ledger));
            tokio::spawn(async move {
                match send(&from, &to, format!("m {n}"), n as i64 + 1).await {
                    Ok(()) => ledger.with(|sent| sent[n].acknowledged = true),
                    Err(refused) => eprintln!("a message was refused: {refused}"),
                };
            });
        }
        let deadline = Instant::now() + LOST_AFTER;
        while Instant::now() < deadline && ledger.with(|sent| sent.iter().any(|m| m.pushed == 0)) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // What comes twice comes soon.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let dropped = reading.is_finished() || from.is_closed();
        reading.abort();
        drop(reader);
        (ledger.with(std::mem::take), dropped)
    }
}

async fn send(from: &Client, to: &enums::InputPeer, message: String, random_id: i64) -> Result<()> {
    let request = functions::messages::SendMessage {
        peer: to.clone(),
        message,
        random_id,
        ..Default::default()
    };
    from.call(request).await?;
    Ok(())
}

/// Notes what is pushed, until the connection ends.
async fn read(mut pushes: UnboundedReceiver<enums::Updates>, ledger: Arc<Ledger>, began: Instant) {
    let note = |text: &str| {
        let n = text.strip_prefix("m ").and_then(|n| n.parse::<usize>().ok());
        let now = began.elapsed().as_secs_f64();
        ledger.with(|sent| {
            if let Some(message) = n.and_then(|n| sent.get_mut(n)) {
                message.pushed += 1;
                if message.pushed == 1 {
                    message.after = now - message.due;
                }
            }
        });
        false
    };
    heard(&mut pushes, note).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_or_doubled_is_found() {
        let message = |acknowledged, pushed| Sent {
            due: 1.0,
            acknowledged,
            pushed,
            after: 0.5,
        };
        let mut account = Account::default();
        account.add(&[
            message(true, 1),
            message(true, 0),
            message(true, 2),
            message(false, 0),
            message(false, 1),
        ]);
        assert_eq!((account.lost, account.doubled, account.refused), (1, 1, 1));
        assert_eq!(account.times(0.0, 2.0), [0.5; 3]);
        assert_eq!(account.times(1.5, 2.0), [0.0; 0]);
    }

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let sorted: Vec<f64> = (1..=1000).map(f64::from).collect();
        assert_eq!(percentile(&sorted, 50.0), 500.0);
        assert_eq!(percentile(&sorted, 99.9), 999.0);
        assert_eq!(percentile(&sorted[..1], 99.0), 1.0);
        assert_eq!(percentile::<f64>(&[], 99.0), 0.0);
    }
}
