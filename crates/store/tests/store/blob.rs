//! Files, in a folder and in an object store alike.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use havre_store::blob::{
    Blob, BlobError, Blobs, PART_LEN_MAX, PARTS_MAX, READ_LEN_MAX, Upload, WHOLE_LEN_MAX,
};
use md5::Md5;
use object_store::memory::InMemory;
use object_store::throttle::{ThrottleConfig, ThrottledStore};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::worlds::runtime;

const UPLOAD: Upload = Upload { owner: 7, id: -1 };

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

fn blob_of(content: &[u8]) -> Blob {
    Blob {
        sha256: Sha256::digest(content).into(),
        size: content.len() as u64,
    }
}

/// Uploads `count` parts, the last of them of `last` bytes, and returns what they make.
async fn upload(blobs: &Blobs, count: u32, last: usize) -> Vec<u8> {
    let mut content = Vec::new();
    for n in 0..count {
        let part = part(n, if n + 1 == count { last } else { PART_LEN_MAX });
        content.extend_from_slice(&part);
        blobs.put_part(UPLOAD, n, part).await.unwrap();
    }
    content
}

async fn read_all(blobs: &Blobs, blob: &Blob) -> Vec<u8> {
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
        let content = upload(&blobs, 40, 1000).await;
        let blob = blobs.assemble(UPLOAD, 40, None).await.unwrap();
        assert_eq!(blob, blob_of(&content));
        assert!(read_all(&blobs, &blob).await == content);
        let again = blobs.assemble(UPLOAD, 40, None).await;
        assert_eq!(again, Ok(blob), "asked again it is the same");
        assert_eq!(
            blobs.assemble(UPLOAD, 39, None).await,
            Err(BlobError::PartMissing(0)),
            "the parts are gone, and it is another question"
        );
    });
}

#[test]
fn a_short_file_is_assembled() {
    each_store(async |blobs| {
        let content = upload(&blobs, 2, 77).await;
        let blob = blobs.assemble(UPLOAD, 2, None).await.unwrap();
        assert_eq!(blob, blob_of(&content));
        assert!(blobs.whole(&blob).await.unwrap() == content);
    });
}

#[test]
fn the_same_content_is_the_same_blob() {
    each_store(async |blobs| {
        for parts in [3, 20] {
            let content = upload(&blobs, parts, 5).await;
            let first = blobs.assemble(UPLOAD, parts, None).await;
            upload(&blobs, parts, 5).await;
            assert_eq!(blobs.assemble(UPLOAD, parts, None).await, first);
            assert!(read_all(&blobs, &first.unwrap()).await == content);
        }
    });
}

#[test]
fn a_part_sent_again_replaces_the_first() {
    each_store(async |blobs| {
        for content in ["first", "second, and longer", "third"] {
            blobs.put_part(UPLOAD, 0, Bytes::from(content)).await.unwrap();
        }
        let blob = blobs.assemble(UPLOAD, 1, None).await;
        assert_eq!(blob, Ok(blob_of(b"third")));
        blobs
            .put_part(UPLOAD, 0, Bytes::from_static(b"anew"))
            .await
            .unwrap();
        assert_eq!(blobs.assemble(UPLOAD, 1, None).await, Ok(blob_of(b"anew")));
    });
}

#[test]
fn what_is_not_whole_is_not_published() {
    each_store(async |blobs| {
        for (n, len) in [(0, 1024), (1, 1024), (2, 10), (4, 1024), (5, 2048)] {
            blobs.put_part(UPLOAD, n, part(n, len)).await.unwrap();
        }
        let assemble = async |parts| blobs.assemble(UPLOAD, parts, None).await;
        assert_eq!(
            assemble(5).await,
            Err(BlobError::PartLen(2)),
            "only the last may be shorter"
        );
        blobs.put_part(UPLOAD, 2, part(2, 1024)).await.unwrap();
        assert_eq!(assemble(5).await, Err(BlobError::PartMissing(3)));
        blobs.put_part(UPLOAD, 3, part(3, 1024)).await.unwrap();
        assert_eq!(
            assemble(6).await,
            Err(BlobError::PartLen(5)),
            "no part may be longer"
        );
        assert_eq!(assemble(5).await.map(|blob| blob.size), Ok(5120));
    });
}

