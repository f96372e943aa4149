//! A broadcast channel with many subscribers, some of whom are connected: what a post costs, how long it takes to the
//! last of them, and what that does to people who write to each other beside it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use futures::future::try_join_all;
use havre_bench::client::{Client, Credentials, Endpoint};
use havre_bench::process::{Desk, Server};
use havre_domain::channel_members::{self, Member, Role};
use havre_domain::ids::{ChannelId, Time, UserId};
use havre_domain::keys::partition;
use havre_domain::world::{Secret, World};
use havre_store::engine::embedded::Embedded;
use havre_tl::{enums, functions, types};
use tokio::runtime::{Handle, Runtime};
use tokio::task::JoinSet;

use crate::board::{Account, Board};
use crate::group::read;
use crate::house::House;
use crate::idle::{Heap, add, sessions, take};
use crate::peers;
use crate::steady::{People, percentile, phone, times};
use crate::wire::repeat;

/// Clients that sign up, or connect, at the same time.
const AT_ONCE: usize = 32;
/// Longest time that all of them may take.
const CONNECTED_WITHIN: Duration = Duration::from_secs(1800);
/// Members that are entered into the store with one commit.
const ENTERED_AT_ONCE: usize = 500;
/// Ids of those who never signed up: above what the server gives out.
const NOBODY: i64 = 1 << 50;
/// A post that has not reached everybody by then is lost for the rest.
const LOST_AFTER: Duration = Duration::from_secs(30);
/// Numbers of subscribers begin here; those of the people who write to each other are below.
const FIRST_SUBSCRIBER: usize = 10_000;
/// What came of connecting and of the phase before is done by then.
const SETTLE: Duration = Duration::from_secs(2);
/// The public name of the channel.
const NAME: &str = "everybody_reads";
/// Bytes of a post.
const TEXT_LEN: usize = 110;

/// What is measured.
#[derive(Clone, Debug, clap::Args)]
pub struct Plan {
    /// Subscribers in all.
    #[arg(long, default_value_t = 100_000)]
    pub subscribers: usize,
    /// Subscribers who are connected; the others are entered straight into the store.
    #[arg(long, default_value_t = 10_000)]
    pub online: usize,
    /// Posts a second.
    #[arg(long, default_value_t = 0.5)]
    pub posts: f64,
    /// Pairs of people who write to each other.
    #[arg(long, default_value_t = 20)]
    pub pairs: usize,
    /// Messages a second that they exchange.
    #[arg(long, default_value_t = 500.0)]
    pub rate: f64,
}

/// One part of the run: posts, messages beside them, or both.
struct Phase {
    name: &'static str,
    posts: Account,
    began: Instant,
    elapsed: Duration,
    /// Processor time of the server, seconds.
    cpu: f64,
    memory: u64,
}

/// Measures and prints; each part takes as long as `within`.
pub async fn run(house: House, plan: Plan, within: Duration) -> Result<()> {
    ensure!(plan.online <= plan.subscribers, "more online than subscribers");
    let server = house.open(&[])?;
    let (author, channel, keys) = subscribe(&server, plan.online).await?;
    server.kill()?;
    enter(&house, channel, plan.subscribers - plan.online).await?;
    let server = house.open(&[])?;
    let crowd = crowd()?;
    let hall = Hall::open(server, author, crowd.handle(), keys).await?;
    let pairs = People::meet(&hall.server, plan.pairs).await?;
    tokio::time::sleep(SETTLE).await;
    let alone = hall.measure("posts", hall.post(plan.posts, within)).await?;
    let exchange = pairs.begin(plan.rate);
    let quiet = hall.measure("messages", nothing(within)).await?;
    let both = hall.measure("both", hall.post(plan.posts, within)).await?;
    let (began, letters) = (exchange.began, exchange.end().await?);
    ensure!(letters.dropped == 0, "{} sessions ended", letters.dropped);
    println!(
        "{} subscribers, {} of them connected",
        plan.subscribers, plan.online
    );
    println!();
    println!(
        "| | deliveries | server cores | last p50 ms | last max ms | lost | doubled | messages p50 ms | p99 ms | server MB |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for phase in [&alone, &quiet, &both] {
        println!("{}", phase.line(&letters.arrived, began));
    }
    println!();
    println!(
        "a delivery with nothing beside: {:.4} ms of the server's processor time",
        alone.cpu_ms()
    );
    println!(
        "messages: {} a second, lost {}, doubled {}",
        plan.rate, letters.lost, letters.doubled
    );
    peers::print(&[(peers::DELIVERY_CPU, alone.cpu_ms())]);
    crowd.shutdown_background();
    Ok(())
}

