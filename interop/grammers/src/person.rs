//! One session of one person: the client, what it knows of others, and its updates.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use grammers_client::client::PasswordToken;
use grammers_client::tl::{enums, types};
use grammers_client::{Client, SenderPool};
use grammers_mtsender::{AutoSleep, ConnectionParams, UpdatesConfiguration};
use grammers_session::Session as _;
use grammers_session::storages::MemorySession;
use grammers_session::types::{DcOption, PeerAuth, PeerId, PeerInfo, PeerRef, UpdateState, UpdatesState};
use grammers_session::updates::UpdatesLike;
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinHandle;

use crate::{describe, emit};

pub const API_ID: i32 = 1;
pub const API_HASH: &str = "00000000000000000000000000000000";

pub struct Person {
    session: Arc<MemorySession>,
    connection: Mutex<Option<Connection>>,
    hashes: Mutex<HashMap<i64, i64>>,
    pub login: tokio::sync::Mutex<Login>,
}

#[derive(Default)]
pub struct Login {
    pub phone: String,
    pub code_hash: String,
    pub password: Option<PasswordToken>,
}

struct Connection {
    client: Client,
    pool: JoinHandle<()>,
    /// Held until somebody is logged in: before that the library asks for states it cannot get.
    updates: Option<Receiver<UpdatesLike>>,
    stream: Option<JoinHandle<()>>,
}

fn variable(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| format!("{name} is not set"))
}

impl Person {
    pub async fn new() -> Result<Self> {
        let session = Arc::new(MemorySession::default());
        let id = variable("HAVRE_DC")?.parse()?;
        let port = variable("HAVRE_PORT")?.parse()?;
        let ipv4 = SocketAddrV4::new(variable("HAVRE_HOST")?.parse::<Ipv4Addr>()?, port);
        let ipv6 = SocketAddrV6::new(Ipv6Addr::LOCALHOST, port, 0, 0);
        session
            .set_dc_option(&DcOption {
                id,
                ipv4,
                ipv6,
                auth_key: None,
            })
            .await?;
        session.set_home_dc_id(id).await?;
        Ok(Self {
            session,
            connection: Mutex::default(),
            hashes: Mutex::default(),
            login: Default::default(),
        })
    }

    pub fn client(&self) -> Result<Client> {
        let connection = self.connection.lock().map_err(|_| anyhow!("poisoned"))?;
        connection
            .as_ref()
            .map(|connection| connection.client.clone())
            .context("not connected")
    }

    pub async fn connect(&self) -> Result<()> {
        let params = ConnectionParams {
            retry_policy: Box::new(AutoSleep {
                tries: 20.try_into()?,
                io_errors_as_flood_of: Some(Duration::from_millis(500)),
                ..AutoSleep::default()
            }),
            ..ConnectionParams::default()
        };
        let pool = SenderPool::with_configuration(Arc::clone(&self.session), API_ID, params);
        let client = Client::new(pool.handle);
        let runner = tokio::spawn(pool.runner.run());
        let connection = Connection {
            client: client.clone(),
            pool: runner,
            updates: Some(pool.updates),
            stream: None,
        };
        *self.connection.lock().map_err(|_| anyhow!("poisoned"))? = Some(connection);
        if client.is_authorized().await? {
            self.start_updates().await?;
        }
        Ok(())
    }

    pub async fn disconnect(&self) -> Result<()> {
        let connection = self.connection.lock().map_err(|_| anyhow!("poisoned"))?.take();
        let Some(connection) = connection else {
            return Ok(());
        };
        connection.client.disconnect();
        connection.pool.await?;
        if let Some(stream) = connection.stream {
            stream.await?;
        }
        Ok(())
    }

    /// What the library does after a login of its own kind; sign-up and QR have none there.
    pub async fn complete_login(&self, user: &types::User) -> Result<()> {
        let auth = user.access_hash.map(PeerAuth::from_hash);
        let own = PeerInfo::User {
            id: user.id,
            auth,
            bot: Some(user.bot),
            is_self: Some(true),
        };
        self.session.cache_peer(own).await?;
        let client = self.client()?;
        let enums::updates::State::State(state) = client
            .invoke(&grammers_client::tl::functions::updates::GetState {})
            .await?;
        let (pts, qts, date, seq) = (state.pts, state.qts, state.date, state.seq);
        let state = UpdatesState {
            pts,
            qts,
            date,
            seq,
            channels: Vec::new(),
        };
        self.session.set_update_state(UpdateState::All(state)).await?;
        self.start_updates().await
    }

    /// Reports updates until the connection is given up, and then keeps how far they came.
    pub async fn start_updates(&self) -> Result<()> {
        let client = self.client()?;
        let updates = {
            let mut connection = self.connection.lock().map_err(|_| anyhow!("poisoned"))?;
            connection
                .as_mut()
                .and_then(|connection| connection.updates.take())
        };
        let Some(updates) = updates else { return Ok(()) };
        let configuration = UpdatesConfiguration { catch_up: true };
        let stream = client.stream_updates(updates, configuration).await;
        let mut stream = stream.map_err(|error| anyhow!("{error}"))?;
        let task = tokio::spawn(async move {
            loop {
                match stream.next().await {
                    Ok(update) => describe::event(&update).iter().for_each(emit),
                    Err(error) => {
                        eprintln!("updates: {error}");
                        break;
                    }
                }
            }
            let _ = stream.sync_update_state().await;
        });
        if let Some(connection) = self.connection.lock().map_err(|_| anyhow!("poisoned"))?.as_mut() {
            connection.stream = Some(task);
        }
        Ok(())
    }

    /// Remembers how people may be addressed.
    pub fn remember(&self, users: &[enums::User]) {
        let Ok(mut hashes) = self.hashes.lock() else {
            return;
        };
        for user in users {
            if let enums::User::User(types::User {
                id,
                access_hash: Some(hash),
                ..
            }) = user
            {
                hashes.insert(*id, *hash);
            }
        }
    }

    pub async fn peer(&self, name: &str) -> Result<PeerRef> {
        let (kind, id) = name.split_once(':').with_context(|| format!("no peer: {name}"))?;
        let id: i64 = id.parse()?;
        if kind == "chat" {
            return Ok(PeerId::chat(id)
                .with_context(|| format!("chat id {id} is out of range"))?
                .to_ambient_ref());
        }
        let id = PeerId::user(id).with_context(|| format!("user id {id} is out of range"))?;
        if let Some(found) = self.session.peer_ref(id).await? {
            return Ok(found);
        }
        let hashes = self.hashes.lock().map_err(|_| anyhow!("poisoned"))?;
        let hash = id.bare_id().and_then(|id| hashes.get(&id).copied());
        Ok(PeerRef {
            id,
            auth: PeerAuth::from_hash(hash.with_context(|| format!("{name} is not known"))?),
        })
    }
}
