//! Somebody who was logged in comes back with the key they have, and asks what happened meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use havre_bench::client::{Client, Credentials, Endpoint};
use havre_tl::{enums, functions};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use crate::pushes::Heard;

/// Longest time that one try is given.
const TRY_WITHIN: Duration = Duration::from_secs(20);
/// First and longest pause after a try that failed.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// Who is not back by then stays away.
const PATIENCE: Duration = Duration::from_secs(120);

/// What somebody keeps while they are away.
#[derive(Clone)]
pub struct Absent {
    credentials: Credentials,
    /// How far they know their box.
    pts: i32,
    /// The date of that state, unix time.
    date: i32,
}

/// Somebody who is connected.
pub struct Present {
    /// Their connection.
    pub client: Arc<Client>,
    /// What the server says unasked.
    pub pushes: UnboundedReceiver<enums::Updates>,
    /// How far they know their box.
    pub known: Arc<Known>,
    date: i32,
}

/// How far a box is known: the highest pts that was seen.
#[derive(Debug)]
pub struct Known(AtomicI32);

impl Known {
    /// Something with this pts was seen.
    pub fn saw(&self, pts: i32) {
        self.0.fetch_max(pts, Ordering::Relaxed);
    }
}

/// Somebody who is back.
pub struct Back {
    /// They.
    pub present: Present,
    /// Messages that came while they were away.
    pub missed: Vec<Heard>,
    /// Tries that failed before.
    pub failures: u32,
}

impl Present {
    /// Somebody who has just logged in.
    ///
    /// # Errors
    /// When the server does not say the state of their box.
    pub async fn of(client: Client) -> Result<Self> {
        let state = client.call(functions::updates::GetState {});
        let enums::updates::State::State(state) = state.await?;
        Self::at(client, (state.pts, state.date))
    }

    fn at(mut client: Client, (pts, date): (i32, i32)) -> Result<Self> {
        Ok(Self {
            pushes: client.take_pushes().context("pushes are taken once")?,
            client: Arc::new(client),
            known: Arc::new(Known(AtomicI32::new(pts))),
            date,
        })
    }

    /// What they keep when their connection ends.
    pub fn leave(&self) -> Absent {
        Absent {
            credentials: self.client.credentials(),
            pts: self.known.0.load(Ordering::Relaxed),
            date: self.date,
        }
    }
}

impl Absent {
    /// Tries until they are back: connected, and told of everything that came meanwhile.
    ///
    /// # Errors
    /// What went wrong at last, when they have lost patience.
    pub async fn come_back(&self, endpoint: &Endpoint) -> Result<Back> {
        let (began, mut pause, mut failures) = (Instant::now(), PAUSES.0, 0);
        loop {
            let failure = match tokio::time::timeout(TRY_WITHIN, self.connect(endpoint)).await {
                Ok(Ok(back)) => return Ok(Back { failures, ..back }),
                Ok(Err(failure)) => failure,
                Err(late) => late.into(),
            };
            if began.elapsed() > PATIENCE {
                return Err(failure);
            }
            failures += 1;
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    async fn connect(&self, endpoint: &Endpoint) -> Result<Back> {
        let client = Client::resume(endpoint, self.credentials.clone()).await?;
        // From here on what is new is pushed, so nothing can fall between the difference and the first push.
        client.call(functions::updates::GetState {}).await?;
        let (missed, state) = catch_up(&client, (self.pts, self.date)).await?;
        Ok(Back {
            present: Present::at(client, state)?,
            missed,
            failures: 0,
        })
    }
}

/// Messages after a state (pts and date), and the state after them.
async fn catch_up(client: &Client, mut state: (i32, i32)) -> Result<(Vec<Heard>, (i32, i32))> {
    use enums::updates::{Difference, State};
    let mut missed = Vec::new();
    loop {
        let asked = client.call(functions::updates::GetDifference {
            pts: state.0,
            date: state.1,
            ..Default::default()
        });
        let (messages, reached, more) = match asked.await? {
            Difference::DifferenceEmpty(_) => return Ok((missed, state)),
            Difference::Difference(all) => (all.new_messages, all.state, false),
            Difference::DifferenceSlice(some) => (some.new_messages, some.intermediate_state, true),
            Difference::DifferenceTooLong(_) => bail!("the server has forgotten what came meanwhile"),
        };
        let State::State(reached) = reached;
        missed.extend(
            messages
                .iter()
                .filter_map(|message| Heard::of(message, reached.pts)),
        );
        state = (reached.pts, reached.date);
        if !more {
            return Ok((missed, state));
        }
    }
}
