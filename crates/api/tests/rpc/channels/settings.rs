//! What a channel is and lets its members do: description, rights of all, signatures, slow mode, its end, and how a
//! basic group becomes one.

use havre_api::error::RpcError;
use havre_tl::{enums, functions, types};

use super::channel::{Room, actions, all, broadcast, messages, supergroup, texts};

#[test]
fn a_description_is_changed_by_who_may() {
    let room = supergroup(1);
    let about = |who, about: &str| functions::messages::EditChatAbout {
        peer: room.peer(who),
        about: about.into(),
    };
    assert_eq!(
        room.bob.call(about(&room.bob, "Boats")),
        Ok(true),
        "members may unless it is taken"
    );
    assert_eq!(room.full(&room.carol).unwrap().about, "Boats");
    let changed = types::UpdateChannel { channel_id: room.id };
    assert_eq!(room.carol.pushed_updates(), [changed.into()]);
    let same = room.bob.call(about(&room.bob, "Boats"));
    assert_eq!(same, Err(RpcError::CHAT_ABOUT_NOT_MODIFIED));
    let post = broadcast(2);
    let refused = post.bob.call(functions::messages::EditChatAbout {
        peer: post.peer(&post.bob),
        about: "Mine".into(),
    });
    assert_eq!(refused, Err(RpcError::CHAT_ADMIN_REQUIRED));
}

#[test]
fn what_members_may_not_do_holds_for_all_but_administrators() {
    let room = supergroup(3);
    let mute = types::ChatBannedRights {
        send_messages: true,
        ..Default::default()
    };
    let edit = |who| functions::messages::EditChatDefaultBannedRights {
        peer: room.peer(who),
        banned_rights: mute.clone().into(),
    };
    let refused = room.bob.call(edit(&room.bob));
    assert_eq!(refused, Err(RpcError::CHAT_ADMIN_REQUIRED));
    room.alice.call(edit(&room.alice)).unwrap();
    let pushed = room.bob.pushed_updates();
    assert!(matches!(
        pushed[..],
        [enums::Update::UpdateChatDefaultBannedRights(_)]
    ));
    assert_eq!(room.say(&room.bob, "but"), Err(RpcError::CHAT_WRITE_FORBIDDEN));
    room.say(&room.alice, "silence").unwrap();
    assert_eq!(
        room.alice.call(edit(&room.alice)),
        Err(RpcError::CHAT_NOT_MODIFIED)
    );
}

#[test]
fn posts_are_signed_when_the_channel_says_so() {
    let room = broadcast(4);
    let sign = |enabled| {
        room.alice.call(functions::channels::ToggleSignatures {
            signatures_enabled: enabled,
            channel: room.input(&room.alice),
            ..Default::default()
        })
    };
    assert_eq!(sign(false), Err(RpcError::CHAT_NOT_MODIFIED));
    room.say(&room.alice, "plain").unwrap();
    sign(true).unwrap();
    room.say(&room.alice, "signed").unwrap();
    let authors: Vec<_> = messages(&room.bob.pushed_updates())
        .into_iter()
        .map(|message| match message {
            enums::Message::Message(m) => (m.post_author, m.from_id),
            other => panic!("a post: {other:?}"),
        })
        .collect();
    assert_eq!(authors, [(None, None), (Some("Alice".into()), None)]);
}

#[test]
fn members_of_a_slow_group_wait_and_administrators_do_not() {
    let room = supergroup(5);
    let slow = |seconds| {
        room.alice.call(functions::channels::ToggleSlowMode {
            channel: room.input(&room.alice),
            seconds,
        })
    };
    assert_eq!(slow(7), Err(RpcError::SECONDS_INVALID));
    slow(30).unwrap();
    assert_eq!(room.full(&room.bob).unwrap().slowmode_seconds, Some(30));
    room.say(&room.bob, "one").unwrap();
    room.town.pass(10);
    assert_eq!(room.say(&room.bob, "two"), Err(RpcError::slowmode_wait(20)));
    room.send(&room.bob, "one", 1).unwrap_err();
    room.say(&room.alice, "one").unwrap();
    room.say(&room.alice, "two").unwrap();
    room.town.pass(20);
    room.say(&room.bob, "two").unwrap();
}

#[test]
fn a_deleted_channel_is_gone_for_everybody_and_its_name_is_free() {
    let room = supergroup(6);
    room.publish("harbour");
    room.forget_pushes();
    let delete = |who| functions::channels::DeleteChannel {
        channel: room.input(who),
    };
    let refused = room.bob.call(delete(&room.bob));
    assert_eq!(refused, Err(RpcError::CHAT_ADMIN_REQUIRED));
    let deleted = all(room.alice.call(delete(&room.alice)).unwrap());
    assert!(matches!(deleted.chats[..], [enums::Chat::ChannelForbidden(_)]));
    let told = room.one_push(&room.bob);
    assert!(matches!(told.chats[..], [enums::Chat::ChannelForbidden(_)]));
    assert_eq!(room.dialog(&room.bob), None);
    assert_eq!(room.history(&room.alice), Err(RpcError::CHANNEL_PRIVATE));
    assert_eq!(room.join(&room.dan), Err(RpcError::CHANNEL_PRIVATE));
    let named = room.dan.call(functions::account::UpdateUsername {
        username: "harbour".into(),
    });
    assert!(named.is_ok(), "{named:?}");
}

