use havre_api::error::RpcError;
use havre_sim::town::Town;
use havre_tl::{enums, types};

use super::channel::{actions, all, channel_named, create};

#[test]
fn a_channel_begins_at_pts_one_with_a_message_of_its_creation() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let tablet = town.second_login(&alice);
    let created = alice.call(create(true, "  Harbour ")).unwrap();
    let channel = channel_named(&created);
    assert_eq!((channel.title.as_str(), channel.megagroup), ("Harbour", true));
    assert!(channel.creator && !channel.left && !channel.broadcast);
    assert_eq!(channel.participants_count, Some(1));
    let answer = all(created);
    let made = types::MessageActionChannelCreate {
        title: "Harbour".into(),
    };
    assert_eq!(actions(&answer.updates), [made.into()]);
    let first = answer.updates.iter().find_map(|update| match update {
        enums::Update::UpdateNewChannelMessage(new) => Some((new.pts, new.pts_count, new.message.clone())),
        _ => None,
    });
    let (pts, count, message) = first.unwrap();
    assert_eq!((pts, count), (2, 1));
    let enums::Message::MessageService(message) = message else {
        panic!("a service message");
    };
    assert_eq!(message.id, 1);
    assert!(message.out);
    assert_eq!(alice.pushed(), [], "the answer told it already");
    let told = tablet.pushed_updates();
    assert!(told.iter().any(|u| matches!(u, enums::Update::UpdateChannel(_))));
    let too_long = types::UpdateChannelTooLong {
        channel_id: channel.id,
        pts: Some(2),
    };
    assert!(told.contains(&too_long.into()), "{told:?}");
}

#[test]
fn a_channel_is_of_one_kind_and_has_a_title() {
    let town = Town::new(2);
    let alice = town.person("79990000001", "Alice");
    let neither = havre_tl::functions::channels::CreateChannel {
        megagroup: false,
        ..create(true, "Harbour")
    };
    assert_eq!(alice.call(neither), Err(RpcError::INPUT_REQUEST_INVALID));
    assert_eq!(alice.call(create(true, "  ")), Err(RpcError::CHAT_TITLE_EMPTY));
}
