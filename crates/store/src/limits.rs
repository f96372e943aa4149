//! Bounds of everything that enters the store, and the checks that every engine makes first.

use crate::{Commit, Outgoing, Partition, Read, StoreError, Write};

/// Longest partition name, bytes. It is written with a one-byte length.
pub const PARTITION_LEN_MAX: usize = 128;
/// Longest key inside a partition, bytes.
pub const KEY_LEN_MAX: usize = 512;
/// Longest value, bytes.
pub const VALUE_LEN_MAX: usize = 1 << 20;
/// Most writes in one commit.
pub const COMMIT_WRITES_MAX: usize = 10_000;
/// Most effects in one commit.
pub const COMMIT_EFFECTS_MAX: usize = 10_000;
/// Most bytes of keys, values and effects in one commit.
pub const COMMIT_BYTES_MAX: usize = 16 << 20;
/// Most entries that one range read returns.
pub const RANGE_LIMIT_MAX: usize = 10_000;

const _: () = assert!(PARTITION_LEN_MAX <= u8::MAX as usize);
const _: () = assert!(COMMIT_BYTES_MAX >= KEY_LEN_MAX + VALUE_LEN_MAX);

pub(crate) fn check_reads(partition: &Partition, reads: &[Read]) -> Result<(), StoreError> {
    check_partition(partition)?;
    reads.iter().try_for_each(check_read)
}

fn check_read(read: &Read) -> Result<(), StoreError> {
    match read {
        Read::Key(key) => at_most("bytes of a key", key.len(), KEY_LEN_MAX),
        // Bounds of a range are not stored, so they may be longer than any key.
        Read::Range { limit, .. } => check_limit(*limit),
        Read::Received(from) => check_partition(from),
    }
}

pub(crate) fn check_limit(limit: usize) -> Result<(), StoreError> {
    at_most("entries of one read", limit, RANGE_LIMIT_MAX)
}

pub(crate) fn check_commit(commit: &Commit) -> Result<(), StoreError> {
    check_partition(&commit.partition)?;
    if let Some((from, _)) = &commit.received {
        check_partition(from)?;
    }
    at_most("writes of a commit", commit.writes.len(), COMMIT_WRITES_MAX)?;
    at_most("effects of a commit", commit.effects.len(), COMMIT_EFFECTS_MAX)?;
    commit.writes.iter().try_for_each(check_write)?;
    commit.effects.iter().try_for_each(check_effect)?;
    at_most("bytes of a commit", commit_bytes(commit), COMMIT_BYTES_MAX)
}

pub(crate) fn check_partition(partition: &Partition) -> Result<(), StoreError> {
    at_most("bytes of a partition name", partition.0.len(), PARTITION_LEN_MAX)
}

fn check_write(write: &Write) -> Result<(), StoreError> {
    let (key, value_len) = match write {
        Write::Put(key, value) => (key, value.len()),
        Write::Delete(key) => (key, 0),
    };
    at_most("bytes of a key", key.len(), KEY_LEN_MAX)?;
    at_most("bytes of a value", value_len, VALUE_LEN_MAX)
}

fn check_effect(effect: &Outgoing) -> Result<(), StoreError> {
    check_partition(&effect.to)?;
    at_most("bytes of an effect", effect.body.len(), VALUE_LEN_MAX)
}

/// Bytes of keys, values and effects that `commit` carries.
pub(crate) fn commit_bytes(commit: &Commit) -> usize {
    let writes = commit.writes.iter().map(|write| match write {
        Write::Put(key, value) => key.len() + value.len(),
        Write::Delete(key) => key.len(),
    });
    let effects = commit
        .effects
        .iter()
        .map(|effect| effect.to.0.len() + effect.body.len());
    writes.chain(effects).sum()
}

fn at_most(what: &str, got: usize, max: usize) -> Result<(), StoreError> {
    if got <= max {
        return Ok(());
    }
    Err(StoreError::TooLarge(format!("{got} {what}, at most {max}")))
}
