//! How often somebody may do what others have to bear: a leaky bucket for each kind of deed, kept with the
//! person or group, so that it holds on every node and over restarts. A refusal writes nothing.

use havre_store::Key;
use serde::{Deserialize, Serialize};

use crate::ids::{Time, UserId};
use crate::keys;
use crate::tx::{Fault, Tx};

/// How often something may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Names the meter.
    pub name: &'static str,
    /// So many times, at once or spread; 0 is without limit.
    pub count: u32,
    /// Within so many seconds.
    pub per: i64,
}

/// Messages sent, forwarded and edited; the count is the operator's to set.
pub const SENDS: Allowance = Allowance {
    name: "sends",
    count: 600,
    per: 60,
};
/// Telephone numbers looked up. Somebody's whole address book fits; a walk through all numbers does not.
pub const PHONE_LOOKUPS: Allowance = Allowance {
    name: "phones",
    count: 5_000,
    per: 24 * 3600,
};
/// Usernames looked up.
pub const NAME_LOOKUPS: Allowance = Allowance {
    name: "names",
    count: 1_000,
    per: 3600,
};
/// Groups made.
pub const GROUPS_MADE: Allowance = Allowance {
    name: "groups",
    count: 50,
    per: 24 * 3600,
};
/// Changes of one group that all its members are told of, or by one person of a channel.
pub const GROUP_CHANGES: Allowance = Allowance {
    name: "changes",
    count: 500,
    per: 3600,
};

/// Codes sent to verify an e-mail address.
pub const EMAIL_CODES: Allowance = Allowance {
    name: "emails",
    count: 5,
    per: 3600,
};

/// Too often: may be done again after so many seconds, at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait(pub i64);

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Meter {
    /// When the bucket will have run empty, milliseconds.
    empty_at: i64,
}

/// Counts `times` deeds, or refuses all of them. More than the allowance at once counts as the whole of it.
///
/// # Errors
/// [`Fault`].
pub async fn spend(
    tx: &mut Tx,
    now: Time,
    allowance: Allowance,
    times: u32,
) -> Result<Result<(), Wait>, Fault> {
    spend_at(tx, keys::meter(allowance.name), now, allowance, times).await
}

/// Counts one deed of somebody in a partition that many do it in.
///
/// # Errors
/// [`Fault`].
pub async fn spend_as(
    tx: &mut Tx,
    now: Time,
    allowance: Allowance,
    by: UserId,
) -> Result<Result<(), Wait>, Fault> {
    spend_at(tx, keys::meter_of(allowance.name, by), now, allowance, 1).await
}

async fn spend_at(
    tx: &mut Tx,
    key: Key,
    now: Time,
    allowance: Allowance,
    times: u32,
) -> Result<Result<(), Wait>, Fault> {
    if allowance.count == 0 {
        return Ok(Ok(()));
    }
    let meter: Meter = tx.get(&key).await?.unwrap_or_default();
    let filled = fill(meter.empty_at, now, allowance, times);
    if let Ok(empty_at) = filled {
        tx.put(key, &Meter { empty_at });
    }
    Ok(filled.map(drop))
}

/// A bucket with so many deeds more: when it will have run empty, in milliseconds, as before it was.
/// `allowance.count` is not 0.
///
/// # Errors
/// [`Wait`], and the bucket stays as it is.
pub fn fill(empty_at: i64, now: Time, allowance: Allowance, times: u32) -> Result<i64, Wait> {
    let (now, full) = (now.0 * 1000, allowance.per * 1000);
    let level = full * i64::from(times.min(allowance.count)) / i64::from(allowance.count);
    let empty_at = empty_at.max(now) + level;
    let over = empty_at - now - full;
    if over > 0 {
        return Err(Wait((over + 999) / 1000));
    }
    Ok(empty_at)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::FutureExt as _;
    use havre_store::engine::memory::Memory;
    use proptest::prelude::*;

    use super::*;

    const THREE: Allowance = Allowance {
        name: "test",
        count: 3,
        per: 30,
    };

    /// The memory engine answers at once.
    fn spend(tx: &mut Tx, at: i64, allowance: Allowance, times: u32) -> Result<(), Wait> {
        let spent = super::spend(tx, Time(at), allowance, times).now_or_never();
        spent.expect("no wait").expect("memory answers")
    }

    fn tx() -> Tx {
        Tx::open(Arc::new(Memory::new()), keys::partition::user(UserId(1)))
    }

    #[test]
    fn the_whole_allowance_at_once_and_then_one_by_one() {
        let mut tx = tx();
        let mut spend = |at, times| spend(&mut tx, at, THREE, times);
        assert_eq!(spend(1000, 3), Ok(()));
        assert_eq!(spend(1000, 1), Err(Wait(10)));
        assert_eq!(spend(1009, 1), Err(Wait(1)));
        assert_eq!(spend(1010, 1), Ok(()));
        assert_eq!(spend(1010, 2), Err(Wait(20)));
        assert_eq!(spend(1100, 7), Ok(()), "as much as there is counts as the whole");
        assert_eq!(spend(1100, 1), Err(Wait(10)));
    }

    #[test]
    fn no_count_is_no_limit() {
        let (mut tx, free) = (tx(), Allowance { count: 0, ..THREE });
        for _ in 0..100 {
            assert_eq!(spend(&mut tx, 1, free, 1), Ok(()));
        }
        assert!(!tx.is_changed());
    }

    proptest! {
        /// Whoever waits as long as he is told is let through, and within any span of time nobody does
        /// more than the allowance and what the span adds to it.
        #[test]
        fn the_wait_is_true_and_the_rate_holds(
            count in 1..50_u32,
            per in 1..100_000_i64,
            pauses in prop::collection::vec((0..2_000_i64, 1..5_u32), 1..60),
        ) {
            let allowance = Allowance { name: "test", count, per };
            let (mut tx, start) = (tx(), 1_000_000);
            let (mut now, mut done) = (start, 0_i64);
            for (pause, times) in pauses {
                now += pause;
                let times = times.min(count);
                let mut spend = |at| spend(&mut tx, at, allowance, times);
                if let Err(Wait(seconds)) = spend(now) {
                    prop_assert!(seconds >= 1);
                    now += seconds;
                    prop_assert_eq!(spend(now), Ok(()));
                }
                done += i64::from(times);
                let earned = (now - start) * i64::from(count) / per;
                prop_assert!(done <= i64::from(count) + earned + 1);
            }
        }
    }
}
