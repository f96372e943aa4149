//! Bounds of everything that enters the store.

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
/// Most entries that one range read returns.
pub const RANGE_LIMIT_MAX: usize = 10_000;
