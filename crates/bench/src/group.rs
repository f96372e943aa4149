//! A group whose members are all connected: how many deliveries a second there are when its writers wait only for
//! one another, and how long a message takes to the last member at half of that.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use futures::future::try_join_all;
use havre_bench::client::Client;
use havre_bench::process::Server;
use havre_tl::{enums, functions, types};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;

use crate::board::{Account, Board};
use crate::house::House;
use crate::peers;
use crate::pushes::heard;
use crate::steady::{percentile, phone};

/// Members that sign up at the same time before anything is measured.
const MEETING: usize = 16;
/// A delivery that has not come by then is lost.
const LOST_AFTER: Duration = Duration::from_secs(15);
/// A message's text has about this many bytes, as many as in measurements of other servers.
const TEXT_LEN: usize = 110;
/// What comes twice comes soon.
const DOUBLED_WITHIN: Duration = Duration::from_millis(300);

/// What is measured.
#[derive(Clone, Debug, clap::Args)]
pub struct Plan {
    /// Members; a basic group takes up to 200.
    #[arg(long, default_value_t = 200)]
    pub members: usize,
    /// Members who write.
    #[arg(long, default_value_t = 8)]
    pub senders: usize,
}

/// One part of the run.
struct Phase {
    name: String,
    account: Account,
    elapsed: f64,
    /// Processor time of the server, seconds.
    cpu: f64,
}

/// Measures and prints: a time `within` at saturation, and as long at half of it.
pub async fn run(house: House, plan: Plan, within: Duration) -> Result<()> {
    ensure!(
        plan.members > plan.senders,
        "somebody must read: fewer senders than members"
    );
    let hall = Arc::new(Hall::open(house.open(&[])?, &plan).await?);
    let busiest = hall.measure("saturated", hall.saturate(within)).await?;
    let half = busiest.account.acknowledged as f64 / busiest.elapsed / 2.0;
    let name = format!("half: {half:.0} messages/s");
    let steady = hall.measure(&name, hall.write_steadily(half, within)).await?;
    print(&plan, &[busiest, steady]);
    Ok(())
}

/// Processor time of the server for a delivery at saturation, seconds.
pub async fn saturate(house: &House, plan: &Plan, within: Duration) -> Result<f64> {
    let hall = Arc::new(Hall::open(house.open(&[])?, plan).await?);
    let busiest = hall.measure("saturated", hall.saturate(within)).await?;
    Ok(busiest.cpu_ms() / 1e3)
}

/// The group and its people.
struct Hall {
    server: Server,
    chat: enums::InputPeer,
    people: Vec<Client>,
    senders: usize,
    board: Arc<Board>,
    _readers: JoinSet<()>,
}

impl Hall {
    async fn open(server: Server, plan: &Plan) -> Result<Self> {
        let mut people = Vec::new();
        for first in (0..plan.members).step_by(MEETING) {
            let some = first..(first + MEETING).min(plan.members);
            people.extend(try_join_all(some.map(|n| member(&server, n))).await?);
        }
        let board = Arc::new(Board::new(plan.members));
        let mut readers = JoinSet::new();
        for (n, person) in people.iter_mut().enumerate() {
            let pushes = person.take_pushes().context("pushes are taken once")?;
            readers.spawn(read(pushes, Arc::clone(&board), n));
        }
        Ok(Self {
            chat: gather(&people[0], plan.members).await?,
            server,
            people,
            senders: plan.senders,
            board,
            _readers: readers,
        })
    }

    async fn measure(&self, name: &str, run: impl Future<Output = Result<()>>) -> Result<Phase> {
        let (first, began, cpu) = (self.board.len(), Instant::now(), self.server.cpu()?);
        run.await?;
        let (elapsed, cpu) = (began.elapsed(), self.server.cpu()? - cpu);
        tokio::time::sleep(DOUBLED_WITHIN).await;
        Ok(Phase {
            name: name.into(),
            account: self.board.account(first),
            elapsed: elapsed.as_secs_f64(),
            cpu: cpu.as_secs_f64(),
        })
    }

    /// Each sender writes as soon as everybody has what they wrote before.
    fn saturate(self: &Arc<Self>, within: Duration) -> impl Future<Output = Result<()>> + use<> {
        let (hall, until) = (Arc::clone(self), Instant::now() + within);
        let mut writing = JoinSet::new();
        for sender in 0..hall.senders {
            let hall = Arc::clone(&hall);
            writing.spawn(async move {
                while Instant::now() < until {
                    hall.write(sender, hall.board.now()).await;
                }
            });
        }
        all(writing)
    }

