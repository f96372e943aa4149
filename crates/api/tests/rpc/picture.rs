//! A picture to upload, for tests of photos.

use std::io::Cursor;

use havre_sim::town::Client;
use havre_tl::{enums, functions, types};

/// A picture as its owner's upload.
pub fn uploaded(by: &Client) -> enums::InputChatPhoto {
    let mut png = Cursor::new(Vec::new());
    image::RgbImage::from_pixel(640, 640, image::Rgb([10, 90, 160]))
        .write_to(&mut png, image::ImageFormat::Png)
        .expect("a picture is written to memory");
    let part = functions::upload::SaveFilePart {
        file_id: 77,
        file_part: 0,
        bytes: png.into_inner(),
    };
    assert_eq!(by.call(part), Ok(true));
    let file = types::InputFile {
        id: 77,
        parts: 1,
        name: "harbour.png".into(),
        md5_checksum: String::new(),
    };
    types::InputChatUploadedPhoto {
        file: Some(file.into()),
        ..Default::default()
    }
    .into()
}
