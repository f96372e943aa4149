//! Partitions over ordered keys. Knows bytes, never meaning.
