//! `messages.*` of what is said in channels.

use havre_api::error::RpcError;
use havre_tl::{enums, functions, types};

use super::channel::{all, broadcast, messages, supergroup, texts, texts_of};

#[test]
fn members_are_pushed_a_message_and_who_is_outside_is_not() {
    let room = supergroup(1);
    let tablet = room.town.second_login(&room.alice);
    let sent = room.say(&room.alice, "Ahoy").unwrap();
    assert!(matches!(sent.updates[0], enums::Update::UpdateMessageID(_)));
    assert_eq!(texts(&sent.updates), ["Ahoy"]);
    assert_eq!(room.alice.pushed(), [], "the answer told it already");
    for (member, out) in [(&tablet, true), (&room.bob, false), (&room.carol, false)] {
        let pushed = member.pushed_updates();
        assert_eq!(texts(&pushed), ["Ahoy"]);
        let [enums::Message::Message(message)] = &messages(&pushed)[..] else {
            panic!("a text");
        };
        assert_eq!(message.out, out);
        let from = types::PeerUser {
            user_id: room.alice.user().0,
        };
        assert_eq!(message.from_id, Some(from.into()));
    }
    assert_eq!(room.dan.pushed(), []);
    assert_eq!(texts_of(&room.history(&room.bob).unwrap().messages), ["Ahoy"]);
    assert_eq!(room.history(&room.dan), Err(RpcError::CHANNEL_PRIVATE));
    assert_eq!(room.say(&room.dan, "Let me in"), Err(RpcError::CHANNEL_PRIVATE));
}

#[test]
fn a_random_id_makes_one_message_for_its_author_only() {
    let room = supergroup(2);
    let first = room.send(&room.alice, "Ahoy", 5).unwrap();
    let again = room.send(&room.alice, "Ahoy", 5).unwrap();
    assert_eq!(
        first.updates[0], again.updates[0],
        "the same id for the same random id"
    );
    assert_eq!(texts(&again.updates), ["Ahoy"]);
    room.send(&room.bob, "Aye", 5).unwrap();
    let history = room.history(&room.carol).unwrap();
    assert_eq!(texts_of(&history.messages), ["Aye", "Ahoy"]);
}

#[test]
fn a_post_is_the_channels_and_names_nobody() {
    let room = broadcast(3);
    assert_eq!(room.say(&room.bob, "I too"), Err(RpcError::CHAT_WRITE_FORBIDDEN));
    room.say(&room.alice, "News").unwrap();
    let pushed = room.one_push(&room.bob);
    let [enums::Message::Message(post)] = &messages(&pushed.updates)[..] else {
        panic!("a post");
    };
    assert_eq!((post.post, post.from_id.is_none(), post.out), (true, true, false));
    assert_eq!(pushed.users, [], "who wrote it is nobody's business");
}

#[test]
fn an_edit_is_its_authors_and_everybody_sees_it() {
    let room = supergroup(4);
    room.say(&room.bob, "Ahoi").unwrap();
    let id = room.history(&room.bob).unwrap().messages[0].clone();
    let enums::Message::Message(message) = id else {
        panic!("a text");
    };
    room.forget_pushes();
    let edit = |who| functions::messages::EditMessage {
        peer: room.peer(who),
        id: message.id,
        message: Some("Ahoy".into()),
        ..Default::default()
    };
    let refused = room.alice.call(edit(&room.alice));
    assert_eq!(refused, Err(RpcError::MESSAGE_AUTHOR_REQUIRED));
    let edited = all(room.bob.call(edit(&room.bob)).unwrap());
    assert!(matches!(
        edited.updates[..],
        [enums::Update::UpdateEditChannelMessage(_)]
    ));
    let pushed = room.carol.pushed_updates();
    let [enums::Update::UpdateEditChannelMessage(update)] = &pushed[..] else {
        panic!("an edit: {pushed:?}");
    };
    assert_eq!(texts_of(std::slice::from_ref(&update.message)), ["Ahoy"]);
    assert_eq!(texts_of(&room.history(&room.alice).unwrap().messages), ["Ahoy"]);
}

#[test]
fn a_list_of_conversations_has_channels_in_their_place_with_what_is_unread() {
    let room = supergroup(5);
    room.say(&room.alice, "one").unwrap();
    room.say(&room.alice, "two").unwrap();
    room.say(&room.bob, "three").unwrap();
    let dialog = room.dialog(&room.bob).unwrap();
    assert_eq!(dialog.unread_count, 3, "one's own are not unread");
    assert_eq!(room.dialog(&room.carol).unwrap().unread_count, 4);
    let full = room.full(&room.bob).unwrap();
    assert_eq!((Some(full.pts), full.unread_count), (dialog.pts, 3));
    assert_eq!(room.dialog(&room.dan), None);
    let dialogs = room.bob.call(functions::messages::GetDialogs {
        limit: 100,
        ..Default::default()
    });
    let enums::messages::Dialogs::Dialogs(dialogs) = dialogs.unwrap() else {
        panic!("all at once");
    };
    assert_eq!(texts_of(&dialogs.messages), ["three"]);
}

