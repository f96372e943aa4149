use havre_domain::limits::{FILE_REFERENCE_GRAIN, FILE_REFERENCE_TTL};
use havre_sim::Town;
use havre_tl::{enums, functions, types};

use crate::{photo_in, png, updates_in, upload};

#[test]
fn an_album_has_one_group_and_is_sent_whole_or_not() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let single = |random_id: i64, media: enums::InputMedia| -> enums::InputSingleMedia {
        types::InputSingleMedia {
            media,
            random_id,
            ..Default::default()
        }
        .into()
    };
    let photo = |n: i64| -> enums::InputMedia {
        types::InputMediaUploadedPhoto {
            file: upload(&alice, n, &png(20 + n as u32, 20), 64),
            ..Default::default()
        }
        .into()
    };
    let file = || -> enums::InputMedia {
        types::InputMediaUploadedDocument {
            file: upload(&alice, 99, b"text", 1),
            ..Default::default()
        }
        .into()
    };
    let send = |multi_media| {
        let request = functions::messages::SendMultiMedia {
            peer: alice.input_peer_of(&bob),
            multi_media,
            ..Default::default()
        };
        alice
            .call(request)
            .map(updates_in)
            .map_err(|e| e.text.into_owned())
    };
    let mixed = send(vec![single(1, photo(1)), single(2, file())]);
    assert_eq!(mixed, Err("MEDIA_INVALID".into()));
    assert!(bob.pushed().is_empty());
    let told = send(vec![
        single(1, photo(1)),
        single(2, photo(2)),
        single(3, photo(3)),
    ])
    .unwrap();
    let ids = told
        .iter()
        .filter(|u| matches!(u, enums::Update::UpdateMessageID(_)));
    assert_eq!(ids.count(), 3);
    let groups: Vec<Option<i64>> = bob
        .pushed_updates()
        .iter()
        .map(|update| match update {
            enums::Update::UpdateNewMessage(u) => match &u.message {
                enums::Message::Message(m) => m.grouped_id,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(groups.len(), 3);
    assert!(groups[0].is_some() && groups.iter().all(|group| *group == groups[0]));
    let many = (1..=11).map(|n| single(n, file())).collect();
    assert_eq!(send(many), Err("MULTI_MEDIA_TOO_LONG".into()));
    assert_eq!(send(Vec::new()), Err("MEDIA_EMPTY".into()));
}

#[test]
fn the_item_whose_reference_is_not_good_is_named() {
    let town = Town::new(2);
    let alice = town.person("79990000001", "Alice");
    let request = functions::messages::UploadMedia {
        peer: enums::InputPeer::InputPeerSelf,
        media: types::InputMediaUploadedPhoto {
            file: upload(&alice, 1, &png(20, 20), 64),
            ..Default::default()
        }
        .into(),
        ..Default::default()
    };
    let photo = photo_in(&alice.call(request).unwrap());
    let item = |random_id: i64, file_reference: Vec<u8>| -> enums::InputSingleMedia {
        let id = types::InputPhoto {
            id: photo.id,
            access_hash: photo.access_hash,
            file_reference,
        };
        let media = types::InputMediaPhoto {
            id: id.into(),
            ..Default::default()
        };
        types::InputSingleMedia {
            media: media.into(),
            random_id,
            ..Default::default()
        }
        .into()
    };
    let send = |second: &[u8]| {
        let request = functions::messages::SendMultiMedia {
            peer: enums::InputPeer::InputPeerSelf,
            multi_media: vec![item(1, photo.file_reference.clone()), item(2, second.to_vec())],
            ..Default::default()
        };
        alice.call(request).map(drop).map_err(|e| e.text.into_owned())
    };
    assert_eq!(send(&[]), Err("FILE_REFERENCE_1_EMPTY".into()));
    assert_eq!(send(&[1, 2, 3]), Err("FILE_REFERENCE_1_INVALID".into()));
    assert_eq!(send(&photo.file_reference), Ok(()));
    town.pass((FILE_REFERENCE_TTL + FILE_REFERENCE_GRAIN).unsigned_abs());
    assert_eq!(
        send(&photo.file_reference),
        Err("FILE_REFERENCE_0_EXPIRED".into())
    );
}
