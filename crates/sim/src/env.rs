//! The outside of a simulated server: a clock that stands until moved, seeded entropy, and tasks that run
//! one at a time in an order drawn from the seed.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::future::BoxFuture;
use havre_api::dispatch::Env;
use havre_domain::ids::Time;
use havre_domain::waiting_room::Class;
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};

/// Polls after which a task that makes no progress is a defect of the test.
const POLLS_MAX: usize = 1_000_000;

/// Clock, entropy, tasks.
pub struct SimEnv {
    millis: AtomicI64,
    rng: Mutex<ChaCha12Rng>,
    tasks: Mutex<Vec<BoxFuture<'static, ()>>>,
    codes: Mutex<BTreeMap<String, String>>,
    code_rate: Mutex<f64>,
    unserved: Mutex<Option<String>>,
    mails: Mutex<BTreeMap<String, Vec<String>>>,
    has_mail: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SimEnv {
    /// An outside in which nothing has happened; the same seed gives the same run.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            millis: AtomicI64::new(1_800_000_000_000),
            rng: Mutex::new(ChaCha12Rng::seed_from_u64(seed)),
            tasks: Mutex::default(),
            codes: Mutex::default(),
            code_rate: Mutex::new(1000.0),
            unserved: Mutex::default(),
            mails: Mutex::default(),
            has_mail: AtomicBool::new(true),
        }
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        self.millis
            .fetch_add(i64::try_from(time.as_millis()).unwrap_or(0), Ordering::Relaxed);
    }

    /// A number below `n` from the seed.
    pub fn draw(&self, n: usize) -> usize {
        let drawn = lock(&self.rng).next_u64();
        usize::try_from(drawn % u64::try_from(n.max(1)).unwrap_or(1)).unwrap_or(0)
    }

    /// The code that the provider was given last for a number.
    #[must_use]
    pub fn code(&self, phone: &str) -> Option<String> {
        lock(&self.codes).get(phone).cloned()
    }

    /// The codes that were sent to an e-mail address, oldest first.
    #[must_use]
    pub fn mails(&self, to: &str) -> Vec<String> {
        lock(&self.mails).get(to).cloned().unwrap_or_default()
    }

    /// Says whether codes can be sent by e-mail from now on; they can before.
    pub fn set_mail(&self, has_mail: bool) {
        self.has_mail.store(has_mail, Ordering::Relaxed);
    }

    /// No provider is for numbers that begin so.
    pub fn set_unserved(&self, prefix: &str) {
        *lock(&self.unserved) = Some(prefix.to_owned());
    }

    /// Says how many codes a second the providers deliver from now on; 1,000 before.
    pub fn set_code_rate(&self, rate: f64) {
        *lock(&self.code_rate) = rate;
    }

    /// Forgets all tasks, as a crash does.
    pub fn crash(&self) {
        lock(&self.tasks).clear();
    }

    /// Runs a future to its end, with tasks in between.
    ///
    /// # Panics
    /// When the future makes no progress for too long: a deadlock in what is tested.
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        for _ in 0..POLLS_MAX {
            if let Poll::Ready(output) = poll(future.as_mut()) {
                return output;
            }
            self.step();
        }
        panic!("a call did not end");
    }

    /// Runs tasks until none is left.
    ///
    /// # Panics
    /// As for [`Self::run`].
    pub fn settle(&self) {
        for _ in 0..POLLS_MAX {
            if !self.step() {
                return;
            }
        }
        panic!("tasks did not end");
    }

    /// Polls one task. False when there is none.
    fn step(&self) -> bool {
        let task = {
            let mut tasks = lock(&self.tasks);
            let len = tasks.len();
            (len > 0).then(|| tasks.swap_remove(self.draw(len)))
        };
        let Some(mut task) = task else { return false };
        if poll(task.as_mut()).is_pending() {
            lock(&self.tasks).push(task);
        }
        true
    }
}

fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

impl Env for SimEnv {
    fn now(&self) -> Time {
        Time(self.millis.load(Ordering::Relaxed) / 1000)
    }

    fn seed(&self) -> [u8; 32] {
        let mut seed = [0; 32];
        lock(&self.rng).fill_bytes(&mut seed);
        seed
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) {
        lock(&self.tasks).push(task);
    }

    /// Nobody waits in a simulation: time passes at once.
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        self.pass(time);
        Box::pin(std::future::ready(()))
    }

    fn has_mail(&self) -> bool {
        self.has_mail.load(Ordering::Relaxed)
    }

    fn send_mail(&self, to: &str, code: &str) {
        lock(&self.mails)
            .entry(to.to_owned())
            .or_default()
            .push(code.to_owned());
    }

    fn serves(&self, phone: &str) -> bool {
        let unserved = lock(&self.unserved);
        !unserved.as_ref().is_some_and(|prefix| phone.starts_with(prefix))
    }

    fn code_rate(&self) -> f64 {
        *lock(&self.code_rate)
    }

    fn send_code(&self, phone: &str, code: &str, _class: Class) {
        lock(&self.codes).insert(phone.to_owned(), code.to_owned());
    }
}
