use havre_sim::{Client, Town};
use havre_tl::{enums, functions, types};

use crate::{get, photo_location, png, upload};

fn set(who: &Client, n: i64) -> types::Photo {
    let request = functions::photos::UploadProfilePhoto {
        file: Some(upload(who, n, &png(200 + n as u32, 300), 64)),
        ..Default::default()
    };
    let enums::photos::Photo::Photo(answer) = who.call(request).unwrap();
    match answer.photo {
        enums::Photo::Photo(photo) => photo,
        other => panic!("{other:?}"),
    }
}

fn shown(asker: &Client, whom: &Client) -> Option<i64> {
    let id = vec![asker.input_user_of(whom)];
    match asker.call(functions::users::GetUsers { id }).unwrap().pop() {
        Some(enums::User::User(user)) => match user.photo {
            Some(enums::UserProfilePhoto::UserProfilePhoto(photo)) => Some(photo.photo_id),
            _ => None,
        },
        other => panic!("{other:?}"),
    }
}

fn photos(asker: &Client, whom: &Client, limit: i32) -> (i32, Vec<i64>) {
    let request = functions::photos::GetUserPhotos {
        user_id: asker.input_user_of(whom),
        limit,
        ..Default::default()
    };
    let ids = |photos: Vec<enums::Photo>| -> Vec<i64> {
        let id = |photo: &enums::Photo| match photo {
            enums::Photo::Photo(photo) => photo.id,
            enums::Photo::PhotoEmpty(photo) => photo.id,
        };
        photos.iter().map(id).collect()
    };
    match asker.call(request).unwrap() {
        enums::photos::Photos::Photos(p) => (i32::try_from(p.photos.len()).unwrap(), ids(p.photos)),
        enums::photos::Photos::PhotosSlice(p) => (p.count, ids(p.photos)),
    }
}

#[test]
fn own_sessions_and_who_talks_with_the_person_are_told_at_once() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let stranger = town.person("79990000003", "Carol");
    alice.say(alice.input_peer_of(&bob), "salut").unwrap();
    drop((bob.pushed(), alice.pushed()));
    let photo = set(&alice, 1);
    assert_eq!(alice.pushed().len(), 1, "the asking session too");
    let pushed = bob.pushed();
    let [enums::Updates::Updates(told)] = &pushed[..] else {
        panic!("{pushed:?}")
    };
    assert!(matches!(told.updates[..], [enums::Update::UpdateUser(_)]));
    assert!(stranger.pushed().is_empty());
    assert_eq!(shown(&bob, &alice), Some(photo.id));
    let small = types::InputPeerPhotoFileLocation {
        big: false,
        peer: bob.input_peer_of(&alice),
        photo_id: photo.id,
    };
    let jpeg = get(&bob, small.into(), 0, 1 << 20).unwrap();
    let small = image::load_from_memory(&jpeg).unwrap();
    assert_eq!((small.width(), small.height()), (160, 160));
    assert!(get(&bob, photo_location(&photo, "c"), 0, 4096).is_ok());
}

#[test]
fn photos_are_listed_chosen_and_deleted() {
    let town = Town::new(2);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let (first, second) = (set(&alice, 1), set(&alice, 2));
    assert_eq!(photos(&bob, &alice, 10), (2, vec![second.id, first.id]));
    assert_eq!(photos(&bob, &alice, 1), (2, vec![second.id]));
    let input = |photo: &types::Photo| -> enums::InputPhoto {
        types::InputPhoto {
            id: photo.id,
            access_hash: photo.access_hash,
            file_reference: photo.file_reference.clone(),
        }
        .into()
    };
    let choose = |who: &Client, id| {
        let request = functions::photos::UpdateProfilePhoto {
            id,
            ..Default::default()
        };
        who.call(request).map(drop).map_err(|e| e.text.into_owned())
    };
    assert_eq!(choose(&bob, input(&first)), Err("PHOTO_ID_INVALID".into()));
    assert_eq!(choose(&alice, input(&first)), Ok(()));
    assert_eq!(photos(&bob, &alice, 10), (2, vec![first.id, second.id]));
    let id = vec![input(&first)];
    let deleted = alice.call(functions::photos::DeletePhotos { id }).unwrap();
    assert_eq!(deleted, [first.id]);
    assert_eq!(shown(&bob, &alice), Some(second.id));
    assert_eq!(choose(&alice, enums::InputPhoto::InputPhotoEmpty), Ok(()));
    assert_eq!(shown(&bob, &alice), None);
}

#[test]
fn who_is_blocked_sees_no_photo_and_cannot_fetch_it() {
    let town = Town::new(3);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let photo = set(&alice, 1);
    let request = functions::contacts::Block {
        my_stories_from: false,
        id: alice.input_peer_of(&bob),
    };
    alice.call(request).unwrap();
    assert_eq!(shown(&bob, &alice), None);
    assert_eq!(photos(&bob, &alice, 10), (0, Vec::new()));
    let location = types::InputPeerPhotoFileLocation {
        big: true,
        peer: bob.input_peer_of(&alice),
        photo_id: photo.id,
    };
    assert_eq!(
        get(&bob, location.into(), 0, 4096),
        Err("LOCATION_INVALID".into())
    );
}

#[test]
fn refusals() {
    let town = Town::new(4);
    let alice = town.person("79990000001", "Alice");
    let call = |file| {
        let request = functions::photos::UploadProfilePhoto {
            file,
            ..Default::default()
        };
        alice.call(request).unwrap_err().text
    };
    assert_eq!(call(None), "PHOTO_FILE_MISSING");
    assert_eq!(call(Some(upload(&alice, 1, b"zzz", 1))), "IMAGE_PROCESS_FAILED");
    let video = functions::photos::UploadProfilePhoto {
        video: Some(upload(&alice, 1, b"video", 1)),
        ..Default::default()
    };
    let refused = alice.call(video).unwrap_err().text;
    assert_eq!(refused, "PHOTO_INVALID", "videos are not built");
}
