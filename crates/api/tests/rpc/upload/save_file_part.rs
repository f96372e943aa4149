use havre_sim::Town;
use havre_tl::{enums, functions, types};

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
    assert_eq!(make(1, 3), Err("FILE_PART_SIZE_INVALID".into()));
    save(1, 1, 1024);
    assert_eq!(make(1, 3), Ok(()));
    assert_eq!(make(1, 3), Ok(()), "asked again it is the same file");
    assert_eq!(make(1, 0), Err("FILE_PARTS_INVALID".into()));
    save(2, 0, 100);
    assert_eq!(make(2, 1), Ok(()), "the last part may have any size");
    save(3, 0, 100);
    save(3, 1, 100);
    assert_eq!(make(3, 2), Err("FILE_PART_SIZE_INVALID".into()));
}
