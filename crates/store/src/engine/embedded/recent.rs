//! Rows that are durable in the log and not yet in the engine.
//!
//! Whoever reads looks here first and then into the engine. The applier takes everything there is from time to
//! time and writes it to the engine as one batch, so a row that many batches changed is written once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::Order;
use crate::engine::embedded::log::Changes;

#[derive(Debug, Default)]
pub(super) struct Recent(Mutex<Rows>);

#[derive(Debug, Default)]
pub(super) struct Rows {
    young: Changes,
    /// Those that the applier is writing to the engine.
    old: Arc<Changes>,
    /// The last batch whose rows are here.
    number: u64,
}

impl Rows {
    /// A row, if it is here: `Some(None)` was removed.
    pub(super) fn get(&self, key: &[u8]) -> Option<&Option<Bytes>> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    /// The rows from `start` up to `end`.
    pub(super) fn range(&self, start: &Bytes, end: &Bytes) -> Changes {
        let old = self.old.range::<Bytes, _>(start..end);
        let young = self.young.range::<Bytes, _>(start..end);
        old.chain(young)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }
}

impl Recent {
    /// Nothing changes while the rows are held: an engine's snapshot that is taken meanwhile belongs to them.
    pub(super) fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes up the rows of a batch that is durable.
    pub(super) fn add(&self, number: u64, changes: Changes) {
        let mut rows = self.rows();
        rows.young.extend(changes);
        rows.number = number;
    }

    /// What is to be written to the engine, with the number of the last batch. Call [`Self::written`] after it.
    pub(super) fn take(&self) -> (u64, Arc<Changes>) {
        let mut rows = self.rows();
        rows.old = Arc::new(std::mem::take(&mut rows.young));
        (rows.number, Arc::clone(&rows.old))
    }

    /// What was taken is in the engine.
    pub(super) fn written(&self) {
        let old = std::mem::take(&mut self.rows().old);
        // Freed without the lock.
        drop(old);
    }
}

/// The first `limit` rows of the engine, in order, as `over` changes them. `found` are the engine's in the same
/// order, and `over` lies within their range.
pub(super) fn merge<E>(
    over: Changes,
    found: impl Iterator<Item = Result<(Bytes, Bytes), E>>,
    order: Order,
    limit: usize,
) -> Result<Vec<(Bytes, Bytes)>, E> {
    if over.is_empty() {
        return found.take(limit).collect();
    }
    // Each change removes at most one, so among these are the first `limit` that are left.
    let enough = limit.saturating_add(over.len());
    let mut rows: BTreeMap<Bytes, Bytes> = found.take(enough).collect::<Result<_, E>>()?;
    for (key, value) in over {
        match value {
            Some(value) => rows.insert(key, value),
            None => rows.remove(&key),
        };
    }
    let rows = rows.into_iter();
    Ok(match order {
        Order::Ascending => rows.take(limit).collect(),
        Order::Descending => rows.rev().take(limit).collect(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Model = BTreeMap<u8, u8>;

    fn rows(model: &Model) -> BTreeMap<Bytes, Bytes> {
        let row = |(key, value): (&u8, &u8)| (Bytes::from(vec![*key]), Bytes::from(vec![*value]));
        model.iter().map(row).collect()
    }

    proptest! {
        /// The same as changing the engine's rows and then reading them.
        #[test]
        fn rows_are_merged_as_if_the_engine_had_them(
            engine: Model,
            changes: BTreeMap<u8, Option<u8>>,
            limit in 0_usize..40,
            descending: bool,
        ) {
            let order = if descending { Order::Descending } else { Order::Ascending };
            let mut expected = engine.clone();
            for (key, value) in &changes {
                match value {
                    Some(value) => expected.insert(*key, *value),
                    None => expected.remove(key),
                };
            }
            let in_order = |rows: BTreeMap<Bytes, Bytes>| -> Vec<(Bytes, Bytes)> {
                match order {
                    Order::Ascending => rows.into_iter().collect(),
                    Order::Descending => rows.into_iter().rev().collect(),
                }
            };
            let bytes = |byte: &u8| Bytes::from(vec![*byte]);
            let over = changes.iter().map(|(key, value)| (bytes(key), value.as_ref().map(bytes))).collect();
            let found = in_order(rows(&engine)).into_iter().map(Ok::<_, ()>);
            let mut expected = in_order(rows(&expected));
            expected.truncate(limit);
            prop_assert_eq!(merge(over, found, order, limit), Ok(expected));
        }
    }

    #[test]
    fn rows_that_are_being_written_are_seen_until_they_are() {
        let (key, one, two) = (
            Bytes::from_static(b"k"),
            Bytes::from_static(b"1"),
            Bytes::from_static(b"2"),
        );
        let recent = Recent::default();
        let seen = || recent.rows().get(&key).cloned();
        recent.add(1, [(key.clone(), Some(one.clone()))].into());
        let (number, taken) = recent.take();
        assert_eq!((number, taken.len(), seen()), (1, 1, Some(Some(one))));
        recent.add(2, [(key.clone(), Some(two.clone()))].into());
        assert_eq!(seen(), Some(Some(two.clone())), "the younger one counts");
        recent.written();
        assert_eq!(seen(), Some(Some(two)));
        recent.take();
        recent.written();
        assert_eq!(seen(), None);
    }
}
