//! `updates.getChannelDifference`, and what `updates.getDifference` says of channels.

use havre_api::error::RpcError;
use havre_domain::ids::ChannelId;
use havre_domain::keys::partition;
use havre_tl::enums::updates::{ChannelDifference, Difference, State};
use havre_tl::{enums, functions, types};

use super::channel::{Room, supergroup, texts_of};

fn edit(room: &Room, id: i32, text: &str) {
    let edited = room.alice.call(functions::messages::EditMessage {
        peer: room.peer(&room.alice),
        id,
        message: Some(text.into()),
        ..Default::default()
    });
    edited.unwrap();
}

#[test]
fn a_difference_tells_what_is_new_once_in_its_newest_version() {
    let room = supergroup(1);
    let before = room.full(&room.bob).unwrap().pts;
    room.say(&room.alice, "one").unwrap();
    room.say(&room.alice, "two").unwrap();
    let top = room.dialog(&room.bob).unwrap().top_message;
    edit(&room, top, "two!");
    let delete = functions::channels::DeleteMessages {
        channel: room.input(&room.alice),
        id: vec![top - 1],
    };
    room.alice.call(delete).unwrap();
    let now = room.full(&room.bob).unwrap().pts;
    assert_eq!(now, before + 4);
    let ChannelDifference::ChannelDifference(all) = room.difference(&room.bob, before, 100).unwrap() else {
        panic!("something is new");
    };
    assert_eq!((all.r#final, all.pts, all.timeout), (true, now, None));
    assert_eq!(texts_of(&all.new_messages), ["two!"]);
    let ChannelDifference::ChannelDifferenceEmpty(none) = room.difference(&room.bob, now, 100).unwrap()
    else {
        panic!("nothing is new");
    };
    assert_eq!((none.r#final, none.pts), (true, now));
    let never = room.difference(&room.bob, now + 1, 100);
    assert_eq!(never, Err(RpcError::PERSISTENT_TIMESTAMP_INVALID));
}

#[test]
fn slices_come_to_the_end_and_hold_everything() {
    let room = supergroup(2);
    for n in 0..7 {
        room.say(&room.alice, &n.to_string()).unwrap();
    }
    let (mut pts, mut texts, mut slices) = (2, Vec::new(), 0);
    loop {
        let ChannelDifference::ChannelDifference(slice) = room.difference(&room.bob, pts, 3).unwrap() else {
            panic!("something is new");
        };
        assert!(slice.pts > pts, "each slice gets on");
        (pts, slices) = (slice.pts, slices + 1);
        texts.extend(texts_of(&slice.new_messages));
        if slice.r#final {
            break;
        }
    }
    assert_eq!(texts, ["0", "1", "2", "3", "4", "5", "6"]);
    assert_eq!((pts, slices), (room.full(&room.bob).unwrap().pts, 3));
}

#[test]
fn who_is_too_far_behind_gets_the_conversation_as_it_is() {
    let room = supergroup(3);
    for n in 0..5 {
        room.say(&room.alice, &n.to_string()).unwrap();
    }
    room.town.env().run(async {
        let mut world = room.town.api().world();
        let tx = world.subject(partition::channel(ChannelId(room.id))).unwrap();
        havre_domain::updates::compact(tx, 2).await.unwrap();
        world.commit().await.unwrap();
    });
    let ChannelDifference::ChannelDifferenceTooLong(far) = room.difference(&room.bob, 1, 100).unwrap() else {
        panic!("it is forgotten what was before");
    };
    assert!(far.r#final);
    let enums::Dialog::Dialog(dialog) = far.dialog else {
        panic!("a conversation");
    };
    assert_eq!(dialog.pts, Some(room.full(&room.bob).unwrap().pts));
    assert_eq!((dialog.unread_count, dialog.top_message), (6, 7));
    assert_eq!(texts_of(&far.messages), ["4", "3", "2", "1", "0"]);
}

#[test]
fn who_reads_a_public_channel_from_outside_is_told_when_to_ask_again() {
    let room = supergroup(4);
    room.publish("harbour");
    let ChannelDifference::ChannelDifference(all) = room.difference(&room.dan, 1, 100).unwrap() else {
        panic!("everything is new to him");
    };
    assert!(all.timeout.is_some());
}

#[test]
fn a_difference_of_the_box_names_channels_that_moved() {
    let room = supergroup(5);
    room.town.pass(1_000);
    let State::State(state) = room.bob.call(functions::updates::GetState {}).unwrap();
    let difference = || {
        let since = functions::updates::GetDifference {
            pts: state.pts,
            date: state.date,
            ..Default::default()
        };
        room.bob.call(since).unwrap()
    };
    assert!(
        matches!(difference(), Difference::DifferenceEmpty(_)),
        "nothing moved"
    );
    room.town.pass(10);
    room.say(&room.alice, "news").unwrap();
    let Difference::Difference(moved) = difference() else {
        panic!("a channel moved");
    };
    let too_long = types::UpdateChannelTooLong {
        channel_id: room.id,
        pts: Some(room.full(&room.bob).unwrap().pts),
    };
    assert_eq!(moved.other_updates, [too_long.into()]);
    assert!(matches!(moved.chats[..], [enums::Chat::Channel(_)]));
}

#[test]
fn a_session_that_comes_back_hears_its_channels() {
    let room = supergroup(6);
    room.town.restart();
    // The first call of each subscribes it again.
    room.bob.call(functions::updates::GetState {}).unwrap();
    room.say(&room.alice, "news").unwrap();
    assert_eq!(super::channel::texts(&room.bob.pushed_updates()), ["news"]);
}
