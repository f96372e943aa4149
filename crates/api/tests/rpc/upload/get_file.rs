use havre_domain::limits::{FILE_REFERENCE_GRAIN, FILE_REFERENCE_TTL};
use havre_sim::{Client, Town};
use havre_tl::{enums, functions, types};

use crate::{document_in, get, media_in, photo_in, photo_location, png, updates_in, upload};

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
    assert_eq!(get(&bob, stale, 0, 4096), Err("FILE_REFERENCE_INVALID".into()));
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

/// What opens files is shown anew by everything that shows one, and what was shown long ago opens nothing.
#[test]
fn a_reference_expires_and_whatever_shows_the_file_shows_a_new_one() {
    let town = Town::new(3);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let input = |id| types::InputMediaUploadedPhoto {
        file: upload(&alice, id, &png(60, 60), 64),
        ..Default::default()
    };
    let request = functions::messages::SendMedia {
        peer: alice.input_peer_of(&bob),
        media: input(1).into(),
        random_id: 1,
        ..Default::default()
    };
    alice.call(request).unwrap();
    let pushed = bob.pushed_updates();
    let shown = photo_in(&media_in(&pushed)[0]);
    let enums::Update::UpdateNewMessage(new) = &pushed[0] else {
        panic!("{pushed:?}")
    };
    let enums::Message::Message(types::Message { id, .. }) = new.message else {
        panic!("{new:?}")
    };
    let refetched = || {
        let id = vec![types::InputMessageID { id }.into()];
        match bob.call(functions::messages::GetMessages { id }).unwrap() {
            enums::messages::Messages::Messages(m) => m.messages[0].clone(),
            other => panic!("{other:?}"),
        }
    };
    let photo_of = |message: enums::Message| match message {
        enums::Message::Message(m) => photo_in(&m.media.unwrap()),
        other => panic!("{other:?}"),
    };
    let open = |photo: &types::Photo| get(&bob, photo_location(photo, "s"), 0, 4096).map(drop);
    let forward = |photo: &types::Photo| {
        let request = functions::messages::SendMedia {
            peer: enums::InputPeer::InputPeerSelf,
            media: types::InputMediaPhoto {
                id: input_photo(photo),
                ..Default::default()
            }
            .into(),
            random_id: i64::from_be_bytes(photo.file_reference[8..16].try_into().unwrap()),
            ..Default::default()
        };
        bob.call(request).map(drop).map_err(|e| e.text.into_owned())
    };
    town.pass(FILE_REFERENCE_TTL.unsigned_abs());
    assert_eq!(open(&shown), Ok(()));
    town.pass(FILE_REFERENCE_GRAIN.unsigned_abs());
    assert_eq!(open(&shown), Err("FILE_REFERENCE_EXPIRED".into()));
    assert_eq!(forward(&shown), Err("FILE_REFERENCE_EXPIRED".into()));
    let anew = photo_of(refetched());
    assert_eq!(open(&anew), Ok(()));
    assert_eq!(forward(&anew), Ok(()));
    assert_eq!(
        types::Photo {
            file_reference: shown.file_reference.clone(),
            ..anew
        },
        shown,
        "nothing else changes"
    );
}

#[test]
fn what_is_shown_twice_within_a_day_is_equal() {
    let town = Town::new(4);
    let alice = town.person("79990000001", "Alice");
    let photo = set_photo(&alice, 1);
    let day = u64::try_from(FILE_REFERENCE_GRAIN).unwrap();
    let mut references = vec![photo.file_reference];
    for _ in 0..3 * 24 {
        town.pass(day / 24);
        references.push(photos_of(&alice)[0].file_reference.clone());
    }
    references.dedup();
    assert!((3..=4).contains(&references.len()), "{}", references.len());
}

