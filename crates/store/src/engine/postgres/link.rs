//! A connection that is made again after it was lost.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Row, Statement};

use crate::StoreError;
use crate::engine::postgres::{OpenError, schema};

/// Longest wait for a connection, unless the address says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for an answer. Whoever waits longer is told that the store is unavailable.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// After a failed attempt the next one is made this much later, and calls in between fail at once.
const RECONNECT_PAUSE: Duration = Duration::from_millis(250);

/// Whether a statement's answer waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    Synced,
    Lazy,
}

/// Reads an address and adds the limits of time that it lacks.
pub(super) fn parse(address: &str) -> Result<Config, OpenError> {
    let mut config: Config = address
        .parse()
        .map_err(|error| OpenError::Address(describe(&error)))?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(ANSWER_TIMEOUT);
    }
    Ok(config)
}

#[derive(Debug)]
pub(super) struct Link {
    config: Config,
    durability: Durability,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    New,
    Open(Arc<Session>),
    Failed { at: Instant, cause: StoreError },
}

impl Link {
    pub(super) fn new(config: Config, durability: Durability) -> Self {
        Self {
            config,
            durability,
            state: Mutex::new(State::New),
        }
    }

    /// The present connection, or a new one. Callers wait for one attempt together.
    pub(super) async fn session(&self) -> Result<Arc<Session>, StoreError> {
        let mut state = self.state.lock().await;
        match &*state {
            State::Open(session) if session.is_usable() => return Ok(Arc::clone(session)),
            State::Failed { at, cause } if at.elapsed() < RECONNECT_PAUSE => return Err(cause.clone()),
            State::New | State::Open(_) | State::Failed { .. } => {}
        }
        let attempt = timeout(ANSWER_TIMEOUT, Session::open(&self.config, self.durability)).await;
        match attempt.unwrap_or_else(|_| Err(StoreError::Unavailable("the database does not answer".into())))
        {
            Ok(session) => {
                let session = Arc::new(session);
                *state = State::Open(Arc::clone(&session));
                Ok(session)
            }
            Err(cause) => {
                *state = State::Failed {
                    at: Instant::now(),
                    cause: cause.clone(),
                };
                Err(cause)
            }
        }
    }
}

/// One connection with its prepared statements. Calls from many tasks are pipelined.
#[derive(Debug)]
pub(super) struct Session {
    client: Client,
    /// The task that moves the bytes. Stopped when an answer took too long, which closes the connection.
    traffic: tokio::task::JoinHandle<()>,
    pub(super) commit: Statement,
    pub(super) read: Statement,
    pub(super) pending: Statement,
    pub(super) outbox: Statement,
    pub(super) settle: Statement,
}

impl Session {
    async fn open(config: &Config, durability: Durability) -> Result<Self, StoreError> {
        let (client, connection) = config.connect(NoTls).await.map_err(|error| unavailable(&error))?;
        // An error of the connection is also an error of the calls on it.
        let traffic = tokio::spawn(async move { drop(connection.await) });
        let setup = client.batch_execute(settings(durability)).await;
        setup.map_err(|error| unavailable(&error))?;
        let prepare = async |sql| client.prepare(sql).await.map_err(|error| unavailable(&error));
        Ok(Self {
            commit: prepare(schema::COMMIT).await?,
            read: prepare(schema::READ).await?,
            pending: prepare(schema::PENDING).await?,
            outbox: prepare(schema::OUTBOX).await?,
            settle: prepare(schema::SETTLE).await?,
            client,
            traffic,
        })
    }

    /// Runs a prepared statement.
    pub(super) async fn query(
        &self,
        statement: &Statement,
        arguments: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        let answer = self.answer(self.client.query(statement, arguments)).await?;
        answer.map_err(|error| unavailable(&error))
    }

    /// The connection itself, for several statements in one round trip. Await them through
    /// [`Session::answer`].
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Waits for `answers`, but not for ever: then the connection is given up.
    pub(super) async fn answer<T>(&self, answers: impl Future<Output = T>) -> Result<T, StoreError> {
        timeout(ANSWER_TIMEOUT, answers).await.map_err(|_| {
            self.traffic.abort();
            StoreError::Unavailable("the database does not answer".into())
        })
    }

    fn is_usable(&self) -> bool {
        !self.client.is_closed() && !self.traffic.is_finished()
    }
}

/// Each statement sees what was committed before it. A database set to answer before the disk has the
/// commit is set right for this session; a stricter setting (a standby) is kept.
fn settings(durability: Durability) -> &'static str {
    match durability {
        Durability::Synced => {
            "SET default_transaction_isolation = 'read committed';
             SELECT set_config('synchronous_commit', 'on', false)
             WHERE current_setting('synchronous_commit') = 'off'"
        }
        Durability::Lazy => {
            "SET default_transaction_isolation = 'read committed'; SET synchronous_commit = 'off'"
        }
    }
}

pub(super) fn unavailable(error: &tokio_postgres::Error) -> StoreError {
    StoreError::Unavailable(describe(error))
}

/// The whole chain of causes: the outermost alone says only "db error". What the database refused stays out
/// of it: the details of a refusal may show the row, and this text reaches the log.
pub(super) fn describe(error: &tokio_postgres::Error) -> String {
    if let Some(refusal) = error.as_db_error() {
        return format!(
            "{} {}: {}",
            refusal.severity(),
            refusal.code().code(),
            refusal.message()
        );
    }
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
