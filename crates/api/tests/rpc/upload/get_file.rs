use havre_sim::Town;
use havre_tl::{enums, functions, types};

use crate::{document_in, get, upload};

#[test]
fn bytes_come_back_in_windows_and_a_short_read_is_the_end() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let bytes: Vec<u8> = (0..150_000_u32).map(|n| (n % 251) as u8).collect();
    let file = upload(&alice, 77, &bytes, 32);
    let media = types::InputMediaUploadedDocument {
        file,
        mime_type: "application/x-thing".into(),
        ..Default::default()
    };
    let request = functions::messages::UploadMedia {
        peer: enums::InputPeer::InputPeerSelf,
        media: media.into(),
        ..Default::default()
    };
    let document = document_in(&alice.call(request).unwrap());
    assert_eq!(document.size, 150_000);
    let location = |access_hash, file_reference| -> enums::InputFileLocation {
        types::InputDocumentFileLocation {
            id: document.id,
            access_hash,
            file_reference,
            ..Default::default()
        }
        .into()
    };
    let right = || location(document.access_hash, document.file_reference.clone());
    let mut read = Vec::new();
    loop {
        let chunk = get(&bob, right(), read.len() as i64, 64 << 10).unwrap();
        read.extend_from_slice(&chunk);
        if chunk.len() < 64 << 10 {
            break;
        }
    }
    assert!(read == bytes);
    assert_eq!(get(&bob, right(), 1 << 20, 4096), Ok(Vec::new()));
    assert_eq!(get(&bob, right(), 1, 4096), Err("OFFSET_INVALID".into()));
    assert_eq!(get(&bob, right(), 0, 0), Err("LIMIT_INVALID".into()));
    let guessed = location(document.access_hash + 1, document.file_reference.clone());
    assert_eq!(get(&bob, guessed, 0, 4096), Err("FILE_ID_INVALID".into()));
    let stale = location(document.access_hash, vec![1, 2, 3]);
    assert_eq!(get(&bob, stale, 0, 4096), Err("FILE_REFERENCE_EXPIRED".into()));
}

#[test]
fn a_big_file_is_put_together_from_pieces() {
    let town = Town::new(2);
    let alice = town.person("79990000001", "Alice");
    let bytes: Vec<u8> = (0..(20_u32 << 20) + 5).map(|n| (n % 249) as u8).collect();
    let file = upload(&alice, 5, &bytes, 512);
    let media = types::InputMediaUploadedDocument {
        file,
        ..Default::default()
    };
    let request = functions::messages::UploadMedia {
        peer: enums::InputPeer::InputPeerSelf,
        media: media.into(),
        ..Default::default()
    };
    let document = document_in(&alice.call(request).unwrap());
    let location = types::InputDocumentFileLocation {
        id: document.id,
        access_hash: document.access_hash,
        file_reference: document.file_reference,
        ..Default::default()
    };
    let at = 10 << 20;
    let read = get(&alice, location.into(), at as i64, 1 << 20).unwrap();
    assert!(read == bytes[at..at + (1 << 20)]);
}
