use havre_api::error::RpcError;
use havre_tl::functions::messages::GetDialogs;
use havre_tl::{enums, functions, types};

use super::group::{group, ids};
use super::list::{list, talkative};

fn in_folder(folder_id: Option<i32>) -> GetDialogs {
    GetDialogs {
        folder_id,
        limit: 100,
        ..Default::default()
    }
}

#[test]
fn newest_first_with_top_messages_and_everybody_named() {
    let group = group(1);
    group
        .dan
        .say(group.dan.input_peer_of(&group.bob), "hello")
        .unwrap();
    let told = list(group.bob.call(in_folder(None)).unwrap());
    assert_eq!(told.peers(), [group.dan.user().0, -group.id]);
    let tops: Vec<i32> = told.dialogs().iter().map(|d| d.top_message).collect();
    assert_eq!(told.message_ids, tops);
    assert_eq!(
        told.user_ids,
        ids(&[&group.alice, &group.bob, &group.carol, &group.dan])
    );
    assert_eq!(told.chat_ids, [group.id]);
    assert!(told.is_whole);
    let dan = told.dialogs()[0];
    assert_eq!((dan.unread_count, dan.read_inbox_max_id), (1, 0));
    assert_eq!((dan.folder_id, dan.pinned, dan.pts), (None, false, None));
}

#[test]
fn a_top_message_is_complete() {
    let group = group(2);
    group.alice.say(group.peer(), "question").unwrap();
    let asked = list(group.bob.call(in_folder(None)).unwrap()).message_ids[0];
    let reply = types::InputReplyToMessage {
        reply_to_msg_id: asked,
        ..Default::default()
    };
    let answer = functions::messages::SendMessage {
        peer: group.peer(),
        reply_to: Some(reply.into()),
        message: "answer".into(),
        random_id: 5,
        ..Default::default()
    };
    group.bob.call(answer).unwrap();
    let enums::messages::Dialogs::Dialogs(told) = group.bob.call(in_folder(None)).unwrap() else {
        panic!("all are told");
    };
    let [enums::Message::Message(top)] = &told.messages[..] else {
        panic!("one conversation")
    };
    let Some(enums::MessageReplyHeader::MessageReplyHeader(header)) = &top.reply_to else {
        panic!("its reply header is there")
    };
    assert_eq!(
        (top.message.as_str(), header.reply_to_msg_id),
        ("answer", Some(asked))
    );
}

#[test]
fn pages_by_date_id_and_peer_show_every_conversation_once() {
    // Some arrive within the same second.
    let world = talkative(3, 5);
    for other in &world.others[1..4] {
        other.say(other.input_peer_of(&world.me), "again").unwrap();
    }
    let (mut seen, mut request) = (Vec::new(), in_folder(None));
    request.limit = 2;
    loop {
        let enums::messages::Dialogs::DialogsSlice(slice) = world.me.call(request.clone()).unwrap() else {
            panic!("there are more")
        };
        assert_eq!(slice.count, 5);
        let Some(enums::Message::Message(last)) = slice.messages.last() else {
            break;
        };
        (request.offset_date, request.offset_id) = (last.date, last.id);
        let told = list(slice.into());
        let last = *told.peers().last().unwrap();
        let at = world.others.iter().position(|other| other.user().0 == last);
        request.offset_peer = world.peer(at.unwrap());
        seen.extend(told.peers());
    }
    assert_eq!(seen, world.ids(&[3, 2, 1, 4, 0]));
}

#[test]
fn an_offset_of_the_peer_alone_begins_after_it() {
    let world = talkative(4, 4);
    let after = GetDialogs {
        offset_peer: world.peer(2),
        ..in_folder(None)
    };
    assert_eq!(world.list(after).peers(), world.ids(&[1, 0]));
    let id = world.list(in_folder(None)).dialogs()[0].top_message;
    let after = GetDialogs {
        offset_peer: world.peer(3),
        offset_id: id,
        ..in_folder(None)
    };
    assert_eq!(world.list(after).peers(), world.ids(&[2, 1, 0]));
}

#[test]
fn pinned_ones_are_on_top_of_the_first_page_or_left_out() {
    let world = talkative(5, 6);
    world.pin(0, true).unwrap();
    world.pin(2, true).unwrap();
    let all = world.list(in_folder(None));
    assert_eq!(all.peers(), world.ids(&[2, 0, 5, 4, 3, 1]));
    let pinned: Vec<bool> = all.dialogs().iter().map(|d| d.pinned).collect();
    assert_eq!(pinned, [true, true, false, false, false, false]);
    let without = GetDialogs {
        exclude_pinned: true,
        limit: 4,
        ..Default::default()
    };
    let without = world.list(without);
    assert_eq!(without.peers(), world.ids(&[5, 4, 3, 1]));
    assert!(without.is_whole, "nothing is left to ask for");
    // Later pages have none, even where they would lie by date.
    let first = GetDialogs {
        limit: 4,
        ..Default::default()
    };
    let first = world.list(first);
    assert_eq!(
        (first.peers(), first.is_whole, first.count),
        (world.ids(&[2, 0, 5, 4]), false, 6)
    );
    let next = GetDialogs {
        offset_peer: world.peer(4),
        offset_id: *first.message_ids.last().unwrap(),
        ..in_folder(None)
    };
    assert_eq!(world.list(next).peers(), world.ids(&[3, 1]));
}

