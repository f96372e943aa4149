//! What the rules are given from outside: the clock, entropy, tasks, and the way of login codes.

use std::io::Write as _;
use std::num::NonZero;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures::future::BoxFuture;
use havre_api::dispatch::Env;
use havre_domain::ids::Time;
use havre_domain::waiting_room::Class;
use havre_mtproto::time::Millis;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::config::CodeProvider;

/// The real outside.
#[derive(Debug)]
pub struct System {
    runtime: Handle,
    codes: CodeProvider,
    console_rate: u32,
    /// As much long work at a time as there are processors: each may hold a large picture in memory.
    turns: Arc<Semaphore>,
    started: Instant,
}

impl System {
    /// Runs tasks on `runtime` and sends codes by `codes`, so many a second at most.
    pub fn new(runtime: Handle, codes: CodeProvider, console_rate: u32) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            runtime,
            codes,
            console_rate,
            turns: Arc::new(Semaphore::new(processors)),
            started: Instant::now(),
        }
    }
}

impl Env for System {
    fn now(&self) -> Time {
        Time(i64::try_from(since_epoch().as_secs()).unwrap_or(i64::MAX))
    }

    fn seed(&self) -> [u8; 32] {
        entropy()
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.runtime.spawn(task);
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(time))
    }

    fn compute(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        let (runtime, turns) = (self.runtime.clone(), Arc::clone(&self.turns));
        Box::pin(async move {
            // The semaphore is never closed.
            let _turn = turns.acquire().await;
            // What a panic leaves without a result, whoever asked sees as such.
            let _ = runtime.spawn_blocking(work).await;
        })
    }

    fn code_rate(&self) -> f64 {
        match self.codes {
            CodeProvider::Console => f64::from(self.console_rate),
        }
    }

    fn send_code(&self, phone: &str, code: &str, _class: Class) {
        match self.codes {
            // The operator's console is standard output; the log must not hold phone numbers.
            CodeProvider::Console => {
                // Whoever reads it may have gone; `havre code` gives it too.
                let _ = writeln!(std::io::stdout(), "Login code for +{phone}: {code}");
            }
        }
    }
}

/// Time on the wall.
fn since_epoch() -> Duration {
    // Before 1970 only a broken clock stands; it is told as 1970 rather than as a panic.
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Time on the wall as the protocol counts it.
pub fn now() -> Millis {
    Millis(i64::try_from(since_epoch().as_millis()).unwrap_or(i64::MAX))
}

/// Random bytes of the operating system.
pub fn entropy<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Without entropy nothing that a server says could be trusted.
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}
