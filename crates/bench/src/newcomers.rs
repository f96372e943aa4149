//! People who arrive: each makes a key, asks for a code, waits as long as told, signs up, looks somebody up and
//! writes to them. They run in a process of their own, so that they do not slow down who measures.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use havre_bench::client::{CallError, Client, Endpoint};
use havre_bench::process::Desk;
use havre_mtproto::crypto::RsaKey;
use havre_tl::functions;
use tokio::task::JoinSet;

use crate::steady;

/// Newcomers on their way at once: each has a file open here and one at the server.
const AT_ONCE_MAX: usize = 15_000;
/// Who has not signed up by then gives up.
const PATIENCE: Duration = Duration::from_secs(120);
/// Longest time that a connection is given to make a key.
const KEY_WITHIN: Duration = Duration::from_secs(20);
/// First and longest pause after a connection was refused.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(8));

/// How the process of newcomers is told what to do; the server's public key comes on its standard input.
#[derive(Clone, Debug, clap::Args)]
pub struct Orders {
    /// The server.
    #[arg(long)]
    pub address: SocketAddr,
    /// Its data folder.
    #[arg(long)]
    pub data: PathBuf,
    /// Arrivals a second.
    #[arg(long)]
    pub rate: f64,
    /// For so many seconds.
    #[arg(long)]
    pub during: f64,
    /// People inside, to each of whom some of them write.
    #[arg(long)]
    pub friends: usize,
}

/// What became of one newcomer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Arrival {
    /// When they came, seconds after the first.
    pub came: f64,
    /// How long it took them to sign up and write, seconds; nothing when they gave up.
    pub took: Option<f64>,
    /// Seconds that they were told to wait for a code at first; 0 when they had it at once.
    pub told: f64,
    /// Seconds until they had it.
    pub waited: f64,
    /// How often they were turned away before they had a key.
    pub turned_away: u32,
}

impl Arrival {
    fn line(&self) -> String {
        let took = self.took.unwrap_or(-1.0);
        let Self {
            came,
            told,
            waited,
            turned_away,
            ..
        } = self;
        format!("{came} {took} {told} {waited} {turned_away}")
    }

    fn parse(line: &str) -> Result<Self> {
        let fields: Vec<f64> = line
            .split_whitespace()
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        let [came, took, told, waited, turned_away] = fields[..] else {
            anyhow::bail!("not what became of a newcomer: {line}");
        };
        Ok(Self {
            came,
            took: (took >= 0.0).then_some(took),
            told,
            waited,
            turned_away: turned_away as u32,
        })
    }
}

/// Starts the process, and gives what became of each newcomer once all are done.
pub fn arrive(orders: &Orders, pem: &str) -> Result<Vec<Arrival>> {
    // They stand for other people's machines, so they take only what this one has left.
    let mut process = Command::new("chrt")
        .args(["--idle", "0"])
        .arg(std::env::current_exe()?)
        .arg("newcomers")
        .args(["--address", &orders.address.to_string()])
        .arg("--data")
        .arg(&orders.data)
        .args(["--rate", &orders.rate.to_string()])
        .args(["--during", &orders.during.to_string()])
        .args(["--friends", &orders.friends.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("the newcomers cannot start")?;
    let mut stdin = process.stdin.take().context("the input is piped")?;
    stdin.write_all(pem.as_bytes())?;
    drop(stdin);
    let lines = BufReader::new(process.stdout.take().context("the output is piped")?).lines();
    let arrivals = lines.map(|line| Arrival::parse(&line?)).collect();
    process.wait()?;
    arrivals
}

/// The process.
pub async fn run(orders: Orders) -> Result<()> {
    let mut pem = String::new();
    std::io::stdin().read_to_string(&mut pem)?;
    let key = RsaKey::from_public_der(pem::parse(&pem)?.contents())?;
    let endpoint = Endpoint {
        address: orders.address,
        key: Arc::new(key),
    };
    let (began, orders) = (Instant::now(), Arc::new(orders));
    let (mut on_their_way, mut n) = (JoinSet::new(), 0_usize);
    let people = (orders.rate * orders.during) as usize;
    while n < people && began.elapsed().as_secs_f64() < orders.during {
        let due = began + Duration::from_secs_f64(n as f64 / orders.rate);
        tokio::time::sleep_until(due.into()).await;
        if on_their_way.len() < AT_ONCE_MAX {
            on_their_way.spawn(newcomer(endpoint.clone(), Arc::clone(&orders), n, began));
        }
        n += 1;
        while let Some(arrival) = on_their_way.try_join_next() {
            println!("{}", arrival?.line());
        }
    }
    while let Some(arrival) = on_their_way.join_next().await {
        println!("{}", arrival?.line());
    }
    Ok(())
}

async fn newcomer(endpoint: Endpoint, orders: Arc<Orders>, n: usize, began: Instant) -> Arrival {
    let came = Instant::now();
    let mut arrival = Arrival {
        came: (came - began).as_secs_f64(),
        ..Arrival::default()
    };
    let way = sign_up(&endpoint, &orders, n, &mut arrival);
    if let Ok(Ok(())) = tokio::time::timeout(PATIENCE, way).await {
        arrival.took = Some(came.elapsed().as_secs_f64());
    }
    arrival
}

async fn sign_up(endpoint: &Endpoint, orders: &Orders, n: usize, arrival: &mut Arrival) -> Result<()> {
    let (phone, desk) = (format!("1666{n:07}"), Desk(orders.data.clone()));
    let client = connect(endpoint, arrival).await?;
    let attempt = ask_code(&client, &phone, arrival).await?;
    let code = desk.code(&phone).await?;
    client.enter_code(&code, &phone, attempt, "Newcomer").await?;
    let friend = client.peer_of(&steady::phone(n % orders.friends)).await?;
    client
        .call(functions::messages::SendMessage {
            peer: friend,
            message: "hello".into(),
            random_id: 1,
            ..Default::default()
        })
        .await?;
    Ok(())
}

/// Until there is a key.
async fn connect(endpoint: &Endpoint, arrival: &mut Arrival) -> Result<Client> {
    let mut pause = PAUSES.0;
    loop {
        let connected = tokio::time::timeout(KEY_WITHIN, async {
            let client = Client::connect(endpoint).await?;
            client.introduce().await?;
            anyhow::Ok(client)
        });
        if let Ok(Ok(client)) = connected.await {
            return Ok(client);
        }
        arrival.turned_away += 1;
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

/// Until there is a code, waiting as long as told.
async fn ask_code(client: &Client, phone: &str, arrival: &mut Arrival) -> Result<String> {
    let began = Instant::now();
    loop {
        match client.ask_code(phone).await {
            Ok(attempt) => {
                arrival.waited = began.elapsed().as_secs_f64();
                return Ok(attempt);
            }
            Err(CallError::Refused { code: 420, text }) => {
                let seconds: u64 = text.trim_start_matches("FLOOD_WAIT_").parse()?;
                if arrival.told == 0.0 {
                    arrival.told = seconds as f64;
                }
                tokio::time::sleep(Duration::from_secs(seconds)).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_a_newcomer_is_a_line() {
        for took in [None, Some(1.5)] {
            let arrival = Arrival {
                came: 0.25,
                took,
                told: 3.0,
                waited: 3.125,
                turned_away: 2,
            };
            assert_eq!(Arrival::parse(&arrival.line()).unwrap(), arrival);
        }
        assert!(Arrival::parse("1 2 3").is_err());
    }
}
