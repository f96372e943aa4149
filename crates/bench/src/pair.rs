//! Two people, of whom one writes to the other at a steady rate, across the end of a server and their way back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use havre_bench::client::{CallError, Client};
use havre_bench::process::Server;
use havre_tl::{enums, functions};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::comeback::{Absent, Back, Known, Present};
use crate::letters::Letters;
use crate::pushes::Heard;
use crate::steady::phone;

/// A message that has not come by then is lost.
const LOST_AFTER: Duration = Duration::from_secs(15);
/// What comes twice comes soon.
const DOUBLED_WITHIN: Duration = Duration::from_millis(300);
/// How often it is looked whether all has arrived.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Both are connected.
pub struct Pair {
    letters: Arc<Letters>,
    to: enums::InputPeer,
    writer: Present,
    reader: Present,
}

/// The server has ended, or they have stopped.
pub struct Apart {
    /// What was written.
    pub letters: Arc<Letters>,
    /// Who writes, and who reads.
    pub people: (Absent, Absent),
    to: enums::InputPeer,
}

/// When a pair writes.
#[derive(Clone)]
pub struct Pace {
    /// Times are counted from here.
    pub clock: Instant,
    /// Seconds until the first message.
    pub offset: f64,
    /// Seconds from one to the next.
    pub interval: f64,
    /// No more of them.
    pub stop: Arc<AtomicBool>,
}

impl Pair {
    /// Pair `n` signs up.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn meet(server: &Server, n: usize) -> Result<Self> {
        let (writer, reader) = (sign_up(server, 2 * n).await?, sign_up(server, 2 * n + 1).await?);
        Ok(Self {
            letters: Arc::default(),
            to: writer.peer_of(&phone(2 * n + 1)).await?,
            writer: Present::of(writer).await?,
            reader: Present::of(reader).await?,
        })
    }

    /// Sends again what was not acknowledged, then goes on until told to stop or until the server ends.
    pub async fn correspond(mut self, pace: Pace) -> Apart {
        let desk = Desk {
            from: Arc::clone(&self.writer.client),
            known: Arc::clone(&self.writer.known),
            to: self.to.clone(),
            letters: Arc::clone(&self.letters),
        };
        let clock = pace.clock;
        let mut writing = std::pin::pin!(desk.write(pace));
        let reading = read(&mut self.reader.pushes, &self.reader.known, &self.letters, clock);
        tokio::select! {
            () = &mut writing => {}
            () = reading => writing.await,
        }
        Apart {
            people: (self.writer.leave(), self.reader.leave()),
            letters: self.letters,
            to: self.to,
        }
    }
}

impl Apart {
    /// Both are back.
    pub fn reunite(self, writer: Back, reader: Back, clock: Instant) -> Pair {
        let now = clock.elapsed().as_secs_f64();
        reader
            .missed
            .iter()
            .for_each(|heard| self.letters.note(heard, now));
        Pair {
            letters: self.letters,
            to: self.to,
            writer: writer.present,
            reader: reader.present,
        }
    }
}

/// Where one writes.
#[derive(Clone)]
struct Desk {
    from: Arc<Client>,
    known: Arc<Known>,
    to: enums::InputPeer,
    letters: Arc<Letters>,
}

impl Desk {
    async fn write(self, pace: Pace) {
        let mut sending = JoinSet::new();
        for number in self.letters.repeat() {
            sending.spawn(self.clone().send(number));
        }
        let mut due = pace.clock.elapsed().as_secs_f64() + pace.offset;
        loop {
            sleep_until(pace.clock + Duration::from_secs_f64(due)).await;
            if pace.stop.load(Ordering::Relaxed) || self.from.is_closed() {
                break;
            }
            sending.spawn(self.clone().send(self.letters.open(due)));
            due += pace.interval;
        }
        while sending.join_next().await.is_some() {}
        self.settle().await;
    }

    async fn send(self, number: usize) {
        let sent = self.from.call(functions::messages::SendMessage {
            peer: self.to.clone(),
            message: Letters::text(number),
            random_id: number as i64 + 1,
            ..Default::default()
        });
        match sent.await {
            Ok(updates) => {
                Heard::all(&updates)
                    .iter()
                    .for_each(|heard| self.known.saw(heard.pts));
                self.letters.acknowledge(number);
            }
            // It is sent again when they are back.
            Err(CallError::Lost) => {}
            Err(refused) => eprintln!("a message was refused: {refused}"),
        }
    }

    /// Until all has arrived, if it still can.
    async fn settle(&self) {
        let deadline = Instant::now() + LOST_AFTER;
        while !self.from.is_closed() && self.letters.is_awaited() && Instant::now() < deadline {
            sleep(LOOK_EVERY).await;
        }
        if !self.from.is_closed() {
            sleep(DOUBLED_WITHIN).await;
        }
    }
}

/// Notes what is pushed, until the connection ends.
async fn read(
    pushes: &mut UnboundedReceiver<enums::Updates>,
    known: &Known,
    letters: &Letters,
    clock: Instant,
) {
    while let Some(updates) = pushes.recv().await {
        let now = clock.elapsed().as_secs_f64();
        for heard in Heard::all(&updates) {
            letters.note(&heard, now);
            known.saw(heard.pts);
        }
    }
}

/// Somebody new, with the number that belongs to `n`.
///
/// # Errors
/// When the server refuses.
pub async fn sign_up(server: &Server, n: usize) -> Result<Client> {
    let client = Client::connect(server.endpoint()).await?;
    client.sign_up(&server.desk(), &phone(n), "Somebody").await?;
    Ok(client)
}
