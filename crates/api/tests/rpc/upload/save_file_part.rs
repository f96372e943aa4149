use havre_sim::{Client, Town};
use havre_tl::{enums, functions, types};

use crate::{png, upload};

#[test]
fn parts_are_bounded() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let save = |file_part, len| {
        let request = functions::upload::SaveFilePart {
            file_id: 1,
            file_part,
            bytes: vec![0; len],
        };
        alice.call(request).map_err(|e| e.text.into_owned())
    };
    assert_eq!(save(0, 1024), Ok(true));
    assert_eq!(save(0, 0), Err("FILE_PART_EMPTY".into()));
    assert_eq!(save(0, (512 << 10) + 1), Err("FILE_PART_TOO_BIG".into()));
    assert_eq!(save(4000, 1024), Err("FILE_PART_INVALID".into()));
    assert_eq!(save(-1, 1024), Err("FILE_PART_INVALID".into()));
    let big = |file_part, file_total_parts| {
        let request = functions::upload::SaveBigFilePart {
            file_id: 1,
            file_part,
            file_total_parts,
            bytes: vec![0; 1024],
        };
        alice.call(request).map_err(|e| e.text.into_owned())
    };
    assert_eq!(big(0, -1), Ok(true));
    assert_eq!(big(0, 0), Err("FILE_PARTS_INVALID".into()));
    assert_eq!(big(0, 4001), Err("FILE_PARTS_INVALID".into()));
    assert_eq!(big(3, 3), Err("FILE_PART_INVALID".into()));
    let anon = town.client();
    let request = functions::upload::SaveFilePart {
        bytes: vec![1],
        ..Default::default()
    };
    assert_eq!(anon.call(request).unwrap_err().code, 401);
}

#[test]
fn what_does_not_fit_together_is_no_file() {
    let town = Town::new(2);
    let alice = town.person("79990000001", "Alice");
    let save = |file_id, file_part, len| {
        let request = functions::upload::SaveFilePart {
            file_id,
            file_part,
            bytes: vec![3; len],
        };
        alice.call(request).unwrap();
    };
    let make = |id, parts| {
        let media = types::InputMediaUploadedDocument {
            file: types::InputFile {
                id,
                parts,
                ..Default::default()
            }
            .into(),
            ..Default::default()
        };
        let request = functions::messages::UploadMedia {
            peer: enums::InputPeer::InputPeerSelf,
            media: media.into(),
            ..Default::default()
        };
        alice.call(request).map(drop).map_err(|e| e.text.into_owned())
    };
    save(1, 0, 1024);
    save(1, 2, 1024);
    assert_eq!(make(1, 3), Err("FILE_PART_1_MISSING".into()));
    save(1, 1, 512);
    assert_eq!(make(1, 3), Err("FILE_PART_LENGTH_INVALID".into()));
    save(1, 1, 1024);
    assert_eq!(make(1, 3), Ok(()));
    assert_eq!(make(1, 3), Ok(()), "asked again it is the same file");
    assert_eq!(make(1, 0), Err("FILE_PARTS_INVALID".into()));
    save(2, 0, 100);
    assert_eq!(make(2, 1), Ok(()), "the last part may have any size");
    save(3, 0, 100);
    save(3, 1, 100);
    assert_eq!(make(3, 2), Err("FILE_PART_LENGTH_INVALID".into()));
}

#[test]
fn an_upload_is_compared_with_the_md5_that_its_client_said() {
    let town = Town::new(3);
    let alice = town.person("79990000001", "Alice");
    // RFC 1321, A.5: MD5 ("message digest") = f96b697d7cb7938d525a2f31aaf161d0
    let make = |md5_checksum: &str| {
        let file = types::InputFile {
            id: 1,
            parts: 1,
            md5_checksum: md5_checksum.into(),
            ..Default::default()
        };
        let media = types::InputMediaUploadedDocument {
            file: file.into(),
            ..Default::default()
        };
        let request = functions::messages::UploadMedia {
            peer: enums::InputPeer::InputPeerSelf,
            media: media.into(),
            ..Default::default()
        };
        alice.call(request).map(drop).map_err(|e| e.text.into_owned())
    };
    let part = functions::upload::SaveFilePart {
        file_id: 1,
        file_part: 0,
        bytes: b"message digest".to_vec(),
    };
    alice.call(part.clone()).unwrap();
    let wrong = [
        "f96b697d7cb7938d525a2f31aaf161d1",
        "f96b697d7cb7938d525a2f31aaf161d",
        "f96b697d7cb7938d525a2f31aaf161d000",
        "+96b697d7cb7938d525a2f31aaf161d0",
        "md5",
        "é96b697d7cb7938d525a2f31aaf161d",
    ];
    for wrong in wrong {
        assert_eq!(make(wrong), Err("MD5_CHECKSUM_INVALID".into()), "{wrong}");
    }
    assert_eq!(make("f96b697d7cb7938d525a2f31aaf161d0"), Ok(()));
    assert_eq!(
        make("f96b697d7cb7938d525a2f31aaf161d0"),
        Ok(()),
        "asked again it is the same"
    );
    alice.call(part).unwrap();
    assert_eq!(make("F96B697D7CB7938D525A2F31AAF161D0"), Ok(()));
}

