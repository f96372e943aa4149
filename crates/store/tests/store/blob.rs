//! Files, in a folder and in an object store alike.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use havre_store::blob::{
    Blob, BlobError, BlobId, Blobs, PART_LEN_MAX, PARTS_MAX, PUT_LEN_MAX, READ_LEN_MAX, Upload,
};
use object_store::memory::InMemory;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::worlds::runtime;

const UPLOAD: Upload = Upload {
    uploader: 7,
    file: u64::MAX,
};
const BLOB: BlobId = BlobId(0x1234_5678);

/// Runs a test on both kinds of store.
fn each_store(test: impl AsyncFn(Blobs)) {
    let folder = TempDir::new().unwrap();
    runtime().block_on(async {
        test(Blobs::local(folder.path().join("new/files")).unwrap()).await;
        test(Blobs::new(Arc::new(InMemory::new()))).await;
    });
}

/// Bytes that differ from part to part and within one.
fn part(n: u32, len: usize) -> Bytes {
    (0u32..)
        .map(|i| (i.wrapping_mul(31) ^ (i >> 8) ^ n) as u8)
        .take(len)
        .collect()
}

fn hash(content: &[u8]) -> [u8; 32] {
    Sha256::digest(content).into()
}

async fn whole(blobs: &Blobs, blob: BlobId) -> Vec<u8> {
    let mut content = Vec::new();
    loop {
        let start = content.len() as u64;
        let next = blobs.read(blob, start..start + READ_LEN_MAX).await.unwrap();
        if next.is_empty() {
            return content;
        }
        content.extend(next);
    }
}

#[test]
fn a_file_of_many_parts_is_assembled() {
    each_store(async |blobs| {
        let mut content = Vec::new();
        for n in 0..40 {
            let part = part(n, if n == 39 { 1000 } else { PART_LEN_MAX });
            content.extend_from_slice(&part);
            blobs.put_part(UPLOAD, n, part).await.unwrap();
        }
        let len = content.len() as u64;
        let blob = blobs.assemble(UPLOAD, 40, BLOB, Some(len)).await.unwrap();
        assert_eq!(
            blob,
            Blob {
                len,
                sha256: hash(&content)
            }
        );
        assert_eq!(blobs.len(BLOB).await, Ok(len));
        assert!(whole(&blobs, BLOB).await == content);
        let again = blobs.assemble(UPLOAD, 40, BLOB, None).await;
        assert_eq!(
            again,
            Ok(blob),
            "until the parts are discarded it can be done again"
        );
    });
}

#[test]
fn a_part_sent_again_replaces_the_first() {
    each_store(async |blobs| {
        for content in ["first", "second, and longer", "third"] {
            blobs.put_part(UPLOAD, 0, Bytes::from(content)).await.unwrap();
        }
        let blob = blobs.assemble(UPLOAD, 1, BLOB, None).await.unwrap();
        assert_eq!(blob.sha256, hash(b"third"));
    });
}

#[test]
fn what_is_not_whole_is_not_published() {
    each_store(async |blobs| {
        for (n, len) in [(0, 1024), (1, 1024), (2, 10), (4, 1024), (5, 2048)] {
            blobs.put_part(UPLOAD, n, part(n, len)).await.unwrap();
        }
        let assemble = async |parts, len| blobs.assemble(UPLOAD, parts, BLOB, len).await;
        assert_eq!(
            assemble(5, None).await,
            Err(BlobError::PartLen(2)),
            "only the last may be shorter"
        );
        blobs.put_part(UPLOAD, 2, part(2, 1024)).await.unwrap();
        assert_eq!(assemble(5, None).await, Err(BlobError::PartMissing(3)));
        blobs.put_part(UPLOAD, 3, part(3, 1024)).await.unwrap();
        assert_eq!(
            assemble(6, None).await,
            Err(BlobError::PartLen(5)),
            "no part may be longer"
        );
        assert_eq!(
            assemble(5, Some(1)).await,
            Err(BlobError::Len {
                found: 5120,
                expected: 1
            })
        );
        assert_eq!(blobs.len(BLOB).await, Err(BlobError::Missing));
        assert_eq!(assemble(5, Some(5120)).await.map(|blob| blob.len), Ok(5120));
    });
}

#[test]
fn readers_see_all_or_nothing() {
    each_store(async |blobs| {
        for n in 0..30 {
            blobs.put_part(UPLOAD, n, part(n, PART_LEN_MAX)).await.unwrap();
        }
        let writer = blobs.clone();
        let writing = tokio::spawn(async move { writer.assemble(UPLOAD, 30, BLOB, None).await });
        let mut polls = 0;
        while blobs.len(BLOB).await == Err(BlobError::Missing) {
            polls += 1;
            tokio::task::yield_now().await;
        }
        assert_eq!(
            blobs.len(BLOB).await,
            Ok(30 * PART_LEN_MAX as u64),
            "after {polls} polls"
        );
        writing.await.unwrap().unwrap();
    });
}