#[test]
fn folder_0_has_the_archives_row_and_folder_1_what_is_in_it() {
    let world = talkative(6, 4);
    assert_eq!(
        world.list(in_folder(Some(0))).archive(),
        None,
        "nothing is archived"
    );
    world.archive(1);
    world.archive(2);
    world.others[1]
        .say(world.others[1].input_peer_of(&world.me), "again")
        .unwrap();
    let mute = types::InputPeerNotifySettings {
        mute_until: Some(i32::MAX),
        ..Default::default()
    };
    let muted = types::InputNotifyPeer { peer: world.peer(2) };
    let mute = functions::account::UpdateNotifySettings {
        peer: muted.into(),
        settings: mute.into(),
    };
    world.me.call(mute).unwrap();
    let main = world.list(in_folder(Some(0)));
    assert_eq!(main.peers(), world.ids(&[3, 0]));
    let row = main.archive().expect("the archive has a row");
    let archive = world.list(in_folder(Some(1)));
    assert_eq!(archive.peers(), world.ids(&[1, 2]));
    assert!(archive.dialogs().iter().all(|d| d.folder_id == Some(1)));
    assert_eq!(archive.archive(), None);
    let newest = archive.dialogs()[0];
    assert_eq!((&row.peer, row.top_message), (&newest.peer, newest.top_message));
    assert!(main.message_ids.contains(&row.top_message));
    assert!(main.user_ids.contains(&world.others[1].user().0));
    assert_eq!(
        (row.unread_unmuted_peers_count, row.unread_unmuted_messages_count),
        (1, 2)
    );
    assert_eq!(
        (row.unread_muted_peers_count, row.unread_muted_messages_count),
        (1, 1)
    );
    let enums::Folder::Folder(folder) = &row.folder;
    assert_eq!((row.pinned, folder.id), (true, 1));
    let without = GetDialogs {
        exclude_pinned: true,
        ..in_folder(Some(0))
    };
    assert_eq!(world.list(without).archive(), None, "it is one of what is pinned");
    let all = world.list(in_folder(None));
    assert_eq!((all.peers(), all.archive()), (world.ids(&[1, 3, 2, 0]), None));
    assert_eq!((all.is_whole, all.count), (true, 4));
}

#[test]
fn who_has_the_list_is_told_so_but_never_for_hash_0() {
    let world = talkative(7, 2);
    let hash = {
        let told = world.list(in_folder(None));
        // For each: peer, newest message, read marks, unread counts, pin, mark, date of draft, mute; at the
        // end the dates of edits.
        let rows = told.dialogs().into_iter().flat_map(|d| {
            let peer = super::list::number(&d.peer);
            let numbers = [d.top_message, 0, 0, 1, 0, 0, 0, 0, 0];
            [peer]
                .into_iter()
                .chain(numbers.map(i64::from))
                .collect::<Vec<i64>>()
        });
        havre_domain::contacts::hash(rows.chain([0, 0]))
    };
    let known = GetDialogs {
        hash,
        ..in_folder(None)
    };
    let unmodified = types::messages::DialogsNotModified { count: 2 };
    assert_eq!(world.me.call(known.clone()), Ok(unmodified.into()));
    let read = functions::messages::ReadHistory {
        peer: world.peer(0),
        max_id: 0,
    };
    world.me.call(read).unwrap();
    assert_eq!(world.list(known).peers().len(), 2, "a read mark moved");
    let town = havre_sim::town::Town::new(8);
    let nobody = town.person("79990000001", "Alice");
    let none = list(nobody.call(in_folder(None)).unwrap());
    assert!(none.is_whole && none.rows.is_empty());
}

#[test]
fn an_offset_peer_needs_no_access_hash_for_tdlib_has_none_there() {
    let world = talkative(4, 4);
    let named = types::InputPeerUser {
        user_id: world.others[2].user().0,
        access_hash: 0,
    };
    let after = GetDialogs {
        offset_peer: named.into(),
        ..in_folder(None)
    };
    assert_eq!(world.list(after).peers(), world.ids(&[1, 0]));
}

#[test]
fn no_limit_is_a_usual_page() {
    let world = talkative(9, 23);
    let told = world.list(GetDialogs::default());
    assert_eq!((told.rows.len(), told.count), (20, 23));
}

#[test]
fn refusals() {
    let world = talkative(10, 1);
    let refused = world.me.call(in_folder(Some(2))).unwrap_err();
    assert_eq!(refused, RpcError::FOLDER_ID_INVALID);
    let nowhere = types::InputPeerChat { chat_id: 5 };
    let from = GetDialogs {
        offset_date: 5,
        offset_peer: nowhere.into(),
        ..in_folder(None)
    };
    assert_eq!(world.me.call(from).unwrap_err().text, "OFFSET_PEER_ID_INVALID");
}
