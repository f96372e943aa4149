//! Many partitions' commits in one transaction and one round trip.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use futures::channel::oneshot;
use futures::future::maybe_done;
use tokio::sync::mpsc;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;

use crate::engine::postgres::link::{Link, Session, unavailable};
use crate::layout::{self, Rows};
use crate::limits::commit_bytes;
use crate::{Commit, CommitError, EffectId, StoreError, Version, Write};

/// A batch that reached this many bytes takes no further commit.
const BATCH_BYTES_MAX: usize = 4 << 20;
/// How often a batch is run again after the database chose it as the loser of a lock conflict.
const RETRIES_MAX: u32 = 5;

#[derive(Debug)]
pub(super) struct Request {
    pub(super) commit: Arc<Commit>,
    pub(super) reply: oneshot::Sender<Result<Version, CommitError>>,
}

pub(super) struct Writer {
    link: Link,
    batch_commits_max: usize,
}

/// What a commit came to, before it is known to be durable.
type Outcome = Result<Version, CommitError>;

enum BatchError {
    /// Rolled back for the sake of another transaction: nothing happened, and it may work now.
    Again(StoreError),
    /// Anything else; the outcome may be unknown.
    Failed(StoreError),
}

impl Writer {
    pub(super) fn new(link: Link, batch_commits_max: usize) -> Self {
        Self {
            link,
            batch_commits_max,
        }
    }

    /// Works until the store is dropped.
    pub(super) async fn run(self, mut inbox: mpsc::UnboundedReceiver<Request>) {
        while let Some(first) = inbox.recv().await {
            let mut requests = self.drain(first, &mut inbox);
            // Stable, so commits of one partition stay in order.
            requests.sort_by(|a, b| a.commit.partition.cmp(&b.commit.partition));
            let commits: Vec<_> = requests
                .iter()
                .map(|request| Arc::clone(&request.commit))
                .collect();
            let outcomes = self.write(&commits).await;
            let outcomes = outcomes.unwrap_or_else(|error| vec![Err(error.into()); commits.len()]);
            for (request, outcome) in requests.into_iter().zip(outcomes) {
                // Who asked may have gone away.
                let _ = request.reply.send(outcome);
            }
        }
    }

    fn drain(&self, first: Request, inbox: &mut mpsc::UnboundedReceiver<Request>) -> Vec<Request> {
        let mut bytes = commit_bytes(&first.commit);
        let mut requests = vec![first];
        while bytes < BATCH_BYTES_MAX && requests.len() < self.batch_commits_max {
            let Ok(request) = inbox.try_recv() else { break };
            bytes += commit_bytes(&request.commit);
            requests.push(request);
        }
        requests
    }

    async fn write(&self, commits: &[Arc<Commit>]) -> Result<Vec<Outcome>, StoreError> {
        let calls: Vec<_> = commits.iter().map(|commit| Call::new(commit)).collect();
        let mut retries = 0;
        loop {
            let session = self.link.session().await?;
            match session.answer(run(&session, &calls)).await? {
                Ok(outcomes) => return Ok(outcomes),
                Err(BatchError::Again(_)) if retries < RETRIES_MAX => retries += 1,
                Err(BatchError::Again(error) | BatchError::Failed(error)) => return Err(error),
            }
        }
    }
}