#[test]
fn ranges_are_cut_at_the_end() {
    each_store(async |blobs| {
        let content = Bytes::from_static(b"0123456789");
        assert_eq!(
            blobs.put(BLOB, content.clone()).await.unwrap().sha256,
            hash(&content)
        );
        let cases = [
            (0..10, "0123456789"),
            (3..5, "34"),
            (8..100, "89"),
            (10..20, ""),
            (99..100, ""),
            (4..4, ""),
        ];
        for (range, expected) in cases {
            assert_eq!(
                blobs.read(BLOB, range.clone()).await.unwrap(),
                expected,
                "{range:?}"
            );
        }
        assert_eq!(blobs.read(BlobId(1), 0..10).await, Err(BlobError::Missing));
        assert_eq!(blobs.read(BlobId(1), 0..0).await, Err(BlobError::Missing));
        blobs.put(BlobId(2), Bytes::new()).await.unwrap();
        assert_eq!(blobs.read(BlobId(2), 0..10).await.unwrap(), "");
    });
}

#[test]
fn what_is_removed_is_gone() {
    each_store(async |blobs| {
        blobs.put(BLOB, Bytes::from_static(b"content")).await.unwrap();
        blobs
            .put_part(UPLOAD, 0, Bytes::from_static(b"part"))
            .await
            .unwrap();
        let other = Upload { file: 8, ..UPLOAD };
        blobs
            .put_part(other, 0, Bytes::from_static(b"part"))
            .await
            .unwrap();
        for _ in 0..2 {
            blobs.delete(BLOB).await.unwrap();
            assert_eq!(blobs.len(BLOB).await, Err(BlobError::Missing));
            blobs.discard(UPLOAD).await.unwrap();
            assert_eq!(
                blobs.assemble(UPLOAD, 1, BLOB, None).await,
                Err(BlobError::PartMissing(0))
            );
        }
        blobs.assemble(other, 1, BLOB, None).await.unwrap();
    });
}

#[test]
fn uploads_expire_by_their_newest_part() {
    each_store(async |blobs| {
        let upload = |file| Upload { file, ..UPLOAD };
        for file in [3, 1, 2] {
            blobs
                .put_part(upload(file), 0, Bytes::from_static(b"part"))
                .await
                .unwrap();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        let between = SystemTime::now();
        tokio::time::sleep(Duration::from_millis(50)).await;
        blobs
            .put_part(upload(2), 1, Bytes::from_static(b"part"))
            .await
            .unwrap();
        assert_eq!(blobs.expired(between, 10).await.unwrap(), [upload(1), upload(3)]);
        assert_eq!(blobs.expired(between, 1).await.unwrap(), [upload(1)]);
        let later = SystemTime::now() + Duration::from_secs(60);
        assert_eq!(blobs.expired(later, 10).await.unwrap().len(), 3);
        assert_eq!(blobs.expired(SystemTime::UNIX_EPOCH, 10).await.unwrap(), []);
    });
}

#[test]
fn limits_of_files_hold() {
    each_store(async |blobs| {
        let blob = |len| Bytes::from(vec![0; len]);
        let refused = [
            blobs.put_part(UPLOAD, PARTS_MAX, blob(1)).await,
            blobs.put_part(UPLOAD, 0, blob(PART_LEN_MAX + 1)).await,
            blobs.assemble(UPLOAD, PARTS_MAX + 1, BLOB, None).await.map(drop),
            blobs.put(BLOB, blob(PUT_LEN_MAX + 1)).await.map(drop),
            blobs.read(BLOB, 0..READ_LEN_MAX + 1).await.map(drop),
        ];
        assert!(
            refused
                .iter()
                .all(|result| matches!(result, Err(BlobError::TooLarge(_)))),
            "{refused:?}"
        );
        blobs
            .put_part(UPLOAD, PARTS_MAX - 1, blob(PART_LEN_MAX))
            .await
            .unwrap();
        assert_eq!(
            blobs.put(BLOB, blob(PUT_LEN_MAX)).await.unwrap().len,
            PUT_LEN_MAX as u64
        );
    });
}

#[test]
fn half_written_files_are_removed_once_they_are_old() {
    let folder = TempDir::new().unwrap();
    runtime().block_on(async {
        let blobs = Blobs::local(folder.path()).unwrap();
        blobs.put(BLOB, Bytes::from_static(b"content")).await.unwrap();
        std::fs::write(folder.path().join("blobs/78/0000000012345679#1"), "half").unwrap();
        assert_eq!(blobs.remove_unfinished(SystemTime::UNIX_EPOCH).await, Ok(0));
        let later = SystemTime::now() + Duration::from_secs(60);
        assert_eq!(blobs.remove_unfinished(later).await, Ok(1));
        assert_eq!(blobs.remove_unfinished(later).await, Ok(0));
        assert_eq!(blobs.len(BLOB).await, Ok(7));
    });
}

#[test]
fn a_folder_that_cannot_be_used_is_refused() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    assert!(matches!(
        Blobs::local(folder.path().join("file/in")),
        Err(BlobError::Unavailable(_))
    ));
}