#[test]
fn parts_but_the_last_have_the_documented_lengths() {
    each_store(async |blobs| {
        for (len, fits) in [
            (1 << 10, true),
            (512 << 10, true),
            (100, false),
            (3 << 10, false),
            (0, false),
        ] {
            for n in 0..2 {
                blobs.put_part(UPLOAD, n, part(n, len)).await.unwrap();
            }
            let expected = if fits { Ok(()) } else { Err(BlobError::PartLen(0)) };
            let made = blobs.assemble(UPLOAD, 2, None).await;
            assert_eq!(made.map(drop), expected, "{len}");
        }
    });
}

#[test]
fn an_upload_with_another_md5_is_refused_and_stays() {
    each_store(async |blobs| {
        let content = upload(&blobs, 20, 9).await;
        let right = Some(Md5::digest(&content).into());
        let wrong = Some([0; 16]);
        assert_eq!(blobs.assemble(UPLOAD, 20, wrong).await, Err(BlobError::Md5));
        let blob = blob_of(&content);
        assert_eq!(blobs.read(&blob, 0..1).await, Err(BlobError::Missing));
        assert_eq!(blobs.assemble(UPLOAD, 20, right).await, Ok(blob));
        assert_eq!(blobs.assemble(UPLOAD, 20, right).await, Ok(blob));
        assert!(blobs.assemble(UPLOAD, 20, wrong).await.is_err());
    });
}

#[test]
fn readers_see_all_or_nothing() {
    each_store(async |blobs| {
        let content = upload(&blobs, 30, PART_LEN_MAX).await;
        let (blob, writer) = (blob_of(&content), blobs.clone());
        let writing = tokio::spawn(async move { writer.assemble(UPLOAD, 30, None).await });
        let end = blob.size - 10..blob.size;
        let mut polls = 0;
        let seen = loop {
            match blobs.read(&blob, end.clone()).await {
                Err(BlobError::Missing) => polls += 1,
                seen => break seen,
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(
            seen.as_deref(),
            Ok(&content[content.len() - 10..]),
            "after {polls} polls"
        );
        writing.await.unwrap().unwrap();
    });
}

/// Blobs over a store in which each read of an object takes some time.
fn slow() -> Blobs {
    let config = ThrottleConfig {
        wait_get_per_call: Duration::from_millis(10),
        ..Default::default()
    };
    Blobs::new(Arc::new(ThrottledStore::new(InMemory::new(), config)))
}

#[test]
fn no_blob_holds_what_its_name_denies_though_parts_change_meanwhile() {
    runtime().block_on(async {
        // While the parts are measured, and while they are copied.
        for delay_ms in [100, 330] {
            let blobs = slow();
            let content = upload(&blobs, 20, 9).await;
            let writer = blobs.clone();
            let writing = tokio::spawn(async move { writer.assemble(UPLOAD, 20, None).await });
            tokio::time::sleep(Duration::from_millis(delay_ms)).await;
            blobs.put_part(UPLOAD, 18, part(99, PART_LEN_MAX)).await.unwrap();
            let made = writing.await.unwrap();
            for blob in made.into_iter().chain([blob_of(&content)]) {
                if blobs.read(&blob, 0..1).await != Err(BlobError::Missing) {
                    let kept = read_all(&blobs, &blob).await;
                    assert!(blob_of(&kept) == blob, "changed after {delay_ms} ms");
                }
            }
        }
    });
}

#[test]
fn rivals_that_assemble_the_same_are_told_the_same() {
    runtime().block_on(async {
        for delay_ms in [0, 20, 60, 110] {
            let blobs = slow();
            let content = upload(&blobs, 10, 9).await;
            let late = async {
                tokio::time::sleep(Duration::from_millis(delay_ms)).await;
                blobs.assemble(UPLOAD, 10, None).await
            };
            let (first, second) = futures::join!(blobs.assemble(UPLOAD, 10, None), late);
            assert_eq!(first, Ok(blob_of(&content)));
            assert_eq!(second, first, "{delay_ms} ms later");
        }
    });
}

#[test]
fn ranges_are_cut_at_the_end() {
    each_store(async |blobs| {
        let content = Bytes::from_static(b"0123456789");
        let blob = blobs.put(content.clone()).await.unwrap();
        assert_eq!(blob, blob_of(&content));
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
                blobs.read(&blob, range.clone()).await.unwrap(),
                expected,
                "{range:?}"
            );
        }
        let other = blob_of(b"never kept");
        assert_eq!(blobs.read(&other, 0..10).await, Err(BlobError::Missing));
        assert_eq!(blobs.whole(&other).await, Err(BlobError::Missing));
        let empty = blobs.put(Bytes::new()).await.unwrap();
        assert_eq!(blobs.read(&empty, 0..10).await.unwrap(), "");
        assert_eq!(blobs.whole(&empty).await.unwrap(), "");
    });
}