/// Sends everything before it waits for anything. A single commit is a transaction by itself.
async fn run(session: &Session, calls: &[Call]) -> Result<Vec<Outcome>, BatchError> {
    if let [call] = calls {
        return Ok(vec![call.outcome(&call.send(session).await.map_err(classify)?)?]);
    }
    let begin = session.client().batch_execute("BEGIN");
    let (mut begin, mut end) = (pin!(maybe_done(begin)), pin!(maybe_done(finish(session))));
    let mut rows: Vec<_> = calls
        .iter()
        .map(|call| Box::pin(maybe_done(call.send(session))))
        .collect();
    // A statement is sent when it is first polled, so polling in order is sending in order.
    std::future::poll_fn(|context| {
        let mut ready = begin.as_mut().poll(context).is_ready();
        for row in &mut rows {
            ready &= row.as_mut().poll(context).is_ready();
        }
        ready &= end.as_mut().poll(context).is_ready();
        if ready { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    take(begin.as_mut().take_output())?;
    let mut outcomes = Vec::with_capacity(calls.len());
    for (call, row) in calls.iter().zip(&mut rows) {
        outcomes.push(call.outcome(&take(row.as_mut().take_output())?)?);
    }
    // After an error above this is a rollback that reports success, so it is looked at last.
    take(end.as_mut().take_output())?;
    Ok(outcomes)
}

async fn finish(session: &Session) -> Result<(), tokio_postgres::Error> {
    session.client().batch_execute("COMMIT").await
}

fn take<T>(output: Option<Result<T, tokio_postgres::Error>>) -> Result<T, BatchError> {
    let missing = || BatchError::Failed(StoreError::Unavailable("a statement was not run".into()));
    output.ok_or_else(missing)?.map_err(classify)
}

fn classify(error: tokio_postgres::Error) -> BatchError {
    let losers = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
    ];
    if error.code().is_some_and(|code| losers.contains(code)) {
        BatchError::Again(unavailable(&error))
    } else {
        BatchError::Failed(unavailable(&error))
    }
}

/// A commit as arguments of the database's function.
struct Call {
    partition: Bytes,
    expected: Bytes,
    version: Version,
    new_version: Bytes,
    sender: Option<Bytes>,
    effect: Option<Bytes>,
    put: BTreeMap<Bytes, Bytes>,
    deleted: Vec<Bytes>,
}

impl Call {
    fn new(commit: &Commit) -> Self {
        let rows = Rows::bare();
        // Versions count commits, so the last one is never reached; a caller's wrong guess may name it.
        let version = Version(commit.expected.0.saturating_add(1));
        let mut changes = BTreeMap::new();
        for write in &commit.writes {
            match write {
                Write::Put(key, value) => changes.insert(rows.entry(key), Some(value.clone())),
                Write::Delete(key) => changes.insert(rows.entry(key), None),
            };
        }
        for (index, effect) in (0u32..).zip(&commit.effects) {
            let id = EffectId { version, index };
            changes.insert(rows.outbox(id), Some(layout::encode_effect(effect)));
        }
        let received = commit.received.as_ref();
        let (sender, effect) = received
            .map(|(from, id)| (rows.received(from), layout::encode_id(*id)))
            .unzip();
        changes.extend(sender.clone().map(|sender| (sender, effect.clone())));
        let (put, deleted): (Vec<_>, Vec<_>) = changes.into_iter().partition(|(_, value)| value.is_some());
        Self {
            partition: commit.partition.0.clone(),
            expected: layout::encode_version(commit.expected),
            version,
            new_version: layout::encode_version(version),
            sender,
            effect,
            put: put
                .into_iter()
                .filter_map(|(key, value)| Some((key, value?)))
                .collect(),
            deleted: deleted.into_iter().map(|(key, _)| key).collect(),
        }
    }

    async fn send(&self, session: &Session) -> Result<Row, tokio_postgres::Error> {
        let keys: Vec<&[u8]> = self.put.keys().map(|key| &key[..]).collect();
        let values: Vec<&[u8]> = self.put.values().map(|value| &value[..]).collect();
        let deleted: Vec<&[u8]> = self.deleted.iter().map(|key| &key[..]).collect();
        let arguments: [&(dyn tokio_postgres::types::ToSql + Sync); 8] = [
            &&self.partition[..],
            &&self.expected[..],
            &&self.new_version[..],
            &self.sender.as_deref(),
            &self.effect.as_deref(),
            &keys,
            &values,
            &deleted,
        ];
        session.client().query_one(&session.commit, &arguments).await
    }

    fn outcome(&self, row: &Row) -> Result<Outcome, BatchError> {
        match row.get::<_, Option<&[u8]>>(0) {
            None => Ok(Ok(self.version)),
            Some(present) => match layout::decode_version(present) {
                Ok(version) => Ok(Err(CommitError::Conflict(version))),
                Err(malformed) => Err(BatchError::Failed(malformed.into())),
            },
        }
    }
}
