//! Which partitions have undelivered effects, and from where on.
//!
//! Kept in memory beside its rows: rows come and go with every effect, and a scan over them would step
//! over all that were deleted. Size: one entry for each partition with undelivered effects.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::engine::embedded::{Engine, storage_error};
use crate::layout::{self, space};
use crate::{EffectId, Partition, StoreError};

/// Written by the committer only, after the rows are in the engine.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiting(Arc<Mutex<BTreeMap<Partition, EffectId>>>);

impl Waiting {
    pub(super) fn load(engine: &Engine) -> Result<Self, StoreError> {
        let rows = engine.rows.prefix([space::PENDING]).map(|guard| {
            let (key, id) = guard.into_inner().map_err(storage_error)?;
            Ok((
                Partition(Bytes::copy_from_slice(&key[1..])),
                layout::decode_id(&id)?,
            ))
        });
        let loaded: BTreeMap<_, _> = rows.collect::<Result<_, StoreError>>()?;
        Ok(Self(Arc::new(Mutex::new(loaded))))
    }

    /// The oldest undelivered effect of `partition`.
    pub(super) fn oldest(&self, partition: &Partition) -> Option<EffectId> {
        self.map().get(partition).copied()
    }

    pub(super) fn partitions(&self, after: Option<&Partition>, limit: usize) -> Vec<Partition> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let map = self.map();
        map.range::<Partition, _>((start, Bound::Unbounded))
            .take(limit)
            .map(|(name, _)| name.clone())
            .collect()
    }

    pub(super) fn apply(&self, changes: BTreeMap<Partition, Option<EffectId>>) {
        let mut map = self.map();
        for (partition, oldest) in changes {
            match oldest {
                Some(oldest) => map.insert(partition, oldest),
                None => map.remove(&partition),
            };
        }
    }

    /// Each change is one insertion or removal, so a panic elsewhere leaves the map whole.
    fn map(&self) -> MutexGuard<'_, BTreeMap<Partition, EffectId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
