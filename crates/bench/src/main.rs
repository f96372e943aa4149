//! `havre-bench`: measures a server of its own over its wire and prints one table.

mod board;
mod comeback;
mod flood;
mod group;
mod history;
mod letters;
mod newcomers;
mod pair;
mod pushes;
mod simulate;
mod steady;
mod storm;
mod storm_report;
mod svg;
mod table;
mod wire;

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};
use havre_bench::process::Server;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use table::Row;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Load for a server that is started for it on 127.0.0.1, with data that are removed afterwards.
#[derive(Debug, Parser)]
#[command(name = "havre-bench", version)]
struct Cli {
    #[command(subcommand)]
    run: Run,
    /// The server [default: `havre` beside this program].
    #[arg(long, value_name = "FILE", global = true)]
    havre: Option<PathBuf>,
    /// Longest time of a run, seconds.
    #[arg(long, default_value_t = 10, global = true)]
    seconds: u64,
}

#[derive(Debug, Subcommand)]
enum Run {
    /// Cost of a message as the history of a chat grows; in this process, without wire and disk.
    History {
        /// Longest history, messages.
        #[arg(long, default_value_t = 100_000)]
        messages: usize,
    },
    /// The queue for login codes over the days of a great arrival, in simulated time.
    Simulate(simulate::Plan),
    /// People inside, and a crowd that arrives.
    Flood(flood::Plan),
    /// Messages to a group whose members are all connected.
    Group(group::Plan),
    /// Everybody comes back at once after the server was killed.
    Storm(storm::Plan),
    /// The crowd, started by `flood` and `storm`.
    #[command(hide = true)]
    Newcomers(newcomers::Orders),
    #[command(flatten)]
    Wire(WireRun),
}

/// What is measured over sockets.
#[derive(Debug, Subcommand)]
enum WireRun {
    /// Keys made by clients that each connect for it.
    Handshakes {
        /// Clients that do so at the same time.
        #[arg(long, default_value_t = 16)]
        clients: usize,
        /// Most keys.
        #[arg(long, default_value_t = 10_000)]
        count: usize,
    },
    /// New accounts, each with a key of its own.
    Signups {
        /// Clients that sign up at the same time.
        #[arg(long, default_value_t = 16)]
        clients: usize,
        /// Most accounts.
        #[arg(long, default_value_t = 10_000)]
        count: usize,
    },
    /// Private messages, from the call to the push at the other end.
    Messages {
        /// Pairs of people; each pair has one message on its way.
        #[arg(long, default_value_t = 16)]
        pairs: usize,
        /// Most messages.
        #[arg(long, default_value_t = 100_000)]
        count: usize,
    },
    /// Memory of the server for each connection that says nothing.
    Idle {
        /// Most connections.
        #[arg(long, default_value_t = 10_000)]
        clients: usize,
    },
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    let within = Duration::from_secs(cli.seconds);
    let rows = match cli.run {
        Run::History { messages } => history::run(messages, within)?,
        Run::Simulate(plan) => {
            simulate::print(&plan, &simulate::run(&plan));
            return Ok(());
        }
        Run::Flood(plan) => return flood(plan, cli.havre),
        Run::Group(plan) => return group(plan, cli.havre, within),
        Run::Storm(plan) => return storm(plan, cli.havre),
        Run::Newcomers(orders) => return newcomers(orders),
        Run::Wire(run) => vec![over_wire(run, cli.havre, within)?],
    };
    table::print(&rows);
    Ok(())
}

fn over_wire(run: WireRun, havre: Option<PathBuf>, within: Duration) -> Result<Row> {
    let (runtime, data) = (runtime()?, tempfile::tempdir()?);
    let server = start(&beside(havre)?, &data, &[])?;
    runtime.block_on(async {
        match run {
            WireRun::Handshakes { clients, count } => wire::handshakes(server, clients, count, within).await,
            WireRun::Signups { clients, count } => wire::signups(server, clients, count, within).await,
            WireRun::Messages { pairs, count } => wire::messages(server, pairs, count, within).await,
            WireRun::Idle { clients } => wire::idle(server, clients, within).await,
        }
    })
}

fn flood(plan: flood::Plan, havre: Option<PathBuf>) -> Result<()> {
    let (runtime, data, havre) = (runtime()?, tempfile::tempdir()?, beside(havre)?);
    let rate = format!("console_rate={}", plan.codes);
    let server = start(&havre, &data, &[&rate])?;
    runtime.block_on(flood::run(server, havre, plan))
}

fn group(plan: group::Plan, havre: Option<PathBuf>, within: Duration) -> Result<()> {
    let (runtime, data) = (runtime()?, tempfile::tempdir()?);
    let server = start(&beside(havre)?, &data, &[])?;
    runtime.block_on(group::run(server, plan, within))
}

fn storm(plan: storm::Plan, havre: Option<PathBuf>) -> Result<()> {
    let house = storm::House {
        havre: beside(havre)?,
        data: tempfile::tempdir()?,
        address: free_address()?,
    };
    runtime()?.block_on(storm::run(house, plan))
}

fn newcomers(orders: newcomers::Orders) -> Result<()> {
    runtime()?.block_on(newcomers::run(orders))
}

fn runtime() -> Result<Runtime> {
    raise_file_limit();
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// The server's program: the one that was named, or the one beside this.
fn beside(havre: Option<PathBuf>) -> Result<PathBuf> {
    match havre {
        Some(path) => Ok(path),
        None => Ok(std::env::current_exe()?.with_file_name("havre")),
    }
}

fn start(havre: &Path, data: &TempDir, settings: &[&str]) -> Result<Server> {
    Server::start_with(
        havre,
        data.path(),
        free_address()?,
        &data.path().join("log"),
        settings,
    )
}

/// A port that was free a moment ago.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// A connection is a file here, too. What the system does not allow shows when connections fail.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    let _ = setrlimit(Resource::Nofile, raised);
}
