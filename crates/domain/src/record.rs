//! Values are small records: one byte of format version, then the fields in postcard's encoding.

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use crate::tx::Fault;

/// The format that is written today. A record whose layout changes gets a new number and a reader for
/// the old one in [`decode`].
const FORMAT: u8 = 1;

/// Encodes a record.
///
/// # Panics
/// Never for our own types: they hold nothing that postcard cannot write.
#[must_use]
pub fn encode<R: Serialize>(record: &R) -> Bytes {
    let encoded = postcard::to_extend(record, vec![FORMAT]);
    debug_assert!(encoded.is_ok(), "a record that postcard cannot write");
    Bytes::from(encoded.unwrap_or_default())
}

/// Decodes a record.
///
/// # Errors
/// [`Fault::Corrupt`] when the bytes are not such a record.
pub fn decode<R: DeserializeOwned>(bytes: &[u8]) -> Result<R, Fault> {
    match bytes.split_first() {
        Some((&FORMAT, rest)) => postcard::from_bytes(rest)
            .map_err(|e| Fault::Corrupt(format!("{}: {e}", std::any::type_name::<R>()))),
        Some((format, _)) => Err(Fault::Corrupt(format!("record format {format} is unknown"))),
        None => Err(Fault::Corrupt("empty record".into())),
    }
}
