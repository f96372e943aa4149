//! Lanes: threads for work that must not delay anything else.
//!
//! Making a key with a new client costs a private RSA operation and two modular exponentiations, about a
//! millisecond of pure arithmetic. On the runtime's threads a crowd of arrivals would hold up every message
//! of the people inside; here it only holds up the crowd. What else newcomers want until they are logged in
//! runs on a runtime of its own, whose threads are as low in priority.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use rustix::process::setpriority_process;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// How much lower than the rest the scheduler ranks a lane. At 10 a lane gets about a tenth of a core that
/// somebody else wants, and all of one that nobody wants.
const NICENESS: i32 = 10;

type Job = Box<dyn FnOnce() + Send>;

/// A lane: a few threads behind a queue of bounded length.
#[derive(Clone, Debug)]
pub struct Lane {
    queue: SyncSender<Job>,
    waiting: Arc<AtomicU64>,
}

/// The queue is full: nothing was done, and whoever asked may come back later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl Lane {
    /// Starts a lane; `threads` 0 means one for each core.
    pub fn start(name: &str, threads: usize, queue_len: usize) -> Result<Self> {
        let (queue, jobs) = sync_channel::<Job>(queue_len);
        let jobs = Arc::new(Mutex::new(jobs));
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        for _ in 0..if threads == 0 { cores } else { threads } {
            let jobs = Arc::clone(&jobs);
            let thread = thread::Builder::new()
                .name(name.to_owned())
                .spawn(move || work(&jobs));
            thread.with_context(|| format!("a thread of the lane {name} cannot start"))?;
        }
        let waiting = Arc::default();
        Ok(Self { queue, waiting })
    }

    /// Jobs that no thread has taken yet.
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Runs `job` in the lane; the answer comes through the receiver, or never if the job panics.
    pub fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<oneshot::Receiver<T>, Full> {
        let (sender, receiver) = oneshot::channel();
        let waiting = Arc::clone(&self.waiting);
        let job: Job = Box::new(move || {
            waiting.fetch_sub(1, Ordering::Relaxed);
            // Nobody waits any more when the connection has gone: then nothing needs to be computed.
            if !sender.is_closed() {
                drop(sender.send(job()));
            }
        });
        // Counted before a thread can take it.
        self.waiting.fetch_add(1, Ordering::Relaxed);
        match self.queue.try_send(job) {
            Ok(()) => Ok(receiver),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.waiting.fetch_sub(1, Ordering::Relaxed);
                Err(Full)
            }
        }
    }
}

/// A runtime for the connections and calls of those who are not logged in.
pub fn newcomers() -> Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .thread_name("newcomers")
        .enable_all()
        .on_thread_start(give_way)
        .build()
        .context("the runtime for newcomers cannot start")
}

/// Lowers the priority of the calling thread; on Linux of it alone. Where it is refused, it is only less
/// polite.
fn give_way() {
    let _ = setpriority_process(None, NICENESS);
}

/// Works until the lane is dropped.
fn work(jobs: &Mutex<Receiver<Job>>) {
    give_way();
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)).is_err() {
            tracing::error!("a job of a lane panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_answered_and_a_full_queue_refuses_at_once() {
        let lane = Lane::start("test", 1, 1).unwrap();
        let (release, gate) = sync_channel::<()>(0);
        let first = lane.run(move || gate.recv().is_ok()).unwrap();
        // The thread may not have taken the first job yet; once it has, exactly one more fits.
        let second = loop {
            if let Ok(second) = lane.run(|| 2) {
                break second;
            }
        };
        while let Ok(extra) = lane.run(|| 3) {
            drop(extra);
        }
        assert_eq!((lane.run(|| 4).err(), lane.waiting()), (Some(Full), 1));
        release.send(()).unwrap();
        assert_eq!(first.blocking_recv(), Ok(true));
        assert_eq!(second.blocking_recv(), Ok(2));
        assert_eq!(lane.waiting(), 0);
    }

    #[test]
    fn a_panic_costs_only_its_own_job() {
        let lane = Lane::start("test", 1, 4).unwrap();
        let lost = lane.run(|| panic!("as planned")).unwrap();
        let kept = lane.run(|| 1).unwrap();
        assert!(lost.blocking_recv().is_err());
        assert_eq!(kept.blocking_recv(), Ok(1));
    }
}
