//! Threads that look into the engine for those who ask.
//!
//! The engine keeps its readers waiting while it makes a list of its tables durable, for tens of milliseconds on a
//! busy machine. A reader on a thread that answers many people would keep all of them waiting, those too whose rows
//! are in memory; a thread here keeps only those who wait for it.

use std::io;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};

use futures::channel::oneshot;

use crate::StoreError;

/// The fewest threads, and the most: as many as cores, but a disk answers several at a time.
const THREADS: (usize, usize) = (4, 16);

type Job = Box<dyn FnOnce() + Send>;

/// The threads.
#[derive(Debug)]
pub(super) struct Readers {
    /// `None` only while dropping.
    jobs: Option<mpsc::Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    pub(super) fn start() -> io::Result<Self> {
        let (jobs, waiting) = mpsc::channel::<Job>();
        let waiting = Arc::new(Mutex::new(waiting));
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let threads = (0..cores.clamp(THREADS.0, THREADS.1)).map(|_| {
            let waiting = Arc::clone(&waiting);
            super::thread("reader", move || work(&waiting))
        });
        Ok(Self {
            jobs: Some(jobs),
            threads: threads.collect::<io::Result<_>>()?,
        })
    }

    /// Runs `look` on one of the threads. There are never more of them waiting than there are callers.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        look: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move || {
            // Who is not there any more does not want to know.
            if !reply.is_canceled() {
                let _ = reply.send(look());
            }
        });
        let jobs = self.jobs.as_ref().expect("present until dropped");
        // An answer that cannot come says the same as a job that cannot go.
        let _ = jobs.send(job);
        answer
            .await
            .unwrap_or_else(|oneshot::Canceled| Err(StoreError::Unavailable("a reader has stopped".into())))
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Works until nobody can ask any more.
fn work(waiting: &Mutex<mpsc::Receiver<Job>>) {
    loop {
        let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // Who asked is told by the answer that does not come; the next ones are still answered.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(future)
    }

    #[test]
    fn who_waits_keeps_nobody_else_waiting_and_a_panic_ends_one_answer() {
        let readers = Readers::start().unwrap();
        let (release, gate) = mpsc::channel::<()>();
        let mut held = Box::pin(readers.run(move || Ok(gate.recv().is_ok())));
        assert!(futures::FutureExt::now_or_never(&mut held).is_none());
        for _ in 0..2 * THREADS.0 {
            let broken = block_on(readers.run::<()>(|| panic!("a defect")));
            assert!(matches!(broken, Err(StoreError::Unavailable(_))));
        }
        assert_eq!(block_on(readers.run(|| Ok(2))), Ok(2));
        release.send(()).unwrap();
        assert_eq!(block_on(held), Ok(true));
    }
}