/// Where the subscribers live: threads that give way to those of the server and of the people who write to each
/// other, whose delays would else be those of this program.
fn crowd() -> Result<Runtime> {
    let give_way = || {
        let _ = rustix::process::setpriority_process(None, 19);
    };
    let mut crowd = tokio::runtime::Builder::new_multi_thread();
    Ok(crowd.on_thread_start(give_way).enable_all().build()?)
}

async fn nothing(within: Duration) -> Result<()> {
    tokio::time::sleep(within).await;
    Ok(())
}

/// An author makes a channel, and people come into it by its name.
async fn subscribe(server: &Server, online: usize) -> Result<(Credentials, ChannelId, Vec<Credentials>)> {
    let author = Client::connect(server.endpoint()).await?;
    author
        .sign_up(&server.desk(), &phone(FIRST_SUBSCRIBER), "Author")
        .await?;
    let made = author.call(functions::channels::CreateChannel {
        broadcast: true,
        title: "Everybody".into(),
        ..Default::default()
    });
    let enums::Updates::Updates(made) = made.await? else {
        bail!("no channel was made");
    };
    let Some(enums::Chat::Channel(channel)) = made.chats.first() else {
        bail!("the answer names no channel");
    };
    let named = author.call(functions::channels::UpdateUsername {
        channel: types::InputChannel {
            channel_id: channel.id,
            access_hash: channel.access_hash.unwrap_or_default(),
        }
        .into(),
        username: NAME.into(),
    });
    ensure!(named.await?, "the channel has no name");
    let (endpoint, desk, keys) = (server.endpoint().clone(), server.desk(), Heap::default());
    let held = Arc::clone(&keys);
    let came = repeat(AT_ONCE, online, CONNECTED_WITHIN, move |n| {
        let (endpoint, desk, held) = (endpoint.clone(), desk.clone(), Arc::clone(&held));
        async move {
            add(&held, subscriber(&endpoint, &desk, n).await?);
            Ok(())
        }
    });
    came.await?;
    Ok((author.credentials(), ChannelId(channel.id), take(&keys)))
}

async fn subscriber(endpoint: &Endpoint, desk: &Desk, n: usize) -> Result<Credentials> {
    let client = Client::connect(endpoint).await?;
    client
        .sign_up(desk, &phone(FIRST_SUBSCRIBER + 1 + n), "Reader")
        .await?;
    let channel = input_channel(&client).await?.into();
    client.call(functions::channels::JoinChannel { channel }).await?;
    Ok(client.credentials())
}

/// The channel, as somebody may name it who found it by its name.
async fn input_channel(client: &Client) -> Result<types::InputChannel> {
    let found = client.call(functions::contacts::ResolveUsername {
        username: NAME.into(),
        ..Default::default()
    });
    let enums::contacts::ResolvedPeer::ResolvedPeer(found) = found.await?;
    let Some(enums::Chat::Channel(channel)) = found.chats.first() else {
        bail!("the channel was not found");
    };
    Ok(types::InputChannel {
        channel_id: channel.id,
        access_hash: channel.access_hash.unwrap_or_default(),
    })
}

/// Makes members of people who are not there.
async fn enter(house: &House, channel: ChannelId, many: usize) -> Result<()> {
    let store = Arc::new(Embedded::open(
        &house.data().join("store"),
        havre_store::engine::embedded::Options::default(),
    )?);
    for first in (0..many).step_by(ENTERED_AT_ONCE) {
        let mut world = World::new(store.clone(), Time::default(), [0; 32], Secret([0; 32]));
        let tx = world.subject(partition::channel(channel))?;
        for n in first..(first + ENTERED_AT_ONCE).min(many) {
            let user = UserId(NOBODY + n as i64);
            let member = Member {
                user,
                inviter: user,
                date: 1,
                present: true,
                role: Role::Plain,
            };
            channel_members::set(tx, user, Some(member)).await?;
        }
        world.commit().await?;
    }
    Ok(())
}

