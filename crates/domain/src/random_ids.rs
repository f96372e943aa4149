//! Random ids: a client that got no answer sends again, and the message must not be there twice (UP-17).
//!
//! Of each conversation the last ones are remembered, in a few rows that are filled in turn. They are read with
//! every send, so they lie together under keys that are known beforehand: asking for the random id itself would
//! mean to look for a row that is not there, which no cache can answer.

use serde::{Deserialize, Serialize};

use crate::ids::{MessageId, Peer, RandomId};
use crate::keys;
use crate::limits::{RANDOM_ID_ROWS, RANDOM_IDS_PER_ROW};
use crate::tx::{Fault, Tx};

/// What a random id was used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The random id.
    pub random_id: RandomId,
    /// The message it made.
    pub id: MessageId,
}

/// One of the rows of a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// How often a row was begun in this conversation, with this one.
    pub turn: u64,
    /// The oldest first, at most [`RANDOM_IDS_PER_ROW`].
    pub sent: Vec<Sent>,
}

/// The message that an earlier send with this random id made.
///
/// # Errors
/// [`Fault`].
pub async fn sent_before(tx: &mut Tx, peer: Peer, random_id: RandomId) -> Result<Option<MessageId>, Fault> {
    let rows = rows(tx, peer).await?;
    let mut sent = rows.iter().flat_map(|row| &row.sent);
    Ok(sent.find(|one| one.random_id == random_id).map(|one| one.id))
}

/// Remembers a random id; forgets the oldest ones when there are too many.
///
/// # Errors
/// [`Fault`].
pub async fn remember(tx: &mut Tx, peer: Peer, random_id: RandomId, id: MessageId) -> Result<(), Fault> {
    let rows = rows(tx, peer).await?;
    let mut row = rows.into_iter().max_by_key(|row| row.turn).unwrap_or_default();
    if row.sent.len() >= RANDOM_IDS_PER_ROW {
        row = Row {
            turn: row.turn + 1,
            sent: Vec::new(),
        };
    }
    row.sent.push(Sent { random_id, id });
    let place = row.turn % u64::from(RANDOM_ID_ROWS);
    let place = u8::try_from(place).map_err(|_| Fault::Defect("more rows than a byte counts"))?;
    tx.put(keys::random(peer, place), &row);
    Ok(())
}

async fn rows(tx: &mut Tx, peer: Peer) -> Result<Vec<Row>, Fault> {
    let places: Vec<_> = (0..RANDOM_ID_ROWS)
        .map(|place| keys::random(peer, place))
        .collect();
    Ok(tx.get_many(&places).await?.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::FutureExt as _;
    use havre_store::engine::memory::Memory;

    use super::*;
    use crate::ids::UserId;

    const PEER: Peer = Peer::User(UserId(2));
    const OTHER: Peer = Peer::User(UserId(3));

    fn tx() -> Tx {
        let mut tx = Tx::open(Arc::new(Memory::new()), keys::partition::user(UserId(1)));
        tx.make_writable();
        tx
    }

    fn remember_all(tx: &mut Tx, numbers: std::ops::Range<i32>) {
        for n in numbers {
            let remembered = remember(tx, PEER, RandomId(n.into()), MessageId(n + 1000));
            remembered.now_or_never().unwrap().unwrap();
        }
    }

    fn found(tx: &mut Tx, peer: Peer, n: i32) -> Option<MessageId> {
        // The memory engine answers at once.
        let found = sent_before(tx, peer, RandomId(n.into())).now_or_never();
        found.unwrap().unwrap()
    }

    #[test]
    fn the_last_ones_of_a_conversation_are_remembered() {
        let (mut tx, last) = (tx(), 1000);
        remember_all(&mut tx, 0..last);
        // What one call may send, and more.
        for n in last - 120..last {
            assert_eq!(found(&mut tx, PEER, n), Some(MessageId(n + 1000)), "{n}");
        }
        assert_eq!(found(&mut tx, PEER, last), None);
        assert_eq!(found(&mut tx, PEER, last - 161), None, "it is bounded");
    }

    #[test]
    fn the_same_random_id_elsewhere_is_another() {
        let mut tx = tx();
        remember_all(&mut tx, 7..8);
        assert_eq!(found(&mut tx, OTHER, 7), None);
    }
}
