//! The first failure of a store, told to whoever waits for it.

use std::sync::{Arc, Mutex, PoisonError};

use futures::channel::oneshot;

/// One for each thread that writes. A thread that panics while it holds one raises it.
#[derive(Clone, Debug)]
pub(super) struct Alarm {
    failed: Arc<Mutex<Option<oneshot::Sender<String>>>>,
    /// Who says so when it panics.
    name: &'static str,
}

impl Alarm {
    pub(super) fn new(name: &'static str, failed: oneshot::Sender<String>) -> Self {
        let failed = Arc::new(Mutex::new(Some(failed)));
        Self { failed, name }
    }

    /// The same alarm, for another thread.
    pub(super) fn of(&self, name: &'static str) -> Self {
        let failed = Arc::clone(&self.failed);
        Self { failed, name }
    }

    pub(super) fn raise(&self, cause: String) {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(failed) = failed {
            // Nobody waits for it if the store is being dropped.
            let _ = failed.send(cause);
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.raise(format!("the {} panicked", self.name));
        }
    }
}