/// The channel, its author and those who are connected.
struct Hall {
    server: Server,
    author: Client,
    channel: enums::InputPeer,
    board: Arc<Board>,
    people: Vec<Client>,
    _readers: JoinSet<()>,
}

impl Hall {
    async fn open(
        server: Server,
        author: Credentials,
        crowd: &Handle,
        keys: Vec<Credentials>,
    ) -> Result<Self> {
        let author = Client::resume(server.endpoint(), author).await?;
        let channel = input_channel(&author).await?;
        let came = crowd.spawn(sessions(server.endpoint().clone(), keys));
        let (mut people, _) = came.await??;
        // The author comes after the subscribers, and is not told what they wrote.
        let board = Arc::new(Board::new(people.len() + 1));
        let mut readers = JoinSet::new();
        for (n, person) in people.iter_mut().enumerate() {
            let pushes = person.take_pushes().context("pushes are taken once")?;
            readers.spawn_on(read(pushes, Arc::clone(&board), n), crowd);
        }
        Ok(Self {
            server,
            author,
            channel: types::InputPeerChannel {
                channel_id: channel.channel_id,
                access_hash: channel.access_hash,
            }
            .into(),
            board,
            people,
            _readers: readers,
        })
    }

    async fn measure(&self, name: &'static str, run: impl Future<Output = Result<()>>) -> Result<Phase> {
        let (first, began, cpu) = (self.board.len(), Instant::now(), self.server.cpu()?);
        run.await?;
        let (elapsed, cpu) = (began.elapsed(), self.server.cpu()? - cpu);
        let memory = self.server.resident()?;
        tokio::time::sleep(SETTLE).await;
        Ok(Phase {
            name,
            posts: self.board.account(first),
            began,
            elapsed,
            cpu: cpu.as_secs_f64(),
            memory,
        })
    }

    /// So many posts a second, each until it has reached everybody or is lost.
    async fn post(&self, rate: f64, within: Duration) -> Result<()> {
        let (began, first) = (Instant::now(), self.board.now());
        let posts = (0..(rate * within.as_secs_f64()) as usize).map(async |n| {
            let after = n as f64 / rate;
            tokio::time::sleep_until((began + Duration::from_secs_f64(after)).into()).await;
            self.post_one(first + after).await
        });
        try_join_all(posts).await?;
        Ok(())
    }

    async fn post_one(&self, due: f64) -> Result<()> {
        let (number, whole) = self.board.open(self.readers(), due);
        let sent = self.author.call(functions::messages::SendMessage {
            peer: self.channel.clone(),
            message: format!("{number:<8}{:.<1$}", "", TEXT_LEN - 8),
            random_id: number as i64 + 1,
            ..Default::default()
        });
        sent.await?;
        self.board.acknowledge(number);
        // Whether it came is on the board.
        let _ = tokio::time::timeout(LOST_AFTER, whole).await;
        Ok(())
    }

    fn readers(&self) -> usize {
        self.people.len()
    }
}

impl Phase {
    /// Processor time of the server for a delivery, milliseconds.
    fn cpu_ms(&self) -> f64 {
        self.cpu * 1e3 / (self.posts.deliveries as f64).max(1.0)
    }

    /// `arrived` is when each message of the pairs was due after `since`, and how long it took, seconds.
    fn line(&self, arrived: &[(f64, f64)], since: Instant) -> String {
        let from = self
            .began
            .checked_duration_since(since)
            .map(|from| from.as_secs_f64());
        let letters = from.map_or_else(Vec::new, |from| {
            times(arrived, from, from + self.elapsed.as_secs_f64())
        });
        let Account {
            deliveries,
            lost,
            doubled,
            times,
            ..
        } = &self.posts;
        let at = |sorted: &[f64], percent| percentile(sorted, percent) * 1e3;
        format!(
            "| {} | {deliveries} | {:.2} | {:.0} | {:.0} | {lost} | {doubled} | {:.1} | {:.1} | {} |",
            self.name,
            self.cpu / self.elapsed.as_secs_f64(),
            at(times, 50.0),
            at(times, 100.0),
            at(&letters, 50.0),
            at(&letters, 99.0),
            self.memory >> 20,
        )
    }
}
