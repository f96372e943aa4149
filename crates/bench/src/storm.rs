//! The storm: people are logged in, the server is killed and started again, and all of them come back at once.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use futures::future::try_join_all;
use havre_bench::client::Endpoint;
use havre_bench::process::Server;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use crate::comeback::{Absent, Back, Present};
use crate::flood::pem_of;
use crate::house::House;
use crate::letters::{Account, Letters};
use crate::newcomers::{self, Arrival, Orders};
use crate::pair::{self, Apart, Pace, Pair};
use crate::storm_report::{Report, Return};

/// People who sign up at the same time before anything is measured.
const MEETING: usize = 16;

/// What is measured.
#[derive(Clone, Debug, clap::Args)]
pub struct Plan {
    /// People who are logged in.
    #[arg(long, default_value_t = 2000)]
    pub people: usize,
    /// Pairs of them who write to each other.
    #[arg(long, default_value_t = 100)]
    pub pairs: usize,
    /// Messages a second that the pairs exchange.
    #[arg(long, default_value_t = 500.0)]
    pub rate: f64,
    /// Newcomers a second who arrive from the restart on.
    #[arg(long, default_value_t = 0.0)]
    pub newcomers: f64,
    /// Seconds before the server is killed.
    #[arg(long, default_value_t = 5.0)]
    pub calm: f64,
    /// Seconds from the restart that are looked at; more when it takes longer until all are back.
    #[arg(long, default_value_t = 15.0)]
    pub after: f64,
    /// Where the picture goes.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

/// Measures, prints and draws.
pub async fn run(house: House, plan: Plan) -> Result<()> {
    ensure!(
        plan.people >= 2 * plan.pairs && plan.pairs > 0,
        "two people for each pair, and one pair"
    );
    let server = house.open(&[])?;
    let crowd = Crowd::meet(&server, &plan).await?;
    let (clock, cpu) = (Instant::now(), server.cpu()?);
    let scattering = crowd.write(&plan, clock);
    sleep_until(clock + Duration::from_secs_f64(plan.calm)).await;
    let before = (server.cpu()? - cpu).as_secs_f64();
    server.kill()?;
    let killed = clock.elapsed().as_secs_f64();
    let away = scattering.await?;
    let server = house.open(&[])?;
    let (up, cpu) = (clock.elapsed().as_secs_f64(), server.cpu()?);
    let strangers = strangers(&plan, &house, &server)?;
    let stop = Arc::<AtomicBool>::default();
    let (returns, account) = away.come_back(server.endpoint(), &plan, clock, Arc::clone(&stop));
    let returns = gathered(returns, plan.people).await;
    let (all_back, cost) = (clock.elapsed().as_secs_f64(), server.cpu()? - cpu);
    sleep_until(clock + Duration::from_secs_f64(up + plan.after)).await;
    stop.store(true, Ordering::Relaxed);
    let report = Report {
        killed,
        up,
        all_back,
        returns,
        account: account.await?,
        cpu: (before, cost.as_secs_f64()),
        newcomers: strangers.await??,
        plan,
    };
    report.publish()
}

/// Everybody who is logged in.
struct Crowd {
    pairs: Vec<Pair>,
    others: Vec<Present>,
}

/// The same while the server is away.
struct Scattered {
    pairs: Vec<Apart>,
    others: Vec<Absent>,
}

impl Plan {
    fn pace(&self, n: usize, clock: Instant, stop: &Arc<AtomicBool>) -> Pace {
        Pace {
            clock,
            offset: n as f64 / self.rate,
            interval: self.pairs as f64 / self.rate,
            stop: Arc::clone(stop),
        }
    }
}

impl Crowd {
    async fn meet(server: &Server, plan: &Plan) -> Result<Self> {
        let (mut pairs, mut others) = (Vec::new(), Vec::new());
        for first in (0..plan.pairs).step_by(MEETING) {
            let some = first..(first + MEETING).min(plan.pairs);
            pairs.extend(try_join_all(some.map(|n| Pair::meet(server, n))).await?);
        }
        let other = async |n| Present::of(pair::sign_up(server, n).await?).await;
        for first in (2 * plan.pairs..plan.people).step_by(MEETING) {
            let some = first..(first + MEETING).min(plan.people);
            others.extend(try_join_all(some.map(other)).await?);
        }
        Ok(Self { pairs, others })
    }

