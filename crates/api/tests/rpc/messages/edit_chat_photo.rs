use havre_api::error::RpcError;
use havre_tl::{enums, functions, types};

use super::group::group;

#[test]
fn only_a_photo_that_one_has_can_be_chosen() {
    let group = group(1);
    let edit = |photo| {
        group.alice.call(functions::messages::EditChatPhoto {
            chat_id: group.id,
            photo,
        })
    };
    let none = edit(enums::InputChatPhoto::InputChatPhotoEmpty).unwrap_err();
    assert_eq!(none, RpcError::CHAT_NOT_MODIFIED);
    let foreign = types::InputChatPhoto {
        id: types::InputPhoto {
            id: 1,
            access_hash: 2,
            file_reference: Vec::new(),
        }
        .into(),
    };
    assert_eq!(edit(foreign.into()).unwrap_err(), RpcError::PHOTO_INVALID);
}