#[test]
fn what_is_said_in_a_channel_is_found_there() {
    let room = supergroup(6);
    room.say(&room.alice, "the lighthouse burns").unwrap();
    room.say(&room.alice, "nothing").unwrap();
    let found = room.bob.call(functions::messages::Search {
        peer: room.peer(&room.bob),
        q: "light".into(),
        limit: 10,
        ..Default::default()
    });
    let enums::messages::Messages::ChannelMessages(found) = found.unwrap() else {
        panic!("of a channel");
    };
    assert_eq!(texts_of(&found.messages), ["the lighthouse burns"]);
}

#[test]
fn a_post_that_is_forwarded_leads_to_its_channel() {
    let room = broadcast(7);
    room.say(&room.alice, "News").unwrap();
    let forwarded = room.bob.call(functions::messages::ForwardMessages {
        from_peer: room.peer(&room.bob),
        id: vec![2],
        random_id: vec![9],
        to_peer: enums::InputPeer::InputPeerSelf,
        ..Default::default()
    });
    let forwarded = all(forwarded.unwrap());
    let header = forwarded.updates.iter().find_map(|update| match update {
        enums::Update::UpdateNewMessage(types::UpdateNewMessage {
            message: enums::Message::Message(m),
            ..
        }) => m.fwd_from.clone(),
        _ => None,
    });
    let enums::MessageFwdHeader::MessageFwdHeader(header) = header.unwrap();
    let channel = types::PeerChannel { channel_id: room.id };
    assert_eq!(header.from_id, Some(channel.into()));
    assert_eq!(header.channel_post, Some(2));
    assert!(matches!(forwarded.chats[..], [enums::Chat::Channel(_)]));
}

#[test]
fn a_draft_goes_when_its_message_is_posted() {
    let room = supergroup(8);
    let saved = room.bob.call(functions::messages::SaveDraft {
        peer: room.peer(&room.bob),
        message: "Aho".into(),
        ..Default::default()
    });
    assert_eq!(saved, Ok(true));
    assert!(room.dialog(&room.bob).unwrap().draft.is_some());
    let sent = room.bob.call(functions::messages::SendMessage {
        peer: room.peer(&room.bob),
        message: "Ahoy".into(),
        random_id: 4,
        clear_draft: true,
        ..Default::default()
    });
    assert!(sent.is_ok(), "{sent:?}");
    assert_eq!(room.dialog(&room.bob).unwrap().draft, None);
}

#[test]
fn a_pinned_message_is_pinned_for_everybody_by_who_may() {
    let room = supergroup(9);
    room.say(&room.bob, "Rules").unwrap();
    let id = room.dialog(&room.bob).unwrap().top_message;
    room.forget_pushes();
    let pin = |who| functions::messages::UpdatePinnedMessage {
        peer: room.peer(who),
        id,
        ..Default::default()
    };
    room.alice.call(pin(&room.alice)).unwrap();
    let pushed = room.carol.pushed_updates();
    assert!(matches!(
        pushed[0],
        enums::Update::UpdatePinnedChannelMessages(types::UpdatePinnedChannelMessages { pinned: true, .. })
    ));
    assert_eq!(room.full(&room.carol).unwrap().pinned_msg_id, Some(id));
    assert_eq!(
        room.alice.call(pin(&room.alice)),
        Err(RpcError::CHAT_NOT_MODIFIED)
    );
}

/// More members than a push is rendered for one by one.
const CROWD: usize = 60;

