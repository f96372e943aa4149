//! Sessions that are logged in and say nothing: what each costs a server that has just been started, so that its
//! memory holds them and nothing else.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use havre_bench::client::{Client, Credentials, Endpoint};
use havre_bench::process::{Desk, Server};
use havre_tl::functions;

use crate::house::House;
use crate::peers;
use crate::steady::{percentile, phone};
use crate::wire::repeat;

/// Clients that connect at the same time.
const AT_ONCE: usize = 32;
/// Longest time that all of them may take to connect.
const CONNECTED_WITHIN: Duration = Duration::from_secs(1800);
/// What connecting leaves behind is done by then.
const SETTLE: Duration = Duration::from_secs(2);
/// A process may open 20,000 files on many machines, and client and server open one each for a connection.
const SESSIONS_MAX: usize = 19_000;

/// What is measured.
#[derive(Clone, Debug, clap::Args)]
pub struct Plan {
    /// Sessions, each of an account of its own.
    #[arg(long, default_value_t = 10_000)]
    pub clients: usize,
}

/// What a number of deeds took.
struct Cost {
    elapsed: f64,
    /// Processor time of the server, seconds.
    cpu: f64,
    /// Sorted seconds of each.
    times: Vec<f64>,
}

/// Memory of the server, bytes.
#[derive(Clone, Copy)]
struct Memory {
    proportional: u64,
    resident: u64,
}

impl Memory {
    fn of(server: &Server) -> Result<Self> {
        Ok(Self {
            proportional: server.proportional()?,
            resident: server.resident()?,
        })
    }
}

/// Measures and prints; sessions are left alone for the time `idle`.
pub async fn run(house: House, plan: Plan, idle: Duration) -> Result<()> {
    ensure!(plan.clients <= SESSIONS_MAX, "at most {SESSIONS_MAX} sessions");
    let server = house.open(&[])?;
    let (keys, signed_up) = sign_up(&server, plan.clients).await?;
    server.kill()?;
    let server = house.open(&[])?;
    tokio::time::sleep(SETTLE).await;
    let empty = Memory::of(&server)?;
    let (clients, logged_in) = log_in(&server, keys).await?;
    tokio::time::sleep(SETTLE).await;
    let full = Memory::of(&server)?;
    let (began, cpu) = (Instant::now(), server.cpu()?);
    tokio::time::sleep(idle).await;
    let busy = (server.cpu()? - cpu).as_secs_f64() / began.elapsed().as_secs_f64();
    let dropped = clients.iter().filter(|client| client.is_closed()).count();
    println!(
        "{} sessions that are logged in, in a server that has just started",
        plan.clients
    );
    println!();
    println!("| | per second | p50 ms | p99 ms | server CPU ms each |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    println!("{}", signed_up.line("sign-up with its key"));
    println!("{}", logged_in.line("back with the key"));
    println!();
    println!("| memory | empty MB | with them MB | bytes each |");
    println!("| --- | ---: | ---: | ---: |");
    println!(
        "{}",
        memory("PSS", empty.proportional, full.proportional, plan.clients)
    );
    println!("{}", memory("RSS", empty.resident, full.resident, plan.clients));
    println!();
    println!(
        "idle: {:.2} % of a core for all of them; sessions dropped {dropped}",
        busy * 100.0
    );
    let each = full.proportional.saturating_sub(empty.proportional) as f64 / plan.clients.max(1) as f64;
    peers::print(&[(peers::SESSION, each / 1e3)]);
    Ok(())
}

fn memory(name: &str, empty: u64, full: u64, sessions: usize) -> String {
    let each = full.saturating_sub(empty) / sessions.max(1) as u64;
    format!("| {name} | {} | {} | {each} |", empty >> 20, full >> 20)
}

impl Cost {
    /// Of what each of `times` took, by the server's clock of processor time at the beginning and the end.
    fn of(server: &Server, began: Instant, cpu: Duration, times: Vec<Duration>) -> Result<Self> {
        let mut times: Vec<f64> = times.iter().map(Duration::as_secs_f64).collect();
        times.sort_by(f64::total_cmp);
        Ok(Self {
            elapsed: began.elapsed().as_secs_f64(),
            cpu: (server.cpu()? - cpu).as_secs_f64(),
            times,
        })
    }

    fn line(&self, name: &str) -> String {
        let count = self.times.len() as f64;
        let at = |percent| percentile(&self.times, percent) * 1e3;
        format!(
            "| {name} | {:.0} | {:.1} | {:.1} | {:.3} |",
            count / self.elapsed,
            at(50.0),
            at(99.0),
            self.cpu * 1e3 / count.max(1.0)
        )
    }
}

/// Things that many tasks hand in.
pub type Heap<T> = Arc<Mutex<Vec<T>>>;

pub fn add<T>(heap: &Heap<T>, thing: T) {
    heap.lock().unwrap_or_else(PoisonError::into_inner).push(thing);
}

pub fn take<T>(heap: &Heap<T>) -> Vec<T> {
    std::mem::take(&mut heap.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Accounts, and the key of each.
async fn sign_up(server: &Server, count: usize) -> Result<(Vec<Credentials>, Cost)> {
    let (began, cpu) = (Instant::now(), server.cpu()?);
    let (endpoint, desk, keys) = (server.endpoint().clone(), server.desk(), Heap::default());
    let held = Arc::clone(&keys);
    let times = repeat(AT_ONCE, count, CONNECTED_WITHIN, move |n| {
        let (endpoint, desk, held) = (endpoint.clone(), desk.clone(), Arc::clone(&held));
        async move {
            add(&held, account(&endpoint, &desk, n).await?);
            Ok(())
        }
    });
    let cost = Cost::of(server, began, cpu, times.await?)?;
    Ok((take(&keys), cost))
}

async fn account(endpoint: &Endpoint, desk: &Desk, n: usize) -> Result<Credentials> {
    let client = Client::connect(endpoint).await?;
    client.sign_up(desk, &phone(n), "Somebody").await?;
    Ok(client.credentials())
}

async fn log_in(server: &Server, keys: Vec<Credentials>) -> Result<(Vec<Client>, Cost)> {
    let (began, cpu) = (Instant::now(), server.cpu()?);
    let (clients, times) = sessions(server.endpoint().clone(), keys).await?;
    Ok((clients, Cost::of(server, began, cpu, times)?))
}

/// A session for each key, subscribed to what is new, in any order; and how long each took.
pub async fn sessions(endpoint: Endpoint, keys: Vec<Credentials>) -> Result<(Vec<Client>, Vec<Duration>)> {
    let (count, keys, clients) = (keys.len(), Arc::new(keys), Heap::default());
    let held = Arc::clone(&clients);
    let times = repeat(AT_ONCE, count, CONNECTED_WITHIN, move |n| {
        let (endpoint, keys, held) = (endpoint.clone(), Arc::clone(&keys), Arc::clone(&held));
        async move {
            let client = Client::resume(&endpoint, keys[n].clone()).await?;
            client.call(functions::updates::GetState {}).await?;
            add(&held, client);
            Ok(())
        }
    });
    let times = times.await?;
    Ok((take(&clients), times))
}
