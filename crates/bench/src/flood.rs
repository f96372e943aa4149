//! The flood: people who are inside write to each other at a steady rate, and a crowd of newcomers arrives.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use havre_bench::process::Server;
use tokio::time::{Instant, sleep_until};

use crate::flood_report::{Instantaneous, Report};
use crate::house::House;
use crate::newcomers::{self, Orders};
use crate::steady::People;

/// What is measured.
#[derive(Clone, Debug, clap::Args)]
pub struct Plan {
    /// People inside; half of them write to the other half.
    #[arg(long, default_value_t = 200)]
    pub people: usize,
    /// Messages a second that they exchange [default: a fifth of what they can].
    #[arg(long)]
    pub rate: Option<f64>,
    /// Newcomers a second [default: 450, about three times what server and clients manage on two cores].
    #[arg(long)]
    pub arrivals: Option<f64>,
    /// Codes a second that the provider delivers.
    #[arg(long, default_value_t = 1000)]
    pub codes: u32,
    /// Seconds in which it is measured how many messages the people inside can exchange.
    #[arg(long, default_value_t = 5.0)]
    pub saturate: f64,
    /// Seconds before and after the flood.
    #[arg(long, default_value_t = 10.0)]
    pub calm: f64,
    /// Seconds of the flood.
    #[arg(long, default_value_t = 30.0)]
    pub flood: f64,
    /// Where the picture goes.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

/// Sign-ups a second of a server and its clients on two shared cores, beside people who write.
const SIGN_UPS: f64 = 150.0;
/// How often memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Seconds for what the flood leaves behind, before what comes after it is measured.
const SETTLE: f64 = 2.0;

/// Memory of the server over time: seconds, and bytes.
type Memory = Arc<Mutex<Vec<(f64, u64)>>>;

/// Measures and prints.
pub async fn run(house: House, plan: Plan) -> Result<()> {
    let rate = format!("console_rate={}", plan.codes);
    let server = Arc::new(house.open(&[&rate])?);
    let mut people = People::meet(&server, plan.people / 2).await?;
    let saturated = people.saturate(Duration::from_secs_f64(plan.saturate)).await?;
    let rate = plan.rate.unwrap_or(saturated / 5.0);
    let arrivals_rate = plan.arrivals.unwrap_or(3.0 * SIGN_UPS);
    let orders = Orders {
        address: server.endpoint().address,
        data: server.desk().0,
        rate: arrivals_rate,
        during: plan.flood,
        friends: plan.people,
    };
    let pem = pem_of(&house.havre, &server)?;
    let exchange = people.begin(rate);
    let began: Instant = exchange.began.into();
    let memory = watch_memory(Arc::clone(&server), began);
    let at = |seconds: f64| sleep_until(began + Duration::from_secs_f64(seconds));
    let start = Instantaneous::of(&server)?;
    at(plan.calm).await;
    let before = Instantaneous::of(&server)?;
    let crowd = tokio::task::spawn_blocking(move || newcomers::arrive(&orders, &pem));
    at(plan.calm + plan.flood).await;
    let during = Instantaneous::of(&server)?;
    // Those who wait for their code still come; what comes after them is measured without.
    let arrivals = crowd.await??;
    let calm_again = began.elapsed().as_secs_f64() + SETTLE;
    at(calm_again + plan.calm).await;
    let end = Instantaneous::of(&server)?;
    let report = Report {
        rate,
        saturated,
        arrivals_rate,
        flood: (plan.calm, plan.calm + plan.flood),
        account: exchange.end().await?,
        arrivals,
        server: [start, before, during, end],
        memory: memory.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        calm_again,
        plan,
    };
    report.publish()
}

/// The server's public key as its operator reads it.
pub fn pem_of(havre: &PathBuf, server: &Server) -> Result<String> {
    let mut keys = std::process::Command::new(havre);
    let keys = keys.args(["keys", "--pem", "--data"]).arg(server.desk().0);
    Ok(String::from_utf8(keys.output()?.stdout)?)
}

/// Notes the memory that the server holds, for as long as it runs: seconds since `began`, and bytes.
fn watch_memory(server: Arc<Server>, began: Instant) -> Memory {
    let memory = Memory::default();
    let noted = Arc::clone(&memory);
    tokio::spawn(async move {
        while let Ok(resident) = server.resident() {
            let now = began.elapsed().as_secs_f64();
            noted
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((now, resident));
            tokio::time::sleep(LOOK_EVERY).await;
        }
    });
    memory
}
