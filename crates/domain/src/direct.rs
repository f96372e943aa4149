//! Effects that are applied by the very commit that makes them. Two people whose boxes lie in one store then
//! share one sync, and nothing waits in the outbox. What cannot be applied so, because somebody else changes the
//! receiving partition or the store keeps it elsewhere, waits there for the courier as ever.

use std::collections::BTreeMap;
use std::sync::Arc;

use havre_store::{Partition, Store};

use crate::ids::Time;
use crate::outbox::{self, Effect};
use crate::turns::Turns;
use crate::tx::{Fault, Tx};

/// Most partitions that one commit reaches in this way: a basic group has 200 members.
pub const TARGETS_MAX: usize = 256;

/// Applies what a deed sends, each partition's effects in order, and commits nothing. A partition that others
/// wait their turn for is left out, as is one whose effects cannot be applied now.
pub(crate) async fn apply(store: &Arc<dyn Store>, turns: &Turns, now: Time, deed: &Tx) -> Vec<Tx> {
    let mut by_target: BTreeMap<&Partition, Vec<&Effect>> = BTreeMap::new();
    for (to, effect) in deed.sent() {
        by_target.entry(to).or_default().push(effect);
    }
    if by_target.len() > TARGETS_MAX {
        return Vec::new();
    }
    let mut applied = Vec::with_capacity(by_target.len());
    for (to, effects) in by_target {
        if to != deed.partition() && !turns.is_taken(to) {
            applied.extend(apply_to(store, to, effects, now).await.ok());
        }
    }
    applied
}

async fn apply_to(
    store: &Arc<dyn Store>,
    to: &Partition,
    effects: Vec<&Effect>,
    now: Time,
) -> Result<Tx, Fault> {
    let mut tx = Tx::open(store.clone(), to.clone());
    for effect in effects {
        outbox::apply(&mut tx, now, effect.clone()).await?;
    }
    Ok(tx)
}