#[test]
fn uploads_expire_by_their_newest_part() {
    each_store(async |blobs| {
        let upload = |id| Upload { id, ..UPLOAD };
        let put = async |id, part| {
            let content = Bytes::from_static(b"part");
            blobs.put_part(upload(id), part, content).await.unwrap();
        };
        for id in [3, 1, 2] {
            put(id, 0).await;
        }
        blobs.assemble(upload(3), 1, None).await.unwrap();
        let pause = || tokio::time::sleep(Duration::from_millis(50));
        pause().await;
        let between = SystemTime::now();
        pause().await;
        put(2, 1).await;
        assert_eq!(blobs.sweep(SystemTime::UNIX_EPOCH).await, Ok(0));
        assert_eq!(blobs.sweep(between).await, Ok(2));
        assert_eq!(blobs.sweep(between).await, Ok(0));
        let assemble = async |id| blobs.assemble(upload(id), 1, None).await;
        assert_eq!(assemble(1).await, Err(BlobError::PartMissing(0)));
        assert_eq!(assemble(3).await, Err(BlobError::PartMissing(0)));
        let blob = assemble(2).await.unwrap();
        let later = SystemTime::now() + Duration::from_secs(60);
        assert_eq!(blobs.sweep(later).await, Ok(1));
        assert_eq!(blobs.whole(&blob).await.unwrap(), "part", "blobs are not uploads");
    });
}

#[test]
fn limits_of_files_hold() {
    each_store(async |blobs| {
        let bytes = |len| Bytes::from(vec![0; len]);
        let blob = Blob {
            size: WHOLE_LEN_MAX as u64 + 1,
            ..blob_of(b"")
        };
        let refused = [
            blobs.put_part(UPLOAD, PARTS_MAX, bytes(1)).await,
            blobs.put_part(UPLOAD, 0, bytes(PART_LEN_MAX + 1)).await,
            blobs.assemble(UPLOAD, PARTS_MAX + 1, None).await.map(drop),
            blobs.put(bytes(WHOLE_LEN_MAX + 1)).await.map(drop),
            blobs.read(&blob, 0..READ_LEN_MAX + 1).await.map(drop),
            blobs.whole(&blob).await.map(drop),
        ];
        assert!(
            refused
                .iter()
                .all(|result| matches!(result, Err(BlobError::TooLarge(_)))),
            "{refused:?}"
        );
        blobs
            .put_part(UPLOAD, PARTS_MAX - 1, bytes(PART_LEN_MAX))
            .await
            .unwrap();
        let longest = blobs.put(bytes(WHOLE_LEN_MAX)).await.unwrap();
        assert_eq!(blobs.whole(&longest).await.unwrap().len(), WHOLE_LEN_MAX);
    });
}

#[test]
fn files_survive_reopening() {
    let folder = TempDir::new().unwrap();
    runtime().block_on(async {
        let content = upload(&Blobs::local(folder.path()).unwrap(), 20, 3).await;
        let open = || Blobs::local(folder.path()).unwrap();
        let blob = open().assemble(UPLOAD, 20, None).await.unwrap();
        assert_eq!(open().assemble(UPLOAD, 20, None).await, Ok(blob));
        assert!(read_all(&open(), &blob).await == content);
    });
}

#[test]
fn half_written_files_are_removed_once_they_are_old() {
    let folder = TempDir::new().unwrap();
    runtime().block_on(async {
        let blobs = Blobs::local(folder.path()).unwrap();
        let blob = blobs.put(Bytes::from_static(b"content")).await.unwrap();
        std::fs::write(folder.path().join("blobs/half#1"), "half").unwrap();
        assert_eq!(blobs.remove_unfinished(SystemTime::UNIX_EPOCH).await, Ok(0));
        let later = SystemTime::now() + Duration::from_secs(60);
        assert_eq!(blobs.remove_unfinished(later).await, Ok(1));
        assert_eq!(blobs.remove_unfinished(later).await, Ok(0));
        assert_eq!(blobs.whole(&blob).await.unwrap(), "content");
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