#[test]
fn a_group_goes_on_as_a_supergroup_with_everybody_in_it() {
    let (chat_id, room) = Room::of_a_group(7);
    let full = room.full(&room.bob).unwrap();
    assert_eq!(full.migrated_from_chat_id, Some(chat_id));
    assert_eq!(full.participants_count, Some(3));
    let enums::Chat::Channel(seen) = room.seen_by(&room.alice) else {
        panic!("she is in it");
    };
    assert!(seen.creator && seen.megagroup);
    let first = room.history(&room.bob).unwrap().messages.pop();
    let from = types::MessageActionChannelMigrateFrom {
        title: "Harbour".into(),
        chat_id,
    };
    let Some(enums::Message::MessageService(first)) = first else {
        panic!("a service message: {first:?}");
    };
    assert_eq!((first.id, first.action), (1, from.into()));
    let old = enums::InputPeer::InputPeerChat(types::InputPeerChat { chat_id });
    let refused = room.bob.say(old.clone(), "anybody?");
    assert_eq!(refused, Err(RpcError::CHAT_WRITE_FORBIDDEN));
    let old = room.bob.call(functions::messages::GetHistory {
        peer: old,
        limit: 1,
        ..Default::default()
    });
    let last = match old.unwrap() {
        enums::messages::Messages::MessagesSlice(mut slice) => slice.messages.pop(),
        other => panic!("more than one: {other:?}"),
    };
    let to = types::MessageActionChatMigrateTo { channel_id: room.id };
    let Some(enums::Message::MessageService(last)) = last else {
        panic!("a service message: {last:?}");
    };
    assert_eq!(last.action, to.into());
    room.forget_pushes();
    room.say(&room.alice, "here").unwrap();
    assert_eq!(texts(&room.carol.pushed_updates()), ["here"]);
    assert_eq!(room.dan.pushed(), []);
}

#[test]
fn a_photo_goes_with_a_word_of_it_and_there_is_one_to_take_away() {
    let room = supergroup(8);
    let photo = |who, photo| functions::channels::EditPhoto {
        channel: room.input(who),
        photo,
    };
    let none = enums::InputChatPhoto::InputChatPhotoEmpty;
    let same = room.alice.call(photo(&room.alice, none.clone()));
    assert_eq!(same, Err(RpcError::CHAT_NOT_MODIFIED));
    let outside = room.dan.call(photo(&room.dan, none.clone()));
    assert_eq!(outside, Err(RpcError::CHANNEL_PRIVATE));
    let upload = crate::picture::uploaded(&room.alice);
    room.alice.call(photo(&room.alice, upload)).unwrap();
    let [enums::MessageAction::MessageActionChatEditPhoto(edit)] = &actions(&room.bob.pushed_updates())[..]
    else {
        panic!("it is announced");
    };
    assert_eq!(room.full(&room.bob).unwrap().chat_photo, edit.photo);
    room.alice.call(photo(&room.alice, none)).unwrap();
    let enums::Chat::Channel(seen) = room.seen_by(&room.bob) else {
        panic!("he is in it");
    };
    assert_eq!(seen.photo, enums::ChatPhoto::ChatPhotoEmpty);
}

impl Room {
    /// A basic group with the usual people in it that became a supergroup, and the group's id.
    fn of_a_group(seed: u64) -> (i64, Self) {
        let mut room = supergroup(seed);
        let (bob, carol) = (
            room.alice.input_user_of(&room.bob),
            room.alice.input_user_of(&room.carol),
        );
        let made = room.alice.call(functions::messages::CreateChat {
            users: vec![bob, carol],
            title: "Harbour".into(),
            ttl_period: None,
        });
        let enums::messages::InvitedUsers::InvitedUsers(made) = made.unwrap();
        let chat_id = match all(made.updates).chats.as_slice() {
            [enums::Chat::Chat(chat)] => chat.id,
            other => panic!("one group: {other:?}"),
        };
        let migrate = functions::messages::MigrateChat { chat_id };
        assert_eq!(room.bob.call(migrate.clone()), Err(RpcError::CHAT_ADMIN_REQUIRED));
        let migrated = all(room.alice.call(migrate).unwrap());
        let channel = migrated.chats.iter().find_map(|chat| match chat {
            enums::Chat::Channel(channel) => Some(channel.id),
            _ => None,
        });
        room.id = channel.unwrap();
        (chat_id, room)
    }
}
