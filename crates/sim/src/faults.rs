//! Faults around any engine, drawn from the seed: others commit in between, the store does not answer,
//! tasks are interrupted at every read and commit.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use async_trait::async_trait;
use havre_store::{
    Answer, Commit, CommitError, Committed, EffectId, Partition, Pending, Read, Snapshot, Store, StoreError,
    Version,
};

use crate::env::SimEnv;

/// How often faults happen, in 1000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// A commit is refused as if somebody else had been first.
    pub conflict: u32,
    /// A read or commit is not answered; of commits half were made all the same.
    pub unavailable: u32,
    /// Whoever asks has to wait while others go on.
    pub wait: u32,
}

/// A defect planted on purpose: a simulation that does not find it proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// A commit that the process died in is reported as made.
    AcknowledgeEarly,
    /// The receiver does not remember what it has received.
    ForgetReceived,
    /// Effects are forgotten before they are delivered.
    LoseEffects,
}

/// What happens at one read of a partition, in a test that says so beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It is answered.
    Answer,
    /// It is not answered.
    Fail,
    /// Somebody else commits to the partition just before.
    Overtake,
}

/// What reads cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Questions that the store was asked.
    pub reads: usize,
    /// Entries that it answered with.
    pub entries: usize,
}

/// A store with faults.
pub struct Faulty {
    inner: Arc<dyn Store>,
    env: Arc<SimEnv>,
    rates: Rates,
    calm: AtomicBool,
    crash_in: AtomicU32,
    crashed: AtomicBool,
    bug: Option<Bug>,
    script: Mutex<Option<(Partition, VecDeque<Act>)>>,
    cost: Mutex<Cost>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Faulty {
    /// Faults around `inner`, drawn from `env`.
    #[must_use]
    pub fn new(inner: Arc<dyn Store>, env: Arc<SimEnv>, rates: Rates) -> Self {
        Self {
            inner,
            env,
            rates,
            calm: AtomicBool::new(false),
            crash_in: AtomicU32::new(0),
            crashed: AtomicBool::new(false),
            bug: None,
            script: Mutex::default(),
            cost: Mutex::default(),
        }
    }

    /// Says what happens at the next reads of a partition; those after them are answered.
    pub fn follow(&self, partition: Partition, acts: &[Act]) {
        *lock(&self.script) = Some((partition, acts.iter().copied().collect()));
    }

    /// What was read since the last look.
    pub fn cost(&self) -> Cost {
        std::mem::take(&mut lock(&self.cost))
    }

    /// What the script says for a read of a partition.
    fn act(&self, partition: &Partition) -> Act {
        let mut script = lock(&self.script);
        let next = script.as_mut().filter(|(of, _)| of == partition);
        next.and_then(|(_, acts)| acts.pop_front()).unwrap_or(Act::Answer)
    }

    /// A commit of somebody else that changes nothing but the version.
    async fn overtake(&self, partition: &Partition) -> Result<(), StoreError> {
        let expected = self.inner.read(partition, &[]).await?.version;
        let commit = Commit {
            partition: partition.clone(),
            expected,
            writes: Vec::new(),
            effects: Vec::new(),
            received: None,
        };
        match self.inner.commit(commit).await {
            Ok(_) | Err(CommitError::Conflict(_)) => Ok(()),
            Err(CommitError::Store(error)) => Err(error),
        }
    }

    fn count(&self, snapshot: &Snapshot) {
        let entries = snapshot.answers.iter().map(|answer| match answer {
            Answer::Value(value) => usize::from(value.is_some()),
            Answer::Entries(entries) => entries.len(),
            Answer::Received(received) => usize::from(received.is_some()),
        });
        let mut cost = lock(&self.cost);
        cost.reads += snapshot.answers.len();
        cost.entries += entries.sum::<usize>();
    }

    /// With a defect planted.
    #[must_use]
    pub fn with_bug(self, bug: Option<Bug>) -> Self {
        Self { bug, ..self }
    }

    /// The store without faults, for looking into it while they go on.
    #[must_use]
    pub fn beneath(&self) -> Arc<dyn Store> {
        self.inner.clone()
    }

    /// No faults any more: for looking at what came of them.
    pub fn calm(&self) {
        self.calm.store(true, Ordering::Relaxed);
        self.crashed.store(false, Ordering::Relaxed);
        self.crash_in.store(0, Ordering::Relaxed);
    }

    /// Faults again.
    pub fn excite(&self) {
        self.calm.store(false, Ordering::Relaxed);
    }

    /// The process dies at the `n`-th commit from now, before or after it is durable.
    pub fn crash_in(&self, n: u32) {
        self.crash_in.store(n, Ordering::Relaxed);
    }

    /// Whether the process died; [`Self::restart`] brings it back.
    #[must_use]
    pub fn has_crashed(&self) -> bool {
        self.crashed.load(Ordering::Relaxed)
    }

    /// The process is started again over what is durable.
    pub fn restart(&self) {
        self.crashed.store(false, Ordering::Relaxed);
        self.crash_in.store(0, Ordering::Relaxed);
    }

    fn happens(&self, rate: u32) -> bool {
        rate > 0 && !self.calm.load(Ordering::Relaxed) && self.env.draw(1000) < rate as usize
    }

    async fn pause(&self) -> Result<(), StoreError> {
        while self.happens(self.rates.wait) {
            Yield(false).await;
        }
        if self.has_crashed() || self.happens(self.rates.unavailable) {
            return Err(StoreError::Unavailable("a fault of the simulation".into()));
        }
        Ok(())
    }

    /// Half of the commits deliver nothing themselves, so that the courier has as much to do as they.
    async fn commit_beneath(
        &self,
        commit: Commit,
        deliveries: Vec<Commit>,
    ) -> Result<Committed, CommitError> {
        if deliveries.is_empty() || self.env.draw(2) == 0 {
            return self.inner.commit_delivering(commit, deliveries).await;
        }
        let delivered = vec![false; deliveries.len()];
        let version = self.inner.commit(commit).await?;
        Ok(Committed { version, delivered })
    }

    fn dies_now(&self) -> bool {
        match self.crash_in.load(Ordering::Relaxed) {
            0 => false,
            n => {
                self.crash_in.store(n - 1, Ordering::Relaxed);
                n == 1
            }
        }
    }
}

/// Lets others run once.
struct Yield(bool);

impl Future for Yield {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[async_trait]
impl Store for Faulty {
    async fn read(&self, partition: &Partition, reads: &[Read]) -> Result<Snapshot, StoreError> {
        self.pause().await?;
        match self.act(partition) {
            Act::Answer => {}
            Act::Fail => return Err(StoreError::Unavailable("as the test says".into())),
            Act::Overtake => self.overtake(partition).await?,
        }
        let snapshot = self.inner.read(partition, reads).await?;
        self.count(&snapshot);
        Ok(snapshot)
    }

