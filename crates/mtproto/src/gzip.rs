//! `gzip_packed`: one object, compressed.

use std::io::{Read, Write as _};

use crate::bytes::{Malformed, Reader, Writer as _};
use crate::limits::{GZIP_FROM, GZIP_UNPACKED_MAX, PACKET_UNPACKED_MAX};
use crate::service::{self, body};

/// What unpacking one packet may still cost.
pub(crate) struct Budget(usize);

impl Default for Budget {
    fn default() -> Self {
        Self(PACKET_UNPACKED_MAX)
    }
}

impl Budget {
    /// What is in `gzip_packed`, whose body this is.
    ///
    /// # Errors
    /// [`Malformed`] for what does not unpack, or to more than may be; work that came to nothing is paid
    /// for too.
    pub(crate) fn unpack(&mut self, packed: &[u8]) -> Result<Vec<u8>, Malformed> {
        let packed = Reader(packed.get(4..).ok_or(Malformed)?).string()?;
        let room = GZIP_UNPACKED_MAX.min(self.0);
        // mtcute on Node.js sends the zlib format under this name.
        let unpacked = if packed.starts_with(&[0x1f, 0x8b]) {
            read(flate2::read::GzDecoder::new(packed), room)
        } else {
            read(flate2::read::ZlibDecoder::new(packed), room)
        };
        self.0 -= unpacked.1.min(self.0);
        unpacked.0
    }
}

/// All of it, and how many bytes came out.
fn read(decoder: impl Read, room: usize) -> (Result<Vec<u8>, Malformed>, usize) {
    let mut unpacked = Vec::new();
    let done = decoder.take(room as u64 + 1).read_to_end(&mut unpacked);
    let len = unpacked.len();
    let fits = done.is_ok() && len <= room;
    (if fits { Ok(unpacked) } else { Err(Malformed) }, len)
}

/// `gzip_packed` when that is shorter.
pub(crate) fn packed(object: Vec<u8>) -> Vec<u8> {
    if object.len() < GZIP_FROM {
        return object;
    }
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let Ok(packed) = encoder.write_all(&object).and_then(|()| encoder.finish()) else {
        return object;
    };
    if packed.len() + 16 >= object.len() {
        return object;
    }
    body(service::GZIP_PACKED, |b| b.string(&packed))
}
