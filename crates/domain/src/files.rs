//! Files: what is known of one. Its bytes are in the object store, under the names of their content.

use havre_store::blob::Blob;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::ids::{FileId, Time, UserId};
use crate::keys;
use crate::limits::{FILE_REFERENCE_GRAIN, FILE_REFERENCE_TTL};
use crate::tx::{Fault, Tx};
use crate::world::Secret;

/// How a file is spoken of on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A picture in sizes.
    Photo,
    /// Anything else, with pictures of it or without.
    Document,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Photo or document.
    pub kind: Kind,
    /// Who uploaded it.
    pub owner: UserId,
    /// When.
    pub date: i32,
    /// MIME type of the whole.
    pub mime: String,
    /// The whole; a photo has sizes only.
    pub whole: Option<Blob>,
    /// Pictures by the letter of their size.
    pub sizes: Vec<(String, Blob)>,
    /// TL of the canonical layer (`photo` or `document`), without a reference: each showing has its own.
    pub object: Vec<u8>,
}

impl File {
    /// The whole file under the empty name, a picture under the letter of its size.
    #[must_use]
    pub fn blob(&self, size: &str) -> Option<Blob> {
        if size.is_empty() {
            return self.whole;
        }
        self.sizes
            .iter()
            .find_map(|(name, blob)| (name == size).then_some(*blob))
    }
}

/// A file, if there is one.
///
/// # Errors
/// [`Fault`].
pub async fn file(tx: &mut Tx) -> Result<Option<File>, Fault> {
    tx.get(&keys::subject()).await
}

/// The id of a file of `owner` that is fully told by `digest`. The same upload has the same id however often it
/// is made, so that a call that is tried again makes one file; nobody can compute it from the content.
#[must_use]
pub fn id_of(secret: &Secret, UserId(owner): UserId, digest: &[u8; 32]) -> FileId {
    let mut data = vec![owner];
    data.extend(digest.chunks(8).map(number));
    FileId(number(&secret.hash("file", &data)) & i64::MAX)
}

/// The access hash of a file.
#[must_use]
pub fn access_hash(secret: &Secret, FileId(id): FileId) -> i64 {
    number(&secret.hash("file access", &[id]))
}

/// The reference that goes along with a file whenever it is shown (core.telegram.org/api/file-references): when
/// it expires, and a mark that only this server can make. It is good for [`FILE_REFERENCE_TTL`] or up to
/// [`FILE_REFERENCE_GRAIN`] longer.
#[must_use]
pub fn reference(secret: &Secret, file: FileId, now: Time) -> Vec<u8> {
    let begun = now.0 - now.0.rem_euclid(FILE_REFERENCE_GRAIN);
    let expires = Time(begun + FILE_REFERENCE_GRAIN + FILE_REFERENCE_TTL);
    let mark = mark(secret, file, expires.date()).finalize().into_bytes();
    let mut reference = expires.date().to_be_bytes().to_vec();
    reference.extend(mark.into_iter().take(MARK_LEN));
    reference
}

/// Bytes of the mark of a file reference.
const MARK_LEN: usize = 16;

fn mark(secret: &Secret, FileId(file): FileId, expires: i32) -> Hmac<Sha256> {
    // Shorter keys are filled up with zeros (RFC 2104, section 2).
    let mut key = [0; 64];
    key[..secret.0.len()].copy_from_slice(&secret.0);
    let mut mark = Hmac::<Sha256>::new(&key.into());
    mark.update(b"file reference");
    mark.update(&file.to_be_bytes());
    mark.update(&expires.to_be_bytes());
    mark
}

/// Why a reference does not open a file. Clients then fetch anew what showed it to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// There is none.
    #[error("no reference")]
    Empty,
    /// It is not of this file, or not from here.
    #[error("a wrong reference")]
    Invalid,
    /// Its time is over.
    #[error("an expired reference")]
    Expired,
}

