//! `havre-bench`: measures a server of its own over its wire and prints one table.

mod board;
mod channel;
mod check;
mod comeback;
mod flood;
mod flood_report;
mod floors;
mod group;
mod history;
mod house;
mod idle;
mod letters;
mod limits;
mod newcomers;
mod pair;
mod peers;
mod pushes;
mod simulate;
mod steady;
mod storm;
mod storm_report;
mod svg;
mod table;
mod wire;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};
use house::House;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
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
    /// Posts to a channel with many subscribers, and messages beside them.
    Channel(channel::Plan),
    /// Messages to a group whose members are all connected.
    Group(group::Plan),
    /// What sessions cost that are logged in and say nothing.
    Idle(idle::Plan),
    /// Everybody comes back at once after the server was killed.
    Storm(storm::Plan),
    /// How far a handshake, a message and a delivery are from what they take at least; four parts, each takes
    /// `--seconds`.
    Limits,
    /// The crowd, started by `flood` and `storm`.
    #[command(hide = true)]
    Newcomers(newcomers::Orders),
    #[command(flatten)]
    Wire(WireRun),
}

/// What is measured over sockets.
#[derive(Clone, Copy, Debug, Subcommand)]
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
        #[arg(long, default_value_t = 100)]
        pairs: usize,
        /// Most messages.
        #[arg(long, default_value_t = 100_000)]
        count: usize,
    },
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    let within = Duration::from_secs(cli.seconds);
    let house = || House::new(cli.havre.clone());
    let rows = match cli.run {
        Run::History { messages } => history::run(messages, within)?,
        Run::Simulate(plan) if plan.check => return runtime()?.block_on(check::run(house()?, &plan)),
        Run::Simulate(plan) => return simulate::show(&plan),
        Run::Flood(plan) => return runtime()?.block_on(flood::run(house()?, plan)),
        Run::Channel(plan) => return runtime()?.block_on(channel::run(house()?, plan, within)),
        Run::Group(plan) => return runtime()?.block_on(group::run(house()?, plan, within)),
        Run::Idle(plan) => return runtime()?.block_on(idle::run(house()?, plan, within)),
        Run::Storm(plan) => return runtime()?.block_on(storm::run(house()?, plan)),
        Run::Limits => return limits::run(house, &runtime()?, within),
        Run::Newcomers(orders) => return runtime()?.block_on(newcomers::run(orders)),
        Run::Wire(run) => return over_wire(run, &house()?, within),
    };
    table::print(&rows);
    Ok(())
}

fn over_wire(run: WireRun, house: &House, within: Duration) -> Result<()> {
    let server = house.open(&[])?;
    let row = runtime()?.block_on(async {
        match run {
            WireRun::Handshakes { clients, count } => wire::handshakes(server, clients, count, within).await,
            WireRun::Signups { clients, count } => wire::signups(server, clients, count, within).await,
            WireRun::Messages { pairs, count } => wire::messages(server, pairs, count, within).await,
        }
    })?;
    let (rate, cpu) = (row.rate(), row.cpu_ms());
    table::print(&[row]);
    match run {
        WireRun::Handshakes { .. } => {}
        WireRun::Signups { .. } => peers::print(&[(peers::SIGN_UPS, rate), (peers::SIGN_UP_CPU, cpu)]),
        WireRun::Messages { .. } => peers::print(&[(peers::MESSAGES, rate), (peers::MESSAGE_CPU, cpu)]),
    }
    Ok(())
}

fn runtime() -> Result<Runtime> {
    raise_file_limit();
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
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
