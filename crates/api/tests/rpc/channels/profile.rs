//! What a channel is called: `channels.editTitle`, `checkUsername`, `updateUsername`, `contacts.resolveUsername`.

use havre_api::error::RpcError;
use havre_tl::{enums, functions, types};

use super::channel::{actions, all, supergroup};

#[test]
fn a_new_title_is_told_with_the_channel() {
    let room = supergroup(1);
    let title = |who, title: &str| functions::channels::EditTitle {
        channel: room.input(who),
        title: title.into(),
    };
    let same = room.alice.call(title(&room.alice, "Harbour"));
    assert_eq!(same, Err(RpcError::CHAT_NOT_MODIFIED));
    let outside = room.dan.call(title(&room.dan, "Mine"));
    assert_eq!(outside, Err(RpcError::CHANNEL_PRIVATE));
    let edited = all(room.alice.call(title(&room.alice, "Haven")).unwrap());
    let edit = types::MessageActionChatEditTitle {
        title: "Haven".into(),
    };
    assert_eq!(actions(&edited.updates), [edit.into()]);
    let pushed = room.one_push(&room.bob);
    let [enums::Chat::Channel(channel)] = &pushed.chats[..] else {
        panic!("the channel");
    };
    assert_eq!(channel.title, "Haven");
}

#[test]
fn a_name_belongs_to_one_channel_or_person() {
    let room = supergroup(2);
    let check = |name: &str| {
        room.alice.call(functions::channels::CheckUsername {
            channel: room.input(&room.alice),
            username: name.into(),
        })
    };
    let own = |name: &str| {
        room.dan.call(functions::account::UpdateUsername {
            username: name.into(),
        })
    };
    assert_eq!(check("x"), Err(RpcError::USERNAME_INVALID));
    own("dan_the_man").unwrap();
    assert_eq!(check("dan_the_man"), Err(RpcError::USERNAME_OCCUPIED));
    assert_eq!(check("Harbour"), Ok(true));
    room.publish("Harbour");
    assert_eq!(own("harbour"), Err(RpcError::USERNAME_OCCUPIED));
    let resolve = || {
        room.dan.call(functions::contacts::ResolveUsername {
            username: "harbour".into(),
            ..Default::default()
        })
    };
    let enums::contacts::ResolvedPeer::ResolvedPeer(found) = resolve().unwrap();
    assert!(
        matches!(found.peer, enums::Peer::PeerChannel(types::PeerChannel { channel_id }) if channel_id == room.id)
    );
    let [enums::Chat::Channel(seen)] = &found.chats[..] else {
        panic!("the channel");
    };
    assert_eq!((seen.username.as_deref(), seen.left), (Some("Harbour"), true));
    room.publish("haven");
    assert_eq!(
        resolve(),
        Err(RpcError::USERNAME_NOT_OCCUPIED),
        "the old name is free"
    );
    own("harbour").unwrap();
}

#[test]
fn a_channel_is_named_by_who_was_shown_it() {
    let room = supergroup(3);
    let guess = types::InputChannel {
        channel_id: room.id,
        access_hash: 1,
    };
    let id = vec![guess.into()];
    let guessed = room.dan.call(functions::channels::GetChannels { id });
    assert_eq!(guessed, Err(RpcError::CHANNEL_INVALID));
    let enums::Chat::ChannelForbidden(seen) = room.seen_by(&room.dan) else {
        panic!("he is not in it");
    };
    assert_eq!(seen.title, "Harbour");
    assert_eq!(room.full(&room.dan), Err(RpcError::CHANNEL_PRIVATE));
}