#[test]
fn all_parts_of_a_big_file_but_the_last_have_the_documented_sizes() {
    let town = Town::new(4);
    let alice = town.person("79990000001", "Alice");
    let save = |file_part, file_total_parts, len| {
        let request = functions::upload::SaveBigFilePart {
            file_id: 1,
            file_part,
            file_total_parts,
            bytes: vec![0; len],
        };
        alice.call(request).map_err(|e| e.text.into_owned())
    };
    for len in [1 << 10, 64 << 10, 512 << 10] {
        assert_eq!(save(0, 2, len), Ok(true), "{len}");
        assert_eq!(save(0, -1, len), Ok(true), "{len}");
    }
    assert_eq!(save(0, 2, 0), Err("FILE_PART_EMPTY".into()));
    assert_eq!(save(0, 2, 513 << 10), Err("FILE_PART_TOO_BIG".into()));
    for len in [1, 1000, 3 << 10, 511 << 10] {
        let refused = Err("FILE_PART_SIZE_INVALID".into());
        assert_eq!(save(0, 2, len), refused, "{len}");
        assert_eq!(
            save(7, -1, len),
            refused,
            "whoever sends the last part knows how many there are"
        );
        assert_eq!(save(1, 2, len), Ok(true), "the last may be of any size: {len}");
    }
}

/// How each method that takes pictures answers to an upload.
fn answers(who: &Client, file: &enums::InputFile) -> Vec<Result<(), String>> {
    let media = || -> enums::InputMedia {
        types::InputMediaUploadedPhoto {
            file: file.clone(),
            ..Default::default()
        }
        .into()
    };
    let send = functions::messages::SendMedia {
        peer: enums::InputPeer::InputPeerSelf,
        media: media(),
        random_id: 1,
        ..Default::default()
    };
    let keep = functions::messages::UploadMedia {
        peer: enums::InputPeer::InputPeerSelf,
        media: media(),
        ..Default::default()
    };
    let profile = functions::photos::UploadProfilePhoto {
        file: Some(file.clone()),
        ..Default::default()
    };
    let text = |error: havre_api::error::RpcError| error.text.into_owned();
    vec![
        who.call(send).map(drop).map_err(text),
        who.call(keep).map(drop).map_err(text),
        who.call(profile).map(drop).map_err(text),
    ]
}

#[test]
fn an_upload_that_is_no_picture_is_refused_by_the_same_name_everywhere() {
    let town = Town::new(5);
    let alice = town.person("79990000001", "Alice");
    let named = |id, parts, md5_checksum: &str| -> enums::InputFile {
        types::InputFile {
            id,
            parts,
            md5_checksum: md5_checksum.into(),
            ..Default::default()
        }
        .into()
    };
    let picture = png(200, 200);
    upload(&alice, 1, &picture, 512);
    upload(&alice, 2, &vec![0; 3072], 1);
    upload(&alice, 3, b"no picture", 1);
    upload(&alice, 4, &png(2100, 100), 512);
    upload(&alice, 5, &png(9000, 1001), 512);
    upload(&alice, 6, &picture[..picture.len() / 2], 512);
    for (file_part, len) in [(0, 1000), (1, 1000)] {
        let request = functions::upload::SaveFilePart {
            file_id: 7,
            file_part,
            bytes: vec![0; len],
        };
        alice.call(request).unwrap();
    }
    let refused = [
        (named(1, 0, ""), "FILE_PARTS_INVALID"),
        (named(1, -1, ""), "FILE_PARTS_INVALID"),
        (named(1, 4001, ""), "FILE_PARTS_INVALID"),
        (named(8, 1, ""), "FILE_PART_0_MISSING"),
        (named(2, 4, ""), "FILE_PART_3_MISSING"),
        (named(7, 2, ""), "FILE_PART_LENGTH_INVALID"),
        (named(1, 1, "00"), "MD5_CHECKSUM_INVALID"),
        (named(3, 1, ""), "IMAGE_PROCESS_FAILED"),
        (named(6, 1, ""), "IMAGE_PROCESS_FAILED"),
        (named(4, 1, ""), "PHOTO_INVALID_DIMENSIONS"),
        (named(5, 1, ""), "PHOTO_INVALID_DIMENSIONS"),
    ];
    for (file, name) in refused {
        for answer in answers(&alice, &file) {
            assert_eq!(answer, Err(name.to_owned()), "{file:?}");
        }
    }
    assert_eq!(answers(&alice, &named(1, 1, "")), [Ok(()), Ok(()), Ok(())]);
}