#[test]
fn profile_and_group_photos_are_shown_with_references_that_open_them() {
    let town = Town::new(5);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let old = set_photo(&alice, 1);
    let request = functions::messages::CreateChat {
        users: vec![alice.input_user_of(&bob)],
        title: "Group".into(),
        ..Default::default()
    };
    let enums::messages::InvitedUsers::InvitedUsers(made) = alice.call(request).unwrap();
    let enums::Updates::Updates(made) = made.updates else {
        panic!("{made:?}")
    };
    let enums::Chat::Chat(types::Chat { id: chat_id, .. }) = made.chats[0] else {
        panic!("{made:?}")
    };
    let edit = functions::messages::EditChatPhoto {
        chat_id,
        photo: types::InputChatUploadedPhoto {
            file: Some(upload(&alice, 2, &png(300, 200), 64)),
            ..Default::default()
        }
        .into(),
    };
    let told = updates_in(alice.call(edit).unwrap());
    assert_eq!(
        get(&bob, photo_location(&said_in(&told), "a"), 0, 4096).map(drop),
        Ok(())
    );
    town.pass((FILE_REFERENCE_TTL + FILE_REFERENCE_GRAIN).unsigned_abs());
    let open = |photo: &types::Photo| get(&alice, photo_location(photo, "a"), 0, 4096).map(drop);
    assert_eq!(open(&old), Err("FILE_REFERENCE_EXPIRED".into()));
    let listed = photos_of(&alice);
    assert_eq!(listed.len(), 1);
    assert_eq!(open(&listed[0]), Ok(()));
    let full = functions::users::GetFullUser {
        id: enums::InputUser::InputUserSelf,
    };
    let enums::users::UserFull::UserFull(full) = alice.call(full).unwrap();
    let enums::UserFull::UserFull(full) = full.full_user;
    assert_eq!(open(&the_photo(full.profile_photo)), Ok(()));
    let enums::messages::ChatFull::ChatFull(full) =
        alice.call(functions::messages::GetFullChat { chat_id }).unwrap();
    let enums::ChatFull::ChatFull(full) = full.full_chat else {
        panic!("{full:?}")
    };
    assert_eq!(open(&the_photo(full.chat_photo)), Ok(()));
    let again = functions::photos::UpdateProfilePhoto {
        id: input_photo(&listed[0]),
        ..Default::default()
    };
    let enums::photos::Photo::Photo(answer) = alice.call(again).unwrap();
    assert_eq!(open(&the_photo(Some(answer.photo))), Ok(()));
    assert_eq!(photos_of(&alice).len(), 1, "the same photo is kept once");
    set_photo(&alice, 1);
    assert_eq!(photos_of(&alice).len(), 1, "uploaded again too");
}

/// The photo of the service message that says that a group has a new one.
fn said_in(updates: &[enums::Update]) -> types::Photo {
    let said = updates.iter().find_map(|update| match update {
        enums::Update::UpdateNewMessage(new) => match &new.message {
            enums::Message::MessageService(m) => match &m.action {
                enums::MessageAction::MessageActionChatEditPhoto(a) => Some(a.photo.clone()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    the_photo(said)
}

fn the_photo(photo: Option<enums::Photo>) -> types::Photo {
    match photo {
        Some(enums::Photo::Photo(photo)) => photo,
        other => panic!("{other:?}"),
    }
}

fn input_photo(photo: &types::Photo) -> enums::InputPhoto {
    types::InputPhoto {
        id: photo.id,
        access_hash: photo.access_hash,
        file_reference: photo.file_reference.clone(),
    }
    .into()
}

fn set_photo(who: &Client, n: i64) -> types::Photo {
    let request = functions::photos::UploadProfilePhoto {
        file: Some(upload(who, n, &png(200, 200), 64)),
        ..Default::default()
    };
    let enums::photos::Photo::Photo(answer) = who.call(request).unwrap();
    the_photo(Some(answer.photo))
}

fn photos_of(who: &Client) -> Vec<types::Photo> {
    let request = functions::photos::GetUserPhotos {
        user_id: enums::InputUser::InputUserSelf,
        ..Default::default()
    };
    match who.call(request).unwrap() {
        enums::photos::Photos::Photos(all) => all.photos.into_iter().map(|p| the_photo(Some(p))).collect(),
        other => panic!("{other:?}"),
    }
}
