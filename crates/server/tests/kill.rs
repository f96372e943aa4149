//! `kill -9` under load: what was acknowledged is kept, nothing is doubled, and the server starts again
//! without a word of complaint.
//!
//! People send numbered texts to each other. At a drawn moment the server is killed and started again on
//! the same data; they come back with their keys and repeat, under the same random id, what was not
//! acknowledged. `HAVRE_KILLS` and `HAVRE_SEED` choose how often and which moments.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panic")]

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use havre_bench::client::{CallError, Client, Credentials, Endpoint};
use havre_bench::process::Server;
use havre_tl::{enums, functions};
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng as _, SeedableRng as _};
use tokio::task::JoinSet;

const HAVRE: &str = env!("CARGO_BIN_EXE_havre");

/// People; each sends to all others.
const PEOPLE: usize = 4;

/// Calls of one person that are on their way at the same time.
const HANDS: usize = 3;

/// Effects reach their boxes within this time, or are taken as lost.
const SETTLE_WITHIN: Duration = Duration::from_secs(10);

fn chosen(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

/// A text on its way. It is the only one with these words, so words tell it apart in every box.
#[derive(Clone)]
struct Sent {
    from: usize,
    to: usize,
    words: String,
    random_id: i64,
}

/// One of a person's hands: sends one text at a time and holds on to it until it is acknowledged.
struct Hand {
    rng: ChaCha12Rng,
    number: u64,
    held: Option<Sent>,
    acknowledged: Vec<(Sent, i32)>,
}

impl Hand {
    fn next(&mut self, me: usize, hand: usize) -> Sent {
        let held = self.held.take().unwrap_or_else(|| {
            self.number += 1;
            let others = u64::try_from(PEOPLE - 1).unwrap();
            let step = usize::try_from(self.rng.next_u64() % others).unwrap() + 1;
            Sent {
                from: me,
                to: (me + step) % PEOPLE,
                words: format!("{me}.{hand}.{}", self.number),
                random_id: self.rng.next_u64().cast_signed(),
            }
        });
        self.held = Some(held.clone());
        held
    }

    /// Sends until the connection ends; with `last`, only what is held.
    async fn send(
        &mut self,
        client: &Client,
        peers: &[Option<enums::InputPeer>],
        at: (usize, usize),
        last: bool,
    ) {
        while !last || self.held.is_some() {
            let sent = self.next(at.0, at.1);
            let call = client.call(functions::messages::SendMessage {
                peer: peers[sent.to].clone().unwrap(),
                message: sent.words.clone(),
                random_id: sent.random_id,
                ..Default::default()
            });
            match call.await {
                Ok(updates) => {
                    let id = message_id(&updates, sent.random_id);
                    self.acknowledged.push((sent, id));
                    self.held = None;
                }
                Err(CallError::Lost) => return,
                Err(error) => panic!("{} was refused: {error}", sent.words),
            }
        }
    }
}

/// The id that the acknowledgement gives to a message.
fn message_id(updates: &enums::Updates, random_id: i64) -> i32 {
    let found = match updates {
        enums::Updates::UpdateShortSentMessage(sent) => Some(sent.id),
        enums::Updates::Updates(told) => told.updates.iter().find_map(|update| match update {
            enums::Update::UpdateMessageID(u) if u.random_id == random_id => Some(u.id),
            _ => None,
        }),
        _ => None,
    };
    found.unwrap_or_else(|| panic!("an acknowledgement without message id: {updates:?}"))
}

/// A person's box as `updates.getDifference` tells it, from a place on.
#[derive(Clone, Debug, PartialEq)]
struct Mirror {
    pts: i32,
    date: i32,
    /// Id and words of each message, and whether it was sent by its owner.
    messages: BTreeMap<i32, (String, bool)>,
}

impl Mirror {
    async fn start(client: &Client) -> Self {
        let state = client.call(functions::updates::GetState {}).await.unwrap();
        let enums::updates::State::State(state) = state;
        Self {
            pts: state.pts,
            date: state.date,
            messages: BTreeMap::new(),
        }
    }

    /// Takes everything that is new; checks that no place in the count of events is left out.
    async fn catch_up(&mut self, client: &Client) -> Result<(), CallError> {
        loop {
            let difference = client.call(functions::updates::GetDifference {
                pts: self.pts,
                date: self.date,
                ..Default::default()
            });
            let (messages, state, more) = match difference.await? {
                enums::updates::Difference::DifferenceEmpty(_) => return Ok(()),
                enums::updates::Difference::Difference(d) => (d.new_messages, d.state, false),
                enums::updates::Difference::DifferenceSlice(d) => {
                    (d.new_messages, d.intermediate_state, true)
                }
                other => panic!("no difference: {other:?}"),
            };
            let enums::updates::State::State(state) = state;
            let told = i32::try_from(messages.len()).unwrap();
            assert_eq!(
                state.pts - self.pts,
                told,
                "the count of events has gaps after {}",
                self.pts
            );
            messages.into_iter().for_each(|message| self.take(message));
            (self.pts, self.date) = (state.pts, state.date);
            if !more {
                return Ok(());
            }
        }
    }

    fn take(&mut self, message: enums::Message) {
        let enums::Message::Message(message) = message else {
            panic!("only texts were sent: {message:?}");
        };
        let words = (message.message, message.out);
        let before = self.messages.insert(message.id, words);
        assert_eq!(before, None, "message {} was told twice", message.id);
    }

    fn ids_of(&self, words: &str) -> Vec<(i32, bool)> {
        let matching = self.messages.iter().filter(|(_, (w, _))| w == words);
        matching.map(|(id, (_, out))| (*id, *out)).collect()
    }
}

/// Somebody with everything that their app keeps.
struct Person {
    at: usize,
    credentials: Credentials,
    peers: Vec<Option<enums::InputPeer>>,
    hands: Vec<Hand>,
    origin: Mirror,
    mirror: Mirror,
}

impl Person {
    /// Comes back, looks at what is new, and sends until the server is gone, or with `last` until
    /// everything is acknowledged.
    async fn round(&mut self, endpoint: &Endpoint, last: bool) {
        let Ok(client) = Client::resume(endpoint, self.credentials.clone()).await else {
            return;
        };
        match self.begin(&client).await {
            Ok(()) => {}
            Err(CallError::Lost) if !last => return,
            Err(error) => panic!("person {} does not come back in: {error}", self.at),
        }
        let (client, peers) = (Arc::new(client), Arc::new(self.peers.clone()));
        let mut busy = JoinSet::new();
        for (n, mut hand) in self.hands.drain(..).enumerate() {
            let (client, peers, at) = (Arc::clone(&client), Arc::clone(&peers), (self.at, n));
            busy.spawn(async move {
                hand.send(&client, &peers, at, last).await;
                (n, hand)
            });
        }
        let mut hands = busy.join_all().await;
        hands.sort_by_key(|(n, _)| *n);
        self.hands = hands.into_iter().map(|(_, hand)| hand).collect();
    }

    async fn begin(&mut self, client: &Client) -> Result<(), CallError> {
        client.introduce().await?;
        self.mirror.catch_up(client).await?;
        self.check_own();
        Ok(())
    }

    /// Everything acknowledged stands once, under the id that was acknowledged, in the sender's box. Looked
    /// at when the app comes back; later that is looked at again with everything else.
    fn check_own(&self) {
        for (sent, id) in self.hands.iter().flat_map(|hand| hand.acknowledged.last()) {
            assert_eq!(
                self.mirror.ids_of(&sent.words),
                [(*id, true)],
                "{} in its sender's box",
                sent.words
            );
        }
    }
}

fn phone(n: usize) -> String {
    format!("1555{n:07}")
}

async fn move_in(server: &Server, rng: &mut ChaCha12Rng) -> Vec<Person> {
    let mut clients = Vec::new();
    for n in 0..PEOPLE {
        let client = Client::connect(server.endpoint()).await.unwrap();
        client
            .sign_up(&server.desk(), &phone(n), &format!("Person {n}"))
            .await
            .unwrap();
        clients.push(client);
    }
    let mut people = Vec::new();
    for (at, client) in clients.iter().enumerate() {
        let mut peers = Vec::new();
        for n in 0..PEOPLE {
            peers.push(if n == at {
                None
            } else {
                Some(client.peer_of(&phone(n)).await.unwrap())
            });
        }
        let hands = (0..HANDS).map(|_| Hand {
            rng: ChaCha12Rng::seed_from_u64(rng.next_u64()),
            number: 0,
            held: None,
            acknowledged: Vec::new(),
        });
        let mirror = Mirror::start(client).await;
        people.push(Person {
            at,
            credentials: client.credentials(),
            peers,
            hands: hands.collect(),
            origin: mirror.clone(),
            mirror,
        });
    }
    people
}

/// One life of the server: people come back and send; when `life` is over it is killed.
async fn live(server: Server, people: Vec<Person>, life: Duration) -> Vec<Person> {
    let endpoint = server.endpoint().clone();
    let mut busy = JoinSet::new();
    for mut person in people {
        let endpoint = endpoint.clone();
        busy.spawn(async move {
            person.round(&endpoint, false).await;
            person
        });
    }
    tokio::time::sleep(life).await;
    server.kill().unwrap();
    let mut people = busy.join_all().await;
    people.sort_by_key(|person| person.at);
    people
}

/// Repeats what is still held and waits until every box has what was sent to it.
async fn settle(server: &Server, people: &mut [Person]) {
    for person in people.iter_mut() {
        person.round(server.endpoint(), true).await;
    }
    let expected: Vec<usize> = (0..PEOPLE)
        .map(|n| {
            acknowledged(people)
                .filter(|(sent, _)| sent.to == n || sent.from == n)
                .count()
        })
        .collect();
    let began = Instant::now();
    for person in people.iter_mut() {
        let client = Client::resume(server.endpoint(), person.credentials.clone())
            .await
            .unwrap();
        client.introduce().await.unwrap();
        person.mirror.catch_up(&client).await.unwrap();
        while person.mirror.messages.len() < expected[person.at] && began.elapsed() < SETTLE_WITHIN {
            tokio::time::sleep(Duration::from_millis(50)).await;
            person.mirror.catch_up(&client).await.unwrap();
        }
        let mut again = person.origin.clone();
        again.catch_up(&client).await.unwrap();
        assert_eq!(
            again.messages, person.mirror.messages,
            "what was told once is told again"
        );
    }
}

fn acknowledged(people: &[Person]) -> impl Iterator<Item = &(Sent, i32)> {
    people
        .iter()
        .flat_map(|person| &person.hands)
        .flat_map(|hand| &hand.acknowledged)
}

fn check_boxes(people: &[Person]) {
    for (sent, id) in acknowledged(people) {
        let own = people[sent.from].mirror.ids_of(&sent.words);
        assert_eq!(own, [(*id, true)], "{} in its sender's box", sent.words);
        let theirs = people[sent.to].mirror.ids_of(&sent.words);
        assert!(
            matches!(theirs[..], [(_, false)]),
            "{} in its recipient's box: {theirs:?}",
            sent.words
        );
    }
    let entries: usize = people.iter().map(|person| person.mirror.messages.len()).sum();
    assert_eq!(
        entries,
        acknowledged(people).count() * 2,
        "boxes hold what nobody sent"
    );
}

/// A port that was free a moment ago: every life of the server listens on the same.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn check_log(log: &Path) {
    let text = fs::read_to_string(log).unwrap();
    let bad = text
        .lines()
        .find(|line| line.contains("ERROR") || line.contains("panicked"));
    assert_eq!(bad, None, "the server complained");
}

