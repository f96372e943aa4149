//! Turns at a partition, within this process. Commits are checked against each other anyway; but where many
//! want to change the same partition at once, as when hundreds write to one person, most of what they compute is
//! for nothing. Who takes a turn waits until those before are done.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use havre_store::Partition;
use tokio::sync::OwnedMutexGuard;

type Queue = Arc<tokio::sync::Mutex<()>>;

/// Who waits at which partition. Holds partitions at which somebody has a turn or waits for it.
#[derive(Debug, Default)]
pub struct Turns(Mutex<HashMap<Partition, Queue>>);

/// A turn; dropping it gives the next one theirs.
#[derive(Debug)]
pub struct Turn {
    turns: Arc<Turns>,
    partition: Partition,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits for a turn, in order of asking.
    pub async fn take(self: &Arc<Self>, partition: &Partition) -> Turn {
        let queue = Arc::clone(self.queues().entry(partition.clone()).or_default());
        // From here on the turn is given back, also when nobody waits for it any more.
        let mut turn = Turn {
            turns: Arc::clone(self),
            partition: partition.clone(),
            guard: None,
        };
        turn.guard = Some(queue.lock_owned().await);
        turn
    }

    /// Whether somebody has a turn at a partition or waits for one.
    pub fn is_taken(&self, partition: &Partition) -> bool {
        self.queues().contains_key(partition)
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<Partition, Queue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Whether this is a turn at that partition.
    #[must_use]
    pub fn is_at(&self, partition: &Partition) -> bool {
        self.partition == *partition
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut queues = self.turns.queues();
        self.guard = None;
        // Others that wait hold the queue, too.
        if queues
            .get(&self.partition)
            .is_some_and(|queue| Arc::strong_count(queue) == 1)
        {
            queues.remove(&self.partition);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use bytes::Bytes;

    use super::*;

    fn now<T>(future: impl Future<Output = T>) -> Option<T> {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(ready) => Some(ready),
            Poll::Pending => None,
        }
    }

    #[test]
    fn one_at_a_time_and_nothing_stays() {
        let (turns, here) = (Arc::<Turns>::default(), Partition(Bytes::from_static(b"here")));
        let there = Partition(Bytes::from_static(b"there"));
        let first = now(turns.take(&here)).expect("free");
        assert!(now(turns.take(&here)).is_none(), "taken");
        let other = now(turns.take(&there)).expect("another partition");
        let mut waiting = Box::pin(turns.take(&here));
        let mut context = Context::from_waker(Waker::noop());
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        drop(first);
        assert!(waiting.as_mut().poll(&mut context).is_ready());
        drop(waiting);
        drop(other);
        assert!(turns.queues().is_empty());
    }
}