#[test]
fn a_crowd_is_pushed_what_anybody_may_see_and_the_author_their_own() {
    let room = supergroup(10);
    let crowd: Vec<_> = (0..CROWD)
        .map(|n| room.town.person(&format!("79991{n:06}"), "Somebody"))
        .collect();
    for member in &crowd {
        room.invite(&room.alice, &[member]).unwrap();
    }
    let tablet = room.town.second_login(&room.bob);
    room.kick(&room.alice, &crowd[1]).unwrap();
    room.forget_pushes();
    crowd
        .iter()
        .chain([&tablet])
        .for_each(|member| drop(member.pushed()));
    room.say(&room.bob, "Ahoy").unwrap();
    assert_eq!(room.bob.pushed(), [], "the answer told it already");
    let own = room.one_push(&tablet);
    assert!(matches!(&messages(&own.updates)[..], [enums::Message::Message(m)] if m.out));
    let seen = room.one_push(&crowd[0]);
    let [enums::Message::Message(said)] = &messages(&seen.updates)[..] else {
        panic!("a text");
    };
    assert_eq!((said.message.as_str(), said.out), ("Ahoy", false));
    let [enums::User::User(author)] = &seen.users[..] else {
        panic!("its author");
    };
    assert_eq!(
        (author.min, author.access_hash, author.id),
        (true, None, room.bob.user().0)
    );
    assert!(matches!(&seen.chats[..], [enums::Chat::Channel(c)] if c.min && c.title == "Harbour"));
    assert_eq!(crowd[1].pushed(), [], "he was kept out");
    assert_eq!(room.one_push(&crowd[CROWD - 1]).updates, seen.updates);
    let by_message = |msg_id| {
        let author = types::InputUserFromMessage {
            peer: room.peer(&crowd[0]),
            msg_id,
            user_id: room.bob.user().0,
        };
        let id = vec![author.into()];
        crowd[0].call(functions::users::GetUsers { id })
    };
    assert!(by_message(said.id).is_ok_and(|users| users.len() == 1));
    assert_ne!(
        by_message(1),
        by_message(said.id),
        "the first message does not name him"
    );
}

#[test]
fn who_is_typing_is_told_to_members() {
    let room = supergroup(11);
    let typing = |who| functions::messages::SetTyping {
        peer: room.peer(who),
        action: enums::SendMessageAction::SendMessageTypingAction,
        ..Default::default()
    };
    assert_eq!(room.bob.call(typing(&room.bob)), Ok(true));
    for member in [&room.alice, &room.carol] {
        let pushed = room.one_push(member).updates;
        assert!(matches!(pushed[..], [enums::Update::UpdateChannelUserTyping(_)]));
    }
    assert_eq!(room.bob.pushed(), []);
    assert_eq!(room.dan.pushed(), []);
    assert_eq!(room.dan.call(typing(&room.dan)), Err(RpcError::CHANNEL_PRIVATE));
}

#[test]
fn a_photo_is_posted_where_photos_may_be() {
    let room = supergroup(12);
    let enums::InputChatPhoto::InputChatUploadedPhoto(upload) = crate::picture::uploaded(&room.bob) else {
        panic!("an upload");
    };
    let media = types::InputMediaUploadedPhoto {
        file: upload.file.unwrap(),
        ..Default::default()
    };
    let send = |random_id| functions::messages::SendMedia {
        peer: room.peer(&room.bob),
        media: media.clone().into(),
        random_id,
        ..Default::default()
    };
    room.bob.call(send(1)).unwrap();
    let seen = room.one_push(&room.carol);
    assert!(matches!(
        &messages(&seen.updates)[..],
        [enums::Message::Message(m)] if matches!(m.media, Some(enums::MessageMedia::MessageMediaPhoto(_)))
    ));
    let banned = types::ChatBannedRights {
        send_photos: true,
        ..Default::default()
    };
    room.restrict(&room.alice, &room.bob, banned).unwrap();
    drop(crate::picture::uploaded(&room.bob));
    assert_eq!(room.bob.call(send(2)), Err(RpcError::CHAT_SEND_MEDIA_FORBIDDEN));
}

#[test]
fn a_contact_is_shared_in_a_channel_without_a_look_for_its_account() {
    let room = supergroup(13);
    let media = types::InputMediaContact {
        phone_number: "79990000003".into(),
        first_name: "Carol".into(),
        ..Default::default()
    };
    let shared = room.bob.call(functions::messages::SendMedia {
        peer: room.peer(&room.bob),
        media: media.into(),
        random_id: 1,
        ..Default::default()
    });
    let shared = all(shared.unwrap());
    let [enums::Message::Message(message)] = &messages(&shared.updates)[..] else {
        panic!("a message");
    };
    let Some(enums::MessageMedia::MessageMediaContact(contact)) = &message.media else {
        panic!("a contact");
    };
    assert_eq!(
        (contact.phone_number.as_str(), contact.user_id),
        ("79990000003", 0)
    );
}

#[test]
fn a_search_by_author_does_not_say_who_wrote_a_post() {
    let room = broadcast(14);
    room.say(&room.alice, "News").unwrap();
    let written_by = |from| {
        let found = room.bob.call(functions::messages::Search {
            peer: room.peer(&room.bob),
            q: "news".into(),
            from_id: Some(from),
            limit: 10,
            ..Default::default()
        });
        match found.unwrap() {
            enums::messages::Messages::ChannelMessages(found) => texts_of(&found.messages),
            _ => Vec::new(),
        }
    };
    assert_eq!(written_by(room.bob.input_peer_of(&room.alice)), [] as [&str; 0]);
    assert_eq!(written_by(room.peer(&room.bob)), ["News"], "it is the channel's");
}