fn check_data(data: &Path) {
    let output = Command::new(HAVRE)
        .arg("check")
        .arg("--data")
        .arg(data)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && text.contains("store: sound"),
        "{output:?}"
    );
    println!("{text}");
}

struct Place {
    data: PathBuf,
    log: PathBuf,
    address: SocketAddr,
}

impl Place {
    fn start(&self) -> Server {
        Server::start(Path::new(HAVRE), &self.data, self.address, &self.log).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_being_killed() {
    let (kills, seed) = (chosen("HAVRE_KILLS", 50), chosen("HAVRE_SEED", 1));
    let folder = tempfile::tempdir().unwrap();
    let place = Place {
        data: folder.path().join("data"),
        log: folder.path().join("log"),
        address: free_address(),
    };
    let mut rng = ChaCha12Rng::seed_from_u64(seed);
    let mut server = place.start();
    let mut people = move_in(&server, &mut rng).await;
    let (began, mut starting) = (Instant::now(), Duration::ZERO);
    for kill in 1..=kills {
        let life = Duration::from_millis(20 + rng.next_u64() % 281);
        people = live(server, people, life).await;
        let start = Instant::now();
        server = place.start();
        starting += start.elapsed();
        check_log(&place.log);
        if kill % 10 == 0 {
            let count = acknowledged(&people).count();
            println!(
                "{kill} kills, {count} acknowledged, {:?}, {starting:?} of it starting",
                began.elapsed()
            );
        }
    }
    settle(&server, &mut people).await;
    check_boxes(&people);
    check_log(&place.log);
    server.kill().unwrap();
    check_data(&place.data);
}
