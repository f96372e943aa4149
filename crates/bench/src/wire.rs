//! Runs against a server over sockets.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use havre_bench::client::Client;
use havre_bench::process::Server;
use havre_tl::{enums, functions};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;

use crate::pushes::heard;
use crate::table::Row;

/// A pushed message that is not there by then is lost.
const PUSH_WITHIN: Duration = Duration::from_secs(10);

/// Keys.
pub async fn handshakes(server: Server, clients: usize, count: usize, within: Duration) -> Result<Row> {
    let server = Arc::new(server);
    let endpoint = server.endpoint().clone();
    let repeated = repeat(clients, count, within, move |_| {
        let endpoint = endpoint.clone();
        async move { Client::connect(&endpoint).await.map(drop) }
    });
    measured("handshake", &server, repeated).await
}

/// Accounts.
pub async fn signups(server: Server, clients: usize, count: usize, within: Duration) -> Result<Row> {
    let server = Arc::new(server);
    let house = Arc::clone(&server);
    let repeated = repeat(clients, count, within, move |n| {
        let server = Arc::clone(&house);
        async move {
            let client = Client::connect(server.endpoint()).await?;
            client
                .sign_up(&server.desk(), &phone(n), "Somebody")
                .await
                .map(drop)
        }
    });
    measured("sign-up with handshake", &server, repeated).await
}

/// Private messages.
pub async fn messages(server: Server, pairs: usize, count: usize, within: Duration) -> Result<Row> {
    let server = Arc::new(server);
    let mut ready = Vec::new();
    for n in 0..pairs {
        ready.push(Pair::meet(&server, n).await?);
    }
    let (until, next) = (Instant::now() + within, Arc::new(AtomicUsize::new(0)));
    let mut busy = JoinSet::new();
    for mut pair in ready {
        let next = Arc::clone(&next);
        busy.spawn(async move {
            let mut latencies = Vec::new();
            while Instant::now() < until && next.fetch_add(1, Ordering::Relaxed) < count {
                latencies.push(pair.send(latencies.len()).await?);
            }
            Ok(latencies)
        });
    }
    measured("private message to its push", &server, gathered(busy)).await
}

fn phone(n: usize) -> String {
    format!("1555{n:07}")
}

/// Two people, of whom one writes to the other.
struct Pair {
    from: Client,
    to: enums::InputPeer,
    _reader: Client,
    pushes: UnboundedReceiver<enums::Updates>,
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
            from,
            pushes: reader.take_pushes().context("pushes are taken once")?,
            _reader: reader,
        })
    }

    /// The time until the message is both acknowledged and pushed.
    async fn send(&mut self, n: usize) -> Result<Duration> {
        let (start, words) = (Instant::now(), format!("message {n}"));
        let sent = self.from.call(functions::messages::SendMessage {
            peer: self.to.clone(),
            message: words.clone(),
            random_id: i64::try_from(n)? + 1,
            ..Default::default()
        });
        let pushed = tokio::time::timeout(PUSH_WITHIN, heard(&mut self.pushes, |text| text == words));
        let (sent, pushed) = tokio::join!(sent, pushed);
        sent?;
        ensure!(pushed.context("a push was lost")?, "the connection ended");
        Ok(start.elapsed())
    }
}

/// Does `deed` up to `count` times, `clients` at a time, as long as time allows.
pub async fn repeat<F>(
    clients: usize,
    count: usize,
    within: Duration,
    deed: impl Fn(usize) -> F + Clone + Send + 'static,
) -> Result<Vec<Duration>>
where
    F: Future<Output = Result<()>> + Send,
{
    let (until, next) = (Instant::now() + within, Arc::new(AtomicUsize::new(0)));
    let mut busy = JoinSet::new();
    for _ in 0..clients {
        let (deed, next) = (deed.clone(), Arc::clone(&next));
        busy.spawn(async move {
            let mut latencies = Vec::new();
            while Instant::now() < until {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= count {
                    break;
                }
                let start = Instant::now();
                deed(n).await?;
                latencies.push(start.elapsed());
            }
            Ok(latencies)
        });
    }
    gathered(busy).await
}

async fn gathered(mut busy: JoinSet<Result<Vec<Duration>>>) -> Result<Vec<Duration>> {
    let mut all = Vec::new();
    while let Some(done) = busy.join_next().await {
        all.extend(done??);
    }
    Ok(all)
}

async fn measured(
    name: &str,
    server: &Server,
    run: impl Future<Output = Result<Vec<Duration>>>,
) -> Result<Row> {
    let (began, cpu) = (Instant::now(), server.cpu()?);
    let latencies = run.await?;
    Ok(Row {
        name: name.into(),
        count: latencies.len(),
        elapsed: began.elapsed(),
        cpu: server.cpu()? - cpu,
        latencies,
        note: String::new(),
    })
}
