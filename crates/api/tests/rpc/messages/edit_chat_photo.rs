use havre_api::error::RpcError;
use havre_sim::town::Client;
use havre_tl::{enums, functions, types};

use crate::picture::uploaded;

use super::group::{Group, actions, group, updates};

fn edit(group: &Group, by: &Client, photo: enums::InputChatPhoto) -> Result<enums::Updates, RpcError> {
    by.call(functions::messages::EditChatPhoto {
        chat_id: group.id,
        photo,
    })
}

#[test]
fn an_upload_becomes_the_photo_that_everybody_sees_and_fetches() {
    let group = group(1);
    let answer = edit(&group, &group.bob, uploaded(&group.bob)).unwrap();
    let [enums::MessageAction::MessageActionChatEditPhoto(action)] = &actions(updates(&answer))[..] else {
        panic!("it is announced");
    };
    let enums::Photo::Photo(photo) = &action.photo else {
        panic!("in full");
    };
    assert_eq!(actions(&group.carol.pushed_updates()).len(), 1);
    let enums::ChatPhoto::ChatPhoto(shown) = group.chat(&group.carol).photo else {
        panic!("it is shown");
    };
    assert_eq!(shown.photo_id, photo.id);
    assert!(shown.stripped_thumb.is_some());
    let full = group.full(&group.carol).chat_photo;
    assert_eq!(full.as_ref(), Some(&action.photo));
    let fetched = group.carol.call(functions::upload::GetFile {
        location: types::InputPeerPhotoFileLocation {
            big: true,
            peer: group.peer(),
            photo_id: photo.id,
        }
        .into(),
        limit: 1 << 20,
        ..Default::default()
    });
    assert!(matches!(fetched, Ok(enums::upload::File::File(f)) if !f.bytes.is_empty()));
}

#[test]
fn a_photo_goes_and_comes_back_by_its_name() {
    let group = group(2);
    edit(&group, &group.alice, uploaded(&group.alice)).unwrap();
    let Some(enums::Photo::Photo(photo)) = group.full(&group.alice).chat_photo else {
        panic!("it is there");
    };
    let gone = edit(&group, &group.alice, enums::InputChatPhoto::InputChatPhotoEmpty).unwrap();
    assert_eq!(
        actions(updates(&gone)),
        [enums::MessageAction::MessageActionChatDeletePhoto]
    );
    assert_eq!(group.chat(&group.bob).photo, enums::ChatPhoto::ChatPhotoEmpty);
    let named = types::InputChatPhoto {
        id: types::InputPhoto {
            id: photo.id,
            access_hash: photo.access_hash,
            file_reference: photo.file_reference,
        }
        .into(),
    };
    assert!(edit(&group, &group.alice, named.into()).is_ok());
}

#[test]
fn nothing_new_foreign_photos_and_members_without_rights_are_refused() {
    let group = group(3);
    let refused = |by, photo| edit(&group, by, photo).unwrap_err();
    let none = || enums::InputChatPhoto::InputChatPhotoEmpty;
    assert_eq!(refused(&group.alice, none()), RpcError::CHAT_NOT_MODIFIED);
    let foreign = types::InputChatPhoto {
        id: types::InputPhoto {
            id: 1,
            access_hash: 2,
            file_reference: Vec::new(),
        }
        .into(),
    };
    assert_eq!(refused(&group.alice, foreign.into()), RpcError::FILE_ID_INVALID);
    let empty = types::InputChatUploadedPhoto::default();
    assert_eq!(refused(&group.alice, empty.into()), RpcError::PHOTO_INVALID);
    group.ban(types::ChatBannedRights {
        change_info: true,
        ..Default::default()
    });
    assert_eq!(refused(&group.bob, none()), RpcError::CHAT_ADMIN_REQUIRED);
}
