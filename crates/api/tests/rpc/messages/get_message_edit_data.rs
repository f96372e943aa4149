use havre_api::error::RpcError;
use havre_sim::town::Client;
use havre_tl::functions::messages::GetMessageEditData;
use havre_tl::{enums, functions, types};

use super::group::{Group, group};
use super::page::page;

fn edit_data(who: &Client, group: &Group, id: i32) -> Result<bool, RpcError> {
    let request = GetMessageEditData {
        peer: group.peer(),
        id,
    };
    let enums::messages::MessageEditData::MessageEditData(data) = who.call(request)?;
    Ok(data.caption)
}

/// Ids of the group's messages in somebody's box, newest first.
fn ids(who: &Client, group: &Group) -> Vec<i32> {
    let request = functions::messages::GetHistory {
        peer: group.peer(),
        limit: 10,
        ..Default::default()
    };
    page(who.call(request).unwrap()).ids()
}

#[test]
fn a_text_and_a_caption() {
    let group = group(1);
    group.bob.say(group.peer(), "text").unwrap();
    let contact = types::InputMediaContact {
        phone_number: "79995550000".into(),
        first_name: "Harbour master".into(),
        ..Default::default()
    };
    let send = functions::messages::SendMedia {
        peer: group.peer(),
        media: contact.into(),
        random_id: 3,
        ..Default::default()
    };
    group.bob.call(send).unwrap();
    let found = ids(&group.bob, &group);
    assert_eq!(edit_data(&group.bob, &group, found[1]), Ok(false));
    assert_eq!(edit_data(&group.bob, &group, found[0]), Ok(true));
}

#[test]
fn others_messages_service_messages_and_none() {
    let group = group(2);
    group.bob.say(group.peer(), "text").unwrap();
    let found = ids(&group.alice, &group);
    let theirs = edit_data(&group.alice, &group, found[0]);
    assert_eq!(theirs, Err(RpcError::MESSAGE_AUTHOR_REQUIRED));
    let created = edit_data(&group.alice, &group, found[1]);
    assert_eq!(created, Err(RpcError::MESSAGE_ID_INVALID));
    let none = edit_data(&group.alice, &group, 9_999);
    assert_eq!(none, Err(RpcError::MESSAGE_ID_INVALID));
    group
        .alice
        .say(enums::InputPeer::InputPeerSelf, "elsewhere")
        .unwrap();
    let elsewhere = edit_data(&group.alice, &group, found[0] + 1);
    assert_eq!(elsewhere, Err(RpcError::MESSAGE_ID_INVALID));
}