    /// The pairs write until the server ends.
    fn write(self, plan: &Plan, clock: Instant) -> JoinHandle<Scattered> {
        let mut writing = JoinSet::new();
        for (n, pair) in self.pairs.into_iter().enumerate() {
            writing.spawn(pair.correspond(plan.pace(n, clock, &Arc::default())));
        }
        let others = self.others;
        tokio::spawn(async move {
            let pairs = writing.join_all().await;
            let others = others.iter().map(Present::leave).collect();
            Scattered { pairs, others }
        })
    }
}

impl Scattered {
    /// All of them at once; the pairs then write until told to stop.
    fn come_back(
        self,
        endpoint: &Endpoint,
        plan: &Plan,
        clock: Instant,
        stop: Arc<AtomicBool>,
    ) -> (UnboundedReceiver<Return>, JoinHandle<Account>) {
        let (told, returns) = mpsc::unbounded_channel();
        let (mut pairs, mut others) = (JoinSet::new(), JoinSet::new());
        let way = |told: &UnboundedSender<Return>| Way {
            endpoint: endpoint.clone(),
            clock,
            told: told.clone(),
        };
        for (n, apart) in self.pairs.into_iter().enumerate() {
            pairs.spawn(resume(apart, way(&told), plan.pace(n, clock, &stop)));
        }
        for absent in self.others {
            others.spawn(stay(absent, way(&told)));
        }
        let account = tokio::spawn(async move {
            let mut account = Account::default();
            pairs
                .join_all()
                .await
                .iter()
                .for_each(|letters| account.add(letters));
            // They stay for as long as others write.
            drop(others);
            account
        });
        (returns, account)
    }
}

/// The way back.
struct Way {
    endpoint: Endpoint,
    clock: Instant,
    told: UnboundedSender<Return>,
}

impl Way {
    /// Nothing when they stay away.
    async fn take(&self, absent: &Absent) -> Option<Back> {
        let back = absent.come_back(&self.endpoint).await;
        let told = match &back {
            Ok(back) => Return {
                at: Some(self.clock.elapsed().as_secs_f64()),
                failures: back.failures,
            },
            Err(error) => {
                eprintln!("somebody stays away: {error:#}");
                Return::default()
            }
        };
        // Whoever counts has stopped when it took too long.
        let _ = self.told.send(told);
        back.ok()
    }
}

async fn resume(apart: Apart, way: Way, pace: Pace) -> Arc<Letters> {
    let letters = Arc::clone(&apart.letters);
    let (writer, reader) = &apart.people;
    if let (Some(writer), Some(reader)) = tokio::join!(way.take(writer), way.take(reader)) {
        apart.reunite(writer, reader, way.clock).correspond(pace).await;
    }
    letters
}

async fn stay(absent: Absent, way: Way) {
    let Some(mut back) = way.take(&absent).await else {
        return;
    };
    while back.present.pushes.recv().await.is_some() {}
}

/// What became of all who were to come back.
async fn gathered(mut returns: UnboundedReceiver<Return>, people: usize) -> Vec<Return> {
    let mut all = Vec::new();
    while all.len() < people
        && let Some(one) = returns.recv().await
    {
        all.push(one);
    }
    all
}

/// Newcomers, if there are to be some.
fn strangers(plan: &Plan, house: &House, server: &Server) -> Result<JoinHandle<Result<Vec<Arrival>>>> {
    let orders = Orders {
        address: server.endpoint().address,
        data: server.desk().0,
        rate: plan.newcomers,
        during: plan.after,
        friends: plan.people,
    };
    let pem = pem_of(&house.havre, server)?;
    Ok(tokio::task::spawn_blocking(move || {
        if orders.rate == 0.0 {
            return Ok(Vec::new());
        }
        newcomers::arrive(&orders, &pem)
    }))
}