/// Whether a reference opens a file now. How long it takes tells nothing of the right one.
///
/// # Errors
/// [`ReferenceError`].
pub fn check_reference(
    secret: &Secret,
    file: FileId,
    reference: &[u8],
    now: Time,
) -> Result<(), ReferenceError> {
    if reference.is_empty() {
        return Err(ReferenceError::Empty);
    }
    let (expires, found) = reference.split_first_chunk().ok_or(ReferenceError::Invalid)?;
    let expires = i32::from_be_bytes(*expires);
    if found.len() != MARK_LEN {
        return Err(ReferenceError::Invalid);
    }
    mark(secret, file, expires)
        .verify_truncated_left(found)
        .map_err(|_| ReferenceError::Invalid)?;
    if i64::from(expires) <= now.0 {
        return Err(ReferenceError::Expired);
    }
    Ok(())
}

/// The first bytes as a number.
fn number(bytes: &[u8]) -> i64 {
    bytes.iter().take(8).fold(0, |n, byte| n << 8 | i64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_upload_is_the_same_file_and_nobody_elses() {
        let secret = Secret([1; 32]);
        let id = id_of(&secret, UserId(1), &[2; 32]);
        assert_eq!(id, id_of(&secret, UserId(1), &[2; 32]));
        assert_ne!(id, id_of(&secret, UserId(2), &[2; 32]));
        assert_ne!(id, id_of(&Secret([2; 32]), UserId(1), &[2; 32]));
        assert!(id.0 > 0);
        assert_ne!(access_hash(&secret, id), 0);
    }

    const SECRET: Secret = Secret([1; 32]);
    const FILE: FileId = FileId(5);
    const NOW: Time = Time(1_800_000_000);

    fn check(reference: &[u8], at: Time) -> Result<(), ReferenceError> {
        check_reference(&SECRET, FILE, reference, at)
    }

    #[test]
    fn the_mark_is_hmac_sha_256_as_others_compute_it() {
        // Python: hmac.new(bytes([1] * 32), b"file reference" + id + expires, "sha256").digest()[:16]
        let hex: String = reference(&SECRET, FILE, NOW)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(hex, "6b53ed80c7aaa992316c22a3cfe176d207474cd1");
    }

    #[test]
    fn a_reference_is_good_for_its_time() {
        for shown in (0..FILE_REFERENCE_GRAIN).step_by(3607).map(|s| NOW.plus(s)) {
            let reference = reference(&SECRET, FILE, shown);
            assert_eq!(check(&reference, shown), Ok(()));
            assert_eq!(check(&reference, shown.plus(FILE_REFERENCE_TTL)), Ok(()));
            let end = shown.plus(FILE_REFERENCE_TTL + FILE_REFERENCE_GRAIN);
            assert_eq!(check(&reference, end), Err(ReferenceError::Expired));
        }
    }

    #[test]
    fn a_file_shown_again_within_a_span_has_the_same_reference() {
        let begun = Time(NOW.0 - NOW.0.rem_euclid(FILE_REFERENCE_GRAIN));
        let first = reference(&SECRET, FILE, begun);
        let last = begun.plus(FILE_REFERENCE_GRAIN - 1);
        assert_eq!(reference(&SECRET, FILE, last), first);
        assert_ne!(reference(&SECRET, FILE, last.plus(1)), first);
    }

    #[test]
    fn a_reference_opens_one_file_of_one_server() {
        let right = reference(&SECRET, FILE, NOW);
        let of_another = reference(&SECRET, FileId(6), NOW);
        let from_elsewhere = reference(&Secret([2; 32]), FILE, NOW);
        for wrong in [
            of_another,
            from_elsewhere,
            right[..19].to_vec(),
            vec![0; 3],
            vec![0; 21],
        ] {
            assert_eq!(check(&wrong, NOW), Err(ReferenceError::Invalid), "{wrong:?}");
        }
        for bit in 0..right.len() * 8 {
            let mut wrong = right.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(check(&wrong, NOW), Err(ReferenceError::Invalid), "bit {bit}");
        }
        assert_eq!(check(&[], NOW), Err(ReferenceError::Empty));
    }
}