    /// The senders write in turn, `rate` messages a second in all, whatever the server does meanwhile.
    fn write_steadily(
        self: &Arc<Self>,
        rate: f64,
        within: Duration,
    ) -> impl Future<Output = Result<()>> + use<> {
        let hall = Arc::clone(self);
        async move {
            let (began, first) = (Instant::now(), hall.board.now());
            let mut writing = JoinSet::new();
            for n in 0..(rate * within.as_secs_f64()) as usize {
                let after = n as f64 / rate;
                tokio::time::sleep_until((began + Duration::from_secs_f64(after)).into()).await;
                let hall = Arc::clone(&hall);
                writing.spawn(async move { hall.write(n % hall.senders, first + after).await });
            }
            all(writing).await
        }
    }

    /// One message, until it has reached everybody or is lost.
    async fn write(&self, sender: usize, due: f64) {
        let (number, whole) = self.board.open(sender, due);
        let sent = self.people[sender].call(functions::messages::SendMessage {
            peer: self.chat.clone(),
            message: format!("{number:<8}{:.<1$}", "", TEXT_LEN - 8),
            random_id: number as i64 + 1,
            ..Default::default()
        });
        match sent.await {
            Ok(_) => self.board.acknowledge(number),
            Err(refused) => return eprintln!("a message was refused: {refused}"),
        }
        // Whether it came is on the board.
        let _ = tokio::time::timeout(LOST_AFTER, whole).await;
    }
}

async fn all(mut tasks: JoinSet<()>) -> Result<()> {
    while let Some(done) = tasks.join_next().await {
        done?;
    }
    Ok(())
}

async fn member(server: &Server, n: usize) -> Result<Client> {
    let client = Client::connect(server.endpoint()).await?;
    client.sign_up(&server.desk(), &phone(n), "Member").await?;
    // Only who asked for the state of things is pushed what is new.
    client.call(functions::updates::GetState {}).await?;
    Ok(client)
}

/// Notes what a member is pushed, until the connection ends.
pub async fn read(mut pushes: UnboundedReceiver<enums::Updates>, board: Arc<Board>, member: usize) {
    let note = |text: &str| {
        let number = text.split('.').next().and_then(|n| n.trim().parse().ok());
        if let Some(number) = number {
            board.reach(number, member);
        }
        false
    };
    heard(&mut pushes, note).await;
}

/// The first of the people makes a group of all.
async fn gather(founder: &Client, members: usize) -> Result<enums::InputPeer> {
    let phones: Vec<String> = (1..members).map(phone).collect();
    let user = |(user_id, access_hash)| types::InputUser { user_id, access_hash }.into();
    let users = founder.find(&phones).await?.into_iter().map(user).collect();
    let made = founder.call(functions::messages::CreateChat {
        users,
        title: "Everybody".into(),
        ..Default::default()
    });
    let enums::messages::InvitedUsers::InvitedUsers(made) = made.await?;
    let enums::Updates::Updates(updates) = made.updates else {
        anyhow::bail!("no group: {:?}", made.updates);
    };
    ensure!(made.missing_invitees.is_empty(), "somebody cannot be added");
    let chat = updates.chats.iter().find_map(|chat| match chat {
        enums::Chat::Chat(chat) => Some(chat),
        _ => None,
    });
    let chat = chat.context("the answer names no group")?;
    ensure!(
        chat.participants_count as usize == members,
        "{} members",
        chat.participants_count
    );
    Ok(types::InputPeerChat { chat_id: chat.id }.into())
}

fn print(plan: &Plan, phases: &[Phase]) {
    println!(
        "group of {}, {} of whom write; times until the last member has it",
        plan.members, plan.senders
    );
    println!();
    println!(
        "| load | deliveries/s | CPU ms each | server cores | p50 ms | p99 ms | p99.9 ms | lost | doubled |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for phase in phases {
        println!("{}", phase.line());
    }
    if let [busiest, ..] = phases {
        peers::print(&[
            (peers::DELIVERIES, busiest.rate()),
            (peers::DELIVERY_CPU, busiest.cpu_ms()),
        ]);
    }
}

impl Phase {
    /// Deliveries a second.
    fn rate(&self) -> f64 {
        self.account.deliveries as f64 / self.elapsed
    }

    /// Processor time of the server for a delivery, milliseconds.
    fn cpu_ms(&self) -> f64 {
        self.cpu * 1e3 / (self.account.deliveries as f64).max(1.0)
    }

    fn line(&self) -> String {
        let Account {
            lost, doubled, times, ..
        } = &self.account;
        let at = |percent| percentile(times, percent) * 1e3;
        format!(
            "| {} | {:.0} | {:.4} | {:.2} | {:.1} | {:.1} | {:.1} | {lost} | {doubled} |",
            self.name,
            self.rate(),
            self.cpu_ms(),
            self.cpu / self.elapsed,
            at(50.0),
            at(99.0),
            at(99.9),
        )
    }
}
