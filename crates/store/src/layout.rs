//! What the durable engines write, and where. The only place that knows.
//!
//! ```text
//! rows of a partition, in every durable engine
//! ├── 00                      -> version u64
//! ├── 01 key                  -> value
//! ├── 02 sender               -> highest effect received: version u64, index u32
//! └── 03 version u64 index u32 -> undelivered effect: length of receiver u8, receiver, body
//!
//! embedded: one keyspace
//! ├── 00 `commits`            -> number of the last batch, u64
//! ├── 00 `format`             -> u32, see EMBEDDED_FORMAT
//! ├── 01 partition            -> oldest undelivered effect: version u64, index u32
//! └── 02 length u8 partition  rows of that partition
//!
//! postgres: two tables
//! ├── havre_rows (partition, key) -> value   key and value as in the rows above
//! │   └── index havre_pending     partitions of the rows from 03 on
//! └── havre_meta (name)           -> number; `format`, see FORMAT
//! ```
//!
//! Numbers are big-endian, so the order of bytes is the order of numbers.

use bytes::Bytes;

use crate::tuple::{Malformed, Reader, Writer};
use crate::{EffectId, Outgoing, Partition, StoreError, Version};

/// The layout drawn above. A database with a higher number was written by a newer server.
pub(crate) const FORMAT: u32 = 1;
/// The same of the embedded engine. From 2 on a batch goes through the commit log, so what lacks in the engine
/// may be there.
pub(crate) const EMBEDDED_FORMAT: u32 = 2;
/// The first format with a commit log.
pub(crate) const FORMAT_WITH_LOG: u32 = 2;

/// First byte of a row inside a partition.
pub(crate) mod row {
    pub(crate) const VERSION: u8 = 0;
    pub(crate) const ENTRY: u8 = 1;
    pub(crate) const RECEIVED: u8 = 2;
    pub(crate) const OUTBOX: u8 = 3;
}

/// First byte of a key of the embedded engine.
pub(crate) mod space {
    pub(crate) const META: u8 = 0;
    pub(crate) const PENDING: u8 = 1;
    pub(crate) const PARTITION: u8 = 2;
}

/// Key of the format row of the embedded engine.
pub(crate) const FORMAT_KEY: &[u8] = b"\0format";
/// Key of the commit number of the embedded engine.
pub(crate) const COMMITS_KEY: &[u8] = b"\0commits";

/// Writes the keys of one partition's rows behind a prefix of the engine.
#[derive(Clone, Debug)]
pub(crate) struct Rows(Writer);

impl Rows {
    /// Rows of an engine that names the partition elsewhere.
    pub(crate) fn bare() -> Self {
        Self(Writer::new())
    }

    /// Rows of the embedded engine.
    pub(crate) fn of(partition: &Partition) -> Self {
        // Limits keep a name within 255 bytes; a longer one must not reach a neighbour's rows.
        let len = u8::try_from(partition.0.len()).expect("partition names are checked before");
        Self(Writer::new().u8(space::PARTITION).u8(len).raw(&partition.0))
    }

    pub(crate) fn version(&self) -> Bytes {
        self.row(row::VERSION).finish()
    }

    pub(crate) fn entry(&self, key: &[u8]) -> Bytes {
        self.row(row::ENTRY).raw(key).finish()
    }

    pub(crate) fn received(&self, from: &Partition) -> Bytes {
        self.row(row::RECEIVED).raw(&from.0).finish()
    }

    pub(crate) fn outbox(&self, id: EffectId) -> Bytes {
        self.row(row::OUTBOX).raw(&encode_id(id)).finish()
    }

    /// A key below every effect.
    pub(crate) fn outbox_start(&self) -> Bytes {
        self.row(row::OUTBOX).finish()
    }

    /// The first key above every effect.
    pub(crate) fn outbox_end(&self) -> Bytes {
        self.row(row::OUTBOX + 1).finish()
    }

    fn row(&self, kind: u8) -> Writer {
        self.0.clone().u8(kind)
    }
}

pub(crate) fn pending(partition: &Partition) -> Bytes {
    Writer::new().u8(space::PENDING).raw(&partition.0).finish()
}

pub(crate) fn encode_id(id: EffectId) -> Bytes {
    Writer::new().u64(id.version.0).u32(id.index).finish()
}

pub(crate) fn decode_id(bytes: &[u8]) -> Result<EffectId, Malformed> {
    let mut reader = Reader::new(bytes);
    let id = EffectId {
        version: Version(reader.u64()?),
        index: reader.u32()?,
    };
    reader.finish().map(|()| id)
}

pub(crate) fn encode_version(version: Version) -> Bytes {
    Writer::new().u64(version.0).finish()
}

pub(crate) fn decode_version(bytes: &[u8]) -> Result<Version, Malformed> {
    decode_number(bytes).map(Version)
}

pub(crate) fn decode_number(bytes: &[u8]) -> Result<u64, Malformed> {
    let mut reader = Reader::new(bytes);
    let number = reader.u64()?;
    reader.finish().map(|()| number)
}

pub(crate) fn encode_effect(effect: &Outgoing) -> Bytes {
    let len = u8::try_from(effect.to.0.len()).expect("partition names are checked before");
    Writer::new().u8(len).raw(&effect.to.0).raw(&effect.body).finish()
}

pub(crate) fn decode_effect(bytes: &[u8]) -> Result<Outgoing, Malformed> {
    let mut reader = Reader::new(bytes);
    let len = reader.u8()?;
    let to = Partition(Bytes::copy_from_slice(reader.raw(len.into())?));
    Ok(Outgoing {
        to,
        body: Bytes::copy_from_slice(reader.rest()),
    })
}

impl From<Malformed> for StoreError {
    fn from(_: Malformed) -> Self {
        Self::Corrupt("a row cannot be decoded".into())
    }
}