    async fn commit(&self, commit: Commit) -> Result<Version, CommitError> {
        let committed = self.commit_delivering(commit, Vec::new()).await?;
        Ok(committed.version)
    }

    async fn commit_delivering(
        &self,
        mut commit: Commit,
        deliveries: Vec<Commit>,
    ) -> Result<Committed, CommitError> {
        self.pause().await?;
        if self.happens(self.rates.conflict) {
            return Err(CommitError::Conflict(commit.expected));
        }
        match self.bug {
            Some(Bug::ForgetReceived) => commit.received = None,
            Some(Bug::LoseEffects) if self.env.draw(4) == 0 => commit.effects.clear(),
            _ => {}
        }
        let dies = self.dies_now();
        let lost = StoreError::Unavailable("the outcome is unknown".into());
        if dies {
            self.crashed.store(true, Ordering::Relaxed);
            if self.env.draw(2) == 0 {
                return match self.bug {
                    Some(Bug::AcknowledgeEarly) => Ok(Committed {
                        version: Version(commit.expected.0 + 1),
                        delivered: vec![false; deliveries.len()],
                    }),
                    _ => Err(lost.into()),
                };
            }
        }
        let made = self.commit_beneath(commit, deliveries).await;
        let silent = dies && self.bug != Some(Bug::AcknowledgeEarly);
        if silent || self.happens(self.rates.unavailable) {
            return Err(lost.into());
        }
        made
    }

    async fn pending(&self, after: Option<&Partition>, limit: usize) -> Result<Vec<Partition>, StoreError> {
        self.pause().await?;
        self.inner.pending(after, limit).await
    }

    async fn outbox(
        &self,
        from: &Partition,
        after: Option<EffectId>,
        limit: usize,
    ) -> Result<Vec<Pending>, StoreError> {
        self.pause().await?;
        self.inner.outbox(from, after, limit).await
    }

    async fn settle(&self, from: &Partition, delivered: &[EffectId]) -> Result<(), StoreError> {
        self.pause().await?;
        self.inner.settle(from, delivered).await
    }
}
