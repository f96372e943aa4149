//! Who is mentioned in a group, and how that is consumed.

use super::group::{Group, group};
use havre_api::error::RpcError;
use havre_sim::Client;
use havre_tl::{enums, functions, types};

/// Sends a message, maybe as an answer to another one.
fn say(g: &Group, by: &Client, message: types::Message, answered: Option<i32>) -> i32 {
    let reply_to = answered.map(|reply_to_msg_id| {
        types::InputReplyToMessage {
            reply_to_msg_id,
            ..Default::default()
        }
        .into()
    });
    let sent = by.call(functions::messages::SendMessage {
        peer: g.peer(),
        message: message.message,
        entities: message.entities,
        reply_to,
        random_id: i64::from(g.town.env().draw(1 << 30) as u32) + 1,
        ..Default::default()
    });
    match sent.unwrap() {
        enums::Updates::Updates(u) => match u.updates.first() {
            Some(enums::Update::UpdateMessageID(u)) => u.id,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn text(message: &str) -> types::Message {
    types::Message {
        message: message.into(),
        ..Default::default()
    }
}

/// Ids of new messages that are pushed as mentions, and how many are not.
fn heard(who: &Client) -> (Vec<i32>, usize) {
    let (mut mentions, mut others) = (Vec::new(), 0);
    for update in who.pushed_updates() {
        if let enums::Update::UpdateNewMessage(u) = update
            && let enums::Message::Message(m) = u.message
        {
            assert_eq!(m.mentioned, m.media_unread, "a mention waits to be seen");
            if m.mentioned {
                mentions.push(m.id);
            } else {
                others += 1;
            }
        }
    }
    (mentions, others)
}

fn waiting(g: &Group, who: &Client) -> i32 {
    let peers = vec![types::InputDialogPeer { peer: g.peer() }.into()];
    let dialogs = who.call(functions::messages::GetPeerDialogs { peers }).unwrap();
    let enums::messages::PeerDialogs::PeerDialogs(dialogs) = dialogs;
    match &dialogs.dialogs[..] {
        [enums::Dialog::Dialog(dialog)] => dialog.unread_mentions_count,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_username_a_link_and_an_answer_are_mentions() {
    let g = group(1);
    let username = "Bob_of_the_harbour".into();
    let named = g.bob.call(functions::account::UpdateUsername { username });
    named.unwrap();
    for person in [&g.alice, &g.bob, &g.carol] {
        drop(person.pushed());
    }
    let hello = text("hello @bob_of_the_HARBOUR, hello all");
    say(&g, &g.alice, hello, None);
    let (bobs, others) = heard(&g.bob);
    assert_eq!((bobs.len(), others), (1, 0));
    assert_eq!(heard(&g.carol), (vec![], 1));
    let link = types::InputMessageEntityMentionName {
        offset: 0,
        length: 4,
        user_id: g.alice.input_user_of(&g.carol),
    };
    let entities = Some(vec![link.into()]);
    let dear = types::Message {
        entities,
        ..text("dear friend")
    };
    say(&g, &g.alice, dear, None);
    assert_eq!(heard(&g.carol).0.len(), 1);
    assert_eq!(heard(&g.bob), (vec![], 1));
    say(&g, &g.bob, text("hello yourself"), Some(bobs[0]));
    assert_eq!(heard(&g.alice).0.len(), 1);
    assert_eq!(heard(&g.carol), (vec![], 1));
    assert_eq!([&g.alice, &g.bob, &g.carol].map(|p| waiting(&g, p)), [1, 1, 1]);
}

#[test]
fn mentions_are_consumed_once_and_found_afterwards() {
    let g = group(2);
    say(&g, &g.bob, text("say something"), None);
    let alices = g
        .alice
        .pushed_updates()
        .into_iter()
        .find_map(|update| match update {
            enums::Update::UpdateNewMessage(types::UpdateNewMessage {
                message: enums::Message::Message(m),
                ..
            }) => Some(m.id),
            _ => None,
        });
    drop(g.bob.pushed());
    say(&g, &g.alice, text("something"), alices);
    let (mentions, _) = heard(&g.bob);
    let [mention] = mentions[..] else {
        panic!("one answer: {mentions:?}")
    };
    assert_eq!(waiting(&g, &g.bob), 1);
    for count in [1, 0] {
        let id = vec![mention, mention];
        let read = g.bob.call(functions::messages::ReadMessageContents { id });
        let enums::messages::AffectedMessages::AffectedMessages(read) = read.unwrap();
        assert_eq!((read.pts_count, waiting(&g, &g.bob)), (count, 0));
    }
    let found = g.bob.call(functions::messages::Search {
        peer: g.peer(),
        filter: enums::MessagesFilter::InputMessagesFilterMyMentions,
        limit: 10,
        ..Default::default()
    });
    let enums::messages::Messages::Messages(found) = found.unwrap() else {
        panic!("one message")
    };
    assert_eq!(found.messages.len(), 1);
}

/// Whoever is named by a link is shown to everybody who reads it: only whom the writer knows can be.
#[test]
fn nobody_is_named_without_their_access_hash() {
    let g = group(3);
    let send = |entity: enums::MessageEntity| {
        g.alice.call(functions::messages::SendMessage {
            peer: g.peer(),
            message: "look".into(),
            entities: Some(vec![entity]),
            random_id: i64::from(g.town.env().draw(1 << 30) as u32) + 1,
            ..Default::default()
        })
    };
    let (offset, length, user_id) = (0, 4, g.dan.user().0);
    let guess = types::InputUser {
        user_id,
        access_hash: 1,
    };
    let input = types::InputMessageEntityMentionName {
        offset,
        length,
        user_id: guess.into(),
    };
    let refused = send(input.into()).unwrap_err();
    assert_eq!(refused, RpcError::ENTITY_MENTION_USER_INVALID);
    drop(g.bob.pushed());
    let bare = types::MessageEntityMentionName {
        offset,
        length,
        user_id,
    };
    send(bare.into()).unwrap();
    let pushed = format!("{:?}", g.bob.pushed());
    assert!(!pushed.contains(&user_id.to_string()), "{pushed}");
}
