//! Lanes: threads for work that must not delay anything else.
//!
//! Making a key with a new client costs a private RSA operation and two modular exponentiations, about a
//! millisecond of pure arithmetic. On the runtime's threads a crowd of arrivals would hold up every message
//! of the people inside; here it only holds up the crowd: these threads run when no other wants to.
//!
//! A thread that may be kept from running for long must hold no lock that others want. So these only compute,
//! and one of usual priority takes what they have done from there. What else newcomers want until they are
//! logged in runs on a runtime of its own with one thread: it needs locks, so its priority is the usual one,
//! but a crowd gets no more than that thread.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// Gives a result to who waits for it.
type Done = Box<dyn FnOnce() + Send>;
type Job = Box<dyn FnOnce() -> Option<Done> + Send>;

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
        let (relay, done) = channel();
        spawn(name, move || done.into_iter().for_each(|done: Done| done()))?;
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        for _ in 0..if threads == 0 { cores } else { threads } {
            let (jobs, relay) = (Arc::clone(&jobs), relay.clone());
            spawn(name, move || work(&jobs, &relay))?;
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
            if sender.is_closed() {
                return None;
            }
            let result = job();
            let done: Done = Box::new(move || drop(sender.send(result)));
            Some(done)
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

fn spawn(name: &str, deed: impl FnOnce() + Send + 'static) -> Result<()> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(deed);
    thread.with_context(|| format!("a thread of the lane {name} cannot start"))?;
    Ok(())
}

/// A runtime for the connections and calls of those who are not logged in.
pub fn newcomers() -> Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .thread_name("newcomers")
        .worker_threads(1)
        .enable_all()
        .build()
        .context("the runtime for newcomers cannot start")
}

/// Lets the calling thread run when no other wants to. A thread that is only nicer keeps those that wake up
/// waiting until its slice is over, a few milliseconds, and a message wakes up several; one of the class for
/// idle times gives way at once. Where the system refuses, it is only less polite.
#[allow(unsafe_code)]
fn give_way() {
    let parameters = libc::sched_param { sched_priority: 0 };
    // SAFETY: the call reads the parameters, which live here, and changes nothing but the calling thread.
    let _ = unsafe { libc::sched_setscheduler(0, libc::SCHED_IDLE, &raw const parameters) };
}

/// Works until the lane is dropped.
fn work(jobs: &Mutex<Receiver<Job>>, relay: &Sender<Done>) {
    give_way();
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)) {
            // The relay ends after the last of those who work for it.
            Ok(Some(done)) => drop(relay.send(done)),
            Ok(None) => {}
            Err(_panic) => tracing::error!("a job of a lane panicked"),
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
