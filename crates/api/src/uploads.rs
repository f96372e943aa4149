//! Whose uploads wait to be made files of: the bound of what a person may leave lying around. It knows what came
//! since the server started; what came before goes when it expires.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use havre_domain::ids::Time;
use havre_domain::limits::{UNUSED_UPLOADS_MAX, UPLOAD_TTL, UPLOADS_MAX};
use havre_store::blob::Upload;

use crate::error::RpcError;

#[derive(Clone, Copy)]
struct Waiting {
    bytes: u64,
    last: Time,
}

impl Waiting {
    fn is_alive(&self, now: Time) -> bool {
        self.last.plus(UPLOAD_TTL) > now
    }
}

/// What was uploaded and not used yet, by its owner and their number of it.
#[derive(Default)]
pub struct Uploads {
    waiting: Mutex<HashMap<i64, HashMap<i64, Waiting>>>,
}

impl Uploads {
    fn waiting(&self) -> MutexGuard<'_, HashMap<i64, HashMap<i64, Waiting>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts bytes that come.
    ///
    /// # Errors
    /// `420 FLOOD_WAIT_n` when too many wait already: in n seconds the first of them are forgotten.
    pub fn admit(&self, upload: Upload, len: u64, now: Time) -> Result<(), RpcError> {
        let mut waiting = self.waiting();
        let mine = waiting.entry(upload.owner).or_default();
        mine.retain(|_, w| w.is_alive(now));
        let bytes: u64 = mine.values().map(|w| w.bytes).sum();
        let crowded = mine.len() >= UPLOADS_MAX && !mine.contains_key(&upload.id);
        if crowded || bytes.saturating_add(len) > UNUSED_UPLOADS_MAX {
            let first = mine.values().map(|w| w.last).min().unwrap_or(now);
            return Err(RpcError::flood_wait(first.plus(UPLOAD_TTL).0 - now.0));
        }
        let entry = mine.entry(upload.id).or_insert(Waiting { bytes: 0, last: now });
        entry.bytes += len;
        entry.last = now;
        Ok(())
    }

    /// An upload waits no longer.
    pub fn used(&self, upload: Upload) {
        let mut waiting = self.waiting();
        if let Some(mine) = waiting.get_mut(&upload.owner) {
            mine.remove(&upload.id);
            if mine.is_empty() {
                waiting.remove(&upload.owner);
            }
        }
    }

    /// Forgets what has expired, and who has nothing that waits.
    pub fn sweep(&self, now: Time) {
        self.waiting().retain(|_, mine| {
            mine.retain(|_, w| w.is_alive(now));
            !mine.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time(1_800_000_000);

    fn upload(id: i64) -> Upload {
        Upload { owner: 1, id }
    }

    #[test]
    fn who_leaves_too_much_waits_until_some_of_it_is_forgotten() {
        let uploads = Uploads::default();
        for id in 0..4 {
            uploads.admit(upload(id), 1 << 30, NOW.plus(id)).unwrap();
        }
        let refused = uploads.admit(upload(4), 1, NOW.plus(10));
        assert_eq!(refused, Err(RpcError::flood_wait(UPLOAD_TTL - 10)));
        let other = Upload { owner: 2, id: 4 };
        uploads.admit(other, 1, NOW.plus(10)).unwrap();
        uploads.used(upload(3));
        uploads.admit(upload(4), 1 << 30, NOW.plus(10)).unwrap();
        uploads.admit(upload(5), 1 << 30, NOW.plus(UPLOAD_TTL)).unwrap();
    }

    #[test]
    fn an_owner_has_so_many_uploads_at_a_time() {
        let uploads = Uploads::default();
        let most = i64::try_from(UPLOADS_MAX).unwrap();
        for id in 0..most {
            uploads.admit(upload(id), 1, NOW).unwrap();
        }
        assert!(uploads.admit(upload(most), 1, NOW).is_err());
        uploads.admit(upload(0), 1, NOW).unwrap();
    }

    #[test]
    fn whoever_has_nothing_that_waits_is_forgotten() {
        let uploads = Uploads::default();
        uploads.admit(upload(1), 1, NOW).unwrap();
        uploads.sweep(NOW.plus(UPLOAD_TTL - 1));
        assert_eq!(uploads.waiting().len(), 1);
        uploads.sweep(NOW.plus(UPLOAD_TTL));
        assert_eq!(uploads.waiting().len(), 0);
    }
}
