//! Uploads, downloads, photos and media over the one door: `upload.*`, `photos.*`, and what `messages.*` does
//! with files.
// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used)]

#[path = "rpc/upload/get_file.rs"]
mod get_file;
#[path = "rpc/upload/save_file_part.rs"]
mod save_file_part;
#[path = "rpc/messages/send_media.rs"]
mod send_media;
#[path = "rpc/messages/send_multi_media.rs"]
mod send_multi_media;
#[path = "rpc/photos/upload_profile_photo.rs"]
mod upload_profile_photo;

use std::io::Cursor;

use havre_sim::Client;
use havre_tl::{enums, functions, types};

/// Uploads bytes in parts of 1 KiB times `kib`, and names them as clients do.
fn upload(who: &Client, file_id: i64, bytes: &[u8], kib: usize) -> enums::InputFile {
    let parts = bytes.chunks(kib << 10);
    let count = parts.len();
    for (part, chunk) in (0..).zip(parts) {
        let request = functions::upload::SaveFilePart {
            file_id,
            file_part: part,
            bytes: chunk.to_vec(),
        };
        assert!(who.call(request).unwrap());
    }
    types::InputFile {
        id: file_id,
        parts: i32::try_from(count).unwrap(),
        name: "file".into(),
        ..Default::default()
    }
    .into()
}

/// A PNG of these sides.
fn png(width: u32, height: u32) -> Vec<u8> {
    let picture = image::RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([(x % 251) as u8, (y % 241) as u8, 90])
    });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// The message media that updates tell.
fn media_in(updates: &[enums::Update]) -> Vec<enums::MessageMedia> {
    let media = |update: &enums::Update| match update {
        enums::Update::UpdateNewMessage(u) => match &u.message {
            enums::Message::Message(m) => m.media.clone(),
            _ => None,
        },
        _ => None,
    };
    updates.iter().filter_map(media).collect()
}

fn updates_in(updates: enums::Updates) -> Vec<enums::Update> {
    match updates {
        enums::Updates::Updates(u) => u.updates,
        other => panic!("{other:?}"),
    }
}

fn photo_in(media: &enums::MessageMedia) -> types::Photo {
    match media {
        enums::MessageMedia::MessageMediaPhoto(types::MessageMediaPhoto {
            photo: Some(enums::Photo::Photo(photo)),
            ..
        }) => photo.clone(),
        other => panic!("{other:?}"),
    }
}

fn document_in(media: &enums::MessageMedia) -> types::Document {
    match media {
        enums::MessageMedia::MessageMediaDocument(types::MessageMediaDocument {
            document: Some(enums::Document::Document(document)),
            ..
        }) => document.clone(),
        other => panic!("{other:?}"),
    }
}

fn get(who: &Client, location: enums::InputFileLocation, offset: i64, limit: i32) -> Result<Vec<u8>, String> {
    let request = functions::upload::GetFile {
        location,
        offset,
        limit,
        ..Default::default()
    };
    match who.call(request) {
        Ok(enums::upload::File::File(file)) => Ok(file.bytes),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.text.into_owned()),
    }
}

fn photo_location(photo: &types::Photo, size: &str) -> enums::InputFileLocation {
    types::InputPhotoFileLocation {
        id: photo.id,
        access_hash: photo.access_hash,
        file_reference: photo.file_reference.clone(),
        thumb_size: size.into(),
    }
    .into()
}
