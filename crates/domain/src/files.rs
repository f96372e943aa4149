//! Files: what is known of one. Its bytes are in the object store, under the names of their content.

use serde::{Deserialize, Serialize};

use crate::ids::{FileId, UserId};
use crate::keys;
use crate::tx::{Fault, Tx};
use crate::world::Secret;

/// Bytes in the object store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blob {
    /// SHA-256 of the bytes; names them.
    pub sha256: [u8; 32],
    /// How many bytes.
    pub size: u64,
}

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
    /// TL of the canonical layer (`photo` or `document`).
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

/// The reference that goes along with a file whenever it is shown.
#[must_use]
pub fn reference(secret: &Secret, FileId(id): FileId) -> Vec<u8> {
    secret
        .hash("file reference", &[id])
        .into_iter()
        .take(REFERENCE_LEN)
        .collect()
}

/// Bytes of a file reference.
const REFERENCE_LEN: usize = 16;

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
        assert_eq!(reference(&secret, id).len(), REFERENCE_LEN);
    }
}
