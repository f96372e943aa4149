use havre_sim::{Client, Town};
use havre_tl::{enums, functions, types};

use crate::{document_in, get, media_in, photo_in, photo_location, png, updates_in, upload};

fn send(
    who: &Client,
    to: &Client,
    random_id: i64,
    media: enums::InputMedia,
) -> Result<Vec<enums::Update>, String> {
    let request = functions::messages::SendMedia {
        peer: who.input_peer_of(to),
        media,
        message: "see".into(),
        random_id,
        ..Default::default()
    };
    who.call(request).map(updates_in).map_err(|e| e.text.into_owned())
}

#[test]
fn a_photo_arrives_in_sizes_that_can_be_had() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let file = upload(&alice, 1, &png(900, 600), 64);
    let input = || -> enums::InputMedia {
        types::InputMediaUploadedPhoto {
            file: file.clone(),
            ..Default::default()
        }
        .into()
    };
    let told = send(&alice, &bob, 5, input()).unwrap();
    assert!(matches!(told[0], enums::Update::UpdateMessageID(_)));
    let photo = photo_in(&media_in(&told)[0]);
    let arrived = photo_in(&media_in(&bob.pushed_updates())[0]);
    assert_eq!(photo, arrived);
    let letters: Vec<&str> = photo
        .sizes
        .iter()
        .map(|size| match size {
            enums::PhotoSize::PhotoStrippedSize(s) => s.r#type.as_str(),
            enums::PhotoSize::PhotoSize(s) => s.r#type.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(letters, ["i", "s", "m", "x", "y"]);
    let jpeg = get(&bob, photo_location(&arrived, "m"), 0, 1 << 20).unwrap();
    let decoded = image::load_from_memory(&jpeg).unwrap();
    assert_eq!((decoded.width(), decoded.height()), (320, 213));
    // The same send again is the same message, and the same upload the same photo.
    let again = send(&alice, &bob, 5, input()).unwrap();
    assert_eq!(photo_in(&media_in(&again)[0]), photo);
    assert!(bob.pushed().is_empty());
}

#[test]
fn a_photo_is_sent_on_by_reference() {
    let town = Town::new(2);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let carol = town.person("79990000003", "Carol");
    let file = upload(&alice, 1, &png(50, 50), 64);
    let input = types::InputMediaUploadedPhoto {
        file,
        ..Default::default()
    };
    send(&alice, &bob, 5, input.into()).unwrap();
    let photo = photo_in(&media_in(&bob.pushed_updates())[0]);
    let by = |file_reference: Vec<u8>| -> enums::InputMedia {
        types::InputMediaPhoto {
            id: types::InputPhoto {
                id: photo.id,
                access_hash: photo.access_hash,
                file_reference,
            }
            .into(),
            ..Default::default()
        }
        .into()
    };
    let stale = send(&bob, &carol, 5, by(Vec::new()));
    assert_eq!(stale, Err("FILE_REFERENCE_EMPTY".into()));
    send(&bob, &carol, 5, by(photo.file_reference.clone())).unwrap();
    assert_eq!(photo_in(&media_in(&carol.pushed_updates())[0]), photo);
}

#[test]
fn a_voice_note_waits_to_be_heard_and_keeps_its_attributes() {
    let town = Town::new(3);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let audio = types::DocumentAttributeAudio {
        voice: true,
        duration: 3,
        waveform: Some(vec![1, 2, 3]),
        ..Default::default()
    };
    let name = types::DocumentAttributeFilename {
        file_name: "../../etc/voice.ogg".into(),
    };
    let input = types::InputMediaUploadedDocument {
        file: upload(&alice, 9, b"OggS", 1),
        mime_type: "audio/ogg".into(),
        attributes: vec![audio.clone().into(), name.into()],
        ..Default::default()
    };
    send(&alice, &bob, 6, input.into()).unwrap();
    let pushed = bob.pushed_updates();
    let enums::Update::UpdateNewMessage(new) = &pushed[0] else {
        panic!("{pushed:?}")
    };
    let enums::Message::Message(message) = &new.message else {
        panic!("{new:?}")
    };
    assert!(message.media_unread);
    assert_eq!(message.message, "see");
    let document = document_in(&media_in(&pushed)[0]);
    let name = types::DocumentAttributeFilename {
        file_name: "voice.ogg".into(),
    };
    assert_eq!(document.attributes, [audio.into(), name.into()]);
}

#[test]
fn a_contact_and_a_place_are_sent() {
    let town = Town::new(4);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let carol = town.person("79990000003", "Carol");
    let contact = types::InputMediaContact {
        phone_number: "+7 999 000 00 03".into(),
        first_name: "Carol".into(),
        ..Default::default()
    };
    send(&alice, &bob, 1, contact.into()).unwrap();
    let at = |lat| -> enums::InputMedia {
        let point = types::InputGeoPoint {
            lat,
            long: 0.1,
            ..Default::default()
        };
        types::InputMediaGeoPoint {
            geo_point: point.into(),
        }
        .into()
    };
    send(&alice, &bob, 2, at(49.49)).unwrap();
    let media = media_in(&bob.pushed_updates());
    assert!(matches!(&media[0], enums::MessageMedia::MessageMediaContact(c) if c.user_id == carol.user().0));
    assert!(matches!(media[1], enums::MessageMedia::MessageMediaGeo(_)));
    assert_eq!(send(&alice, &bob, 3, at(91.0)), Err("MEDIA_INVALID".into()));
    assert_eq!(send(&alice, &bob, 3, at(f64::NAN)), Err("MEDIA_INVALID".into()));
}

#[test]
fn refusals() {
    let town = Town::new(5);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let refused = |media| send(&alice, &bob, 1, media).unwrap_err();
    assert_eq!(refused(enums::InputMedia::InputMediaEmpty), "MEDIA_EMPTY");
    let dice = types::InputMediaDice::default();
    assert_eq!(refused(dice.into()), "MEDIA_INVALID");
    let photo = |file, ttl_seconds| -> enums::InputMedia {
        types::InputMediaUploadedPhoto {
            file,
            ttl_seconds,
            ..Default::default()
        }
        .into()
    };
    let file = upload(&alice, 1, b"no picture", 1);
    assert_eq!(refused(photo(file.clone(), None)), "IMAGE_PROCESS_FAILED");
    assert_eq!(refused(photo(file, Some(5))), "TTL_MEDIA_INVALID");
    let others = upload(&bob, 2, &png(9, 9), 64);
    assert_eq!(refused(photo(others, None)), "FILE_PART_0_MISSING");
}
