//! `channels.readHistory`, `channels.getMessages` and `channels.deleteMessages`.

use havre_api::error::RpcError;
use havre_tl::{enums, functions, types};

use super::channel::{Room, supergroup, texts_of};

fn read(room: &Room, who: &havre_sim::town::Client, max_id: i32) -> Result<bool, RpcError> {
    let channel = room.input(who);
    who.call(functions::channels::ReadHistory { channel, max_id })
}

#[test]
fn reading_moves_the_mark_once_and_the_author_sees_it() {
    let room = supergroup(1);
    let tablet = room.town.second_login(&room.bob);
    room.say(&room.alice, "one").unwrap();
    room.say(&room.alice, "two").unwrap();
    let top = room.dialog(&room.bob).unwrap().top_message;
    room.forget_pushes();
    drop(tablet.pushed());
    assert_eq!(read(&room, &room.bob, top - 1), Ok(true));
    let inbox = types::UpdateReadChannelInbox {
        folder_id: None,
        channel_id: room.id,
        max_id: top - 1,
        still_unread_count: 1,
        pts: room.full(&room.bob).unwrap().pts,
    };
    assert_eq!(tablet.pushed_updates(), [inbox.into()]);
    let outbox = types::UpdateReadChannelOutbox {
        channel_id: room.id,
        max_id: top - 1,
    };
    assert_eq!(room.alice.pushed_updates(), [outbox.into()]);
    assert_eq!(room.carol.pushed(), []);
    assert_eq!(room.dialog(&room.alice).unwrap().read_outbox_max_id, top - 1);
    assert_eq!(read(&room, &room.bob, top - 1), Ok(false), "nothing is new");
    assert_eq!(room.dialog(&room.bob).unwrap().unread_count, 1);
    assert_eq!(read(&room, &room.carol, top - 1), Ok(true));
    assert_eq!(room.alice.pushed(), [], "somebody had read it before");
    assert_eq!(read(&room, &room.bob, 0), Ok(true));
    assert_eq!(room.dialog(&room.bob).unwrap().unread_count, 0);
    assert_eq!(room.dialog(&room.alice).unwrap().read_outbox_max_id, top);
}

#[test]
fn who_reads_their_own_tells_nobody() {
    let room = supergroup(2);
    room.say(&room.alice, "one").unwrap();
    assert_eq!(read(&room, &room.alice, 0), Ok(true));
    assert_eq!(room.dialog(&room.alice).unwrap().read_outbox_max_id, 0);
}

#[test]
fn messages_are_deleted_by_who_wrote_them_and_by_administrators() {
    let room = supergroup(3);
    room.say(&room.alice, "one").unwrap();
    room.say(&room.bob, "two").unwrap();
    let top = room.dialog(&room.bob).unwrap().top_message;
    room.forget_pushes();
    let delete = |who, id: &[i32]| functions::channels::DeleteMessages {
        channel: room.input(who),
        id: id.to_vec(),
    };
    let not_his = room.bob.call(delete(&room.bob, &[top - 1, top]));
    assert_eq!(not_his, Err(RpcError::MESSAGE_DELETE_FORBIDDEN));
    let pts = room.full(&room.bob).unwrap().pts;
    let done = room.bob.call(delete(&room.bob, &[top])).unwrap();
    let affected = types::messages::AffectedMessages {
        pts: pts + 1,
        pts_count: 1,
    };
    assert_eq!(done, affected.into());
    let gone = types::UpdateDeleteChannelMessages {
        channel_id: room.id,
        messages: vec![top],
        pts: pts + 1,
        pts_count: 1,
    };
    assert_eq!(room.carol.pushed_updates(), [gone.into()]);
    room.alice.call(delete(&room.alice, &[top - 1])).unwrap();
    assert_eq!(
        texts_of(&room.history(&room.carol).unwrap().messages),
        [] as [&str; 0]
    );
    assert_eq!(room.dialog(&room.carol).unwrap().top_message, top - 2);
}

#[test]
fn messages_are_fetched_in_the_order_asked() {
    let room = supergroup(4);
    room.say(&room.alice, "one").unwrap();
    room.say(&room.bob, "two").unwrap();
    let top = room.dialog(&room.bob).unwrap().top_message;
    let asked = [top, 99, top - 1].map(|id| types::InputMessageID { id }.into());
    let found = room.bob.call(functions::channels::GetMessages {
        channel: room.input(&room.bob),
        id: asked.to_vec(),
    });
    let enums::messages::Messages::ChannelMessages(found) = found.unwrap() else {
        panic!("of a channel");
    };
    assert_eq!(texts_of(&found.messages), ["two", "one"]);
    assert!(matches!(found.messages[1], enums::Message::MessageEmpty(_)));
    let outside = room.dan.call(functions::channels::GetMessages {
        channel: room.input(&room.dan),
        id: asked.to_vec(),
    });
    assert_eq!(outside, Err(RpcError::CHANNEL_PRIVATE));
}

#[test]
fn everything_that_somebody_wrote_goes_and_nothing_else() {
    let room = supergroup(5);
    room.say(&room.bob, "one").unwrap();
    room.say(&room.carol, "two").unwrap();
    room.say(&room.bob, "three").unwrap();
    let purge = |by| functions::channels::DeleteParticipantHistory {
        channel: room.input(by),
        participant: by.input_peer_of(&room.bob),
    };
    let refused = room.carol.call(purge(&room.carol));
    assert_eq!(refused, Err(RpcError::CHAT_ADMIN_REQUIRED));
    let enums::messages::AffectedHistory::AffectedHistory(gone) =
        room.alice.call(purge(&room.alice)).unwrap();
    assert_eq!((gone.pts_count, gone.offset), (2, 0));
    assert_eq!(texts_of(&room.history(&room.bob).unwrap().messages), ["two"]);
}

#[test]
fn a_link_leads_to_a_message_by_the_channels_name_or_number() {
    let room = supergroup(6);
    let link = |id| {
        let found = room.bob.call(functions::channels::ExportMessageLink {
            channel: room.input(&room.bob),
            id,
            ..Default::default()
        });
        found.map(|enums::ExportedMessageLink::ExportedMessageLink(found)| found.link)
    };
    assert_eq!(link(99), Err(RpcError::MESSAGE_ID_INVALID));
    assert_eq!(link(1), Ok(format!("https://t.me/c/{}/1", room.id)));
    let public = || {
        let found = room
            .alice
            .call(functions::channels::GetAdminedPublicChannels::default());
        let enums::messages::Chats::Chats(found) = found.unwrap() else {
            panic!("not a slice");
        };
        found.chats.len()
    };
    assert_eq!(public(), 0);
    room.publish("harbour");
    assert_eq!(public(), 1);
    assert_eq!(link(1), Ok("https://t.me/harbour/1".into()));
}
