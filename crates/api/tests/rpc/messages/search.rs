use havre_api::error::RpcError;
use havre_domain::contacts;
use havre_sim::town::{Client, Town};
use havre_tl::functions::messages::Search;
use havre_tl::{enums, functions, types};

use super::group::{Group, group, ids};
use super::page::{Page, page};

fn search(who: &Client, request: Search) -> Page {
    page(who.call(request).expect("a conversation that is known"))
}

fn with_words(peer: enums::InputPeer, q: &str) -> Search {
    Search {
        peer,
        q: q.into(),
        limit: 100,
        ..Default::default()
    }
}

fn of_kind(peer: enums::InputPeer, filter: enums::MessagesFilter) -> Search {
    Search {
        filter,
        ..with_words(peer, "")
    }
}

#[test]
fn words_are_found_by_their_beginnings_in_one_conversation() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let (to_bob, to_self) = (alice.input_peer_of(&bob), enums::InputPeer::InputPeerSelf);
    for text in [
        "Harbour lights",
        "the LIGHT is on",
        "moonlight",
        "a harbour without",
    ] {
        alice.say(to_bob.clone(), text).unwrap();
    }
    alice.say(to_self.clone(), "light reading").unwrap();
    let found = search(&alice, with_words(to_bob.clone(), "light"));
    assert_eq!(found.texts(), ["the LIGHT is on", "Harbour lights"]);
    assert_eq!((found.count, found.is_whole), (2, true));
    assert_eq!(found.user_ids(), ids(&[&alice, &bob]));
    let both = search(&alice, with_words(to_bob, "harb Light"));
    assert_eq!(both.texts(), ["Harbour lights"]);
    let here = search(&alice, with_words(to_self, "light"));
    assert_eq!(here.texts(), ["light reading"]);
    let signs = search(&alice, with_words(alice.input_peer_of(&bob), "!?"));
    assert_eq!(signs.count, 0, "signs are no words");
    let theirs = search(&bob, with_words(bob.input_peer_of(&alice), "lights"));
    assert_eq!(theirs.texts(), ["Harbour lights"]);
}

#[test]
fn what_was_edited_or_deleted_is_found_as_it_is_now() {
    let town = Town::new(2);
    let alice = town.person("79990000001", "Alice");
    let peer = enums::InputPeer::InputPeerSelf;
    alice.say(peer.clone(), "before").unwrap();
    alice.say(peer.clone(), "gone").unwrap();
    let found = |q| search(&alice, with_words(peer.clone(), q)).ids();
    let (edited, gone) = (found("before")[0], found("gone")[0]);
    let edit = functions::messages::EditMessage {
        peer: peer.clone(),
        id: edited,
        message: Some("after".into()),
        ..Default::default()
    };
    alice.call(edit).unwrap();
    let delete = functions::messages::DeleteMessages {
        revoke: false,
        id: vec![gone],
    };
    alice.call(delete).unwrap();
    assert_eq!(found("before"), [0; 0]);
    assert_eq!(found("gone"), [0; 0]);
    assert_eq!(found("after"), [edited]);
}

/// Alice, Bob and Carol each said three things in the group, a second apart.
fn discussion(seed: u64) -> Group {
    let group = group(seed);
    for n in 0..3 {
        for (name, who) in [("a", &group.alice), ("b", &group.bob), ("c", &group.carol)] {
            group.town.pass(1);
            who.say(group.peer(), &format!("{name}{n} word")).unwrap();
        }
    }
    group
}

#[test]
fn by_author_and_by_date() {
    let group = discussion(3);
    let all = search(&group.alice, with_words(group.peer(), "word"));
    assert_eq!(all.texts().len(), 9);
    let bobs = Search {
        from_id: Some(group.alice.input_peer_of(&group.bob)),
        ..with_words(group.peer(), "")
    };
    let told = search(&group.alice, bobs);
    assert_eq!(
        (told.texts(), told.count),
        (vec!["b2 word", "b1 word", "b0 word"], 3)
    );
    let own = Search {
        from_id: Some(enums::InputPeer::InputPeerSelf),
        ..with_words(group.peer(), "a1")
    };
    assert_eq!(search(&group.alice, own).texts(), ["a1 word"]);
    let date = |n: usize| match &all.messages[n] {
        enums::Message::Message(m) => m.date,
        other => panic!("{other:?}"),
    };
    let between = Search {
        min_date: date(5),
        max_date: date(3),
        ..with_words(group.peer(), "word")
    };
    let told = search(&group.alice, between);
    assert_eq!(told.texts(), ["c1 word", "b1 word", "a1 word"]);
    assert_eq!(told.user_ids(), ids(&[&group.alice, &group.bob, &group.carol]));
    assert_eq!(told.chat_ids(), [group.id]);
}

#[test]
fn pages_say_how_many_there_are_and_where_they_lie() {
    let group = discussion(4);
    let all = search(&group.bob, with_words(group.peer(), "word")).ids();
    for (offset_id, add_offset, limit, expected) in [
        (0, 0, 2, 0..2),
        (0, 4, 3, 4..7),
        (all[3], 0, 2, 4..6),
        (all[3], -1, 1, 3..4),
        (all[3], -2, 4, 2..6),
        (all[1], -5, 9, 0..6),
        (all[8], 0, 5, 9..9),
    ] {
        let told = search(
            &group.bob,
            Search {
                offset_id,
                add_offset,
                limit,
                ..with_words(group.peer(), "word")
            },
        );
        let position = (!expected.is_empty()).then(|| i32::try_from(expected.start).unwrap());
        assert_eq!(told.ids(), all[expected], "{offset_id} {add_offset} {limit}");
        assert_eq!((told.count, told.position), (9, position));
    }
    let bounded = Search {
        max_id: all[1],
        min_id: all[5],
        ..with_words(group.peer(), "word")
    };
    assert_eq!(search(&group.bob, bounded).ids(), all[2..5]);
}

#[test]
fn who_has_it_already_is_told_so() {
    let group = discussion(5);
    let all = search(&group.bob, with_words(group.peer(), "b1"));
    let numbers = all.messages.iter().flat_map(|m| match m {
        enums::Message::Message(m) => [m.id, 0, m.date],
        other => panic!("{other:?}"),
    });
    let request = Search {
        hash: contacts::hash(numbers.map(i64::from)),
        ..with_words(group.peer(), "b1")
    };
    let unmodified = types::messages::MessagesNotModified { count: 1 };
    assert_eq!(group.bob.call(request), Ok(unmodified.into()));
}

fn send(who: &Client, peer: enums::InputPeer, media: enums::InputMedia, random_id: i64) {
    let request = functions::messages::SendMedia {
        peer,
        media,
        random_id,
        ..Default::default()
    };
    who.call(request).unwrap();
}

fn place() -> enums::InputMedia {
    let point = types::InputGeoPoint {
        lat: 49.5,
        long: 0.1,
        ..Default::default()
    };
    types::InputMediaGeoPoint {
        geo_point: point.into(),
    }
    .into()
}

fn contact() -> enums::InputMedia {
    types::InputMediaContact {
        phone_number: "79995550000".into(),
        first_name: "Harbour master".into(),
        ..Default::default()
    }
    .into()
}

#[test]
fn kinds_of_messages() {
    use enums::MessagesFilter as F;
    let group = discussion(6);
    send(&group.alice, group.peer(), place(), 1);
    send(&group.bob, group.peer(), contact(), 2);
    group.carol.say(group.peer(), "see https://example.org").unwrap();
    let all = search(&group.bob, with_words(group.peer(), ""));
    let [url, contact, place] = all.ids()[..3] else {
        panic!("they are the newest")
    };
    let found = |filter| search(&group.bob, of_kind(group.peer(), filter)).ids();
    assert_eq!(found(F::InputMessagesFilterGeo), [place]);
    assert_eq!(found(F::InputMessagesFilterContacts), [contact]);
    assert_eq!(found(F::InputMessagesFilterUrl), [url]);
    assert_eq!(found(F::InputMessagesFilterPhotos), [0; 0]);
    assert_eq!(found(F::InputMessagesFilterPinned), [0; 0]);
    let pin = functions::messages::UpdatePinnedMessage {
        peer: group.peer(),
        id: place,
        ..Default::default()
    };
    group.bob.call(pin).unwrap();
    assert_eq!(found(F::InputMessagesFilterPinned), [place]);
    let words_too = Search {
        q: "nothing".into(),
        ..of_kind(group.peer(), F::InputMessagesFilterUrl)
    };
    assert_eq!(search(&group.bob, words_too).count, 0);
    let calls = types::InputMessagesFilterPhoneCalls { missed: false };
    assert_eq!(found(calls.into()), [0; 0]);
}

#[test]
fn a_thread_is_what_answers_its_first_message() {
    let group = group(8);
    group.alice.say(group.peer(), "question").unwrap();
    let first = search(&group.alice, with_words(group.peer(), "question")).ids()[0];
    let reply = types::InputReplyToMessage {
        reply_to_msg_id: first,
        ..Default::default()
    };
    let answer = functions::messages::SendMessage {
        peer: group.peer(),
        reply_to: Some(reply.into()),
        message: "an answer".into(),
        random_id: 5,
        ..Default::default()
    };
    group.alice.call(answer).unwrap();
    group.alice.say(group.peer(), "an aside").unwrap();
    let in_thread = Search {
        top_msg_id: Some(first),
        ..with_words(group.peer(), "")
    };
    assert_eq!(search(&group.alice, in_thread.clone()).texts(), ["an answer"]);
    let with_word = Search {
        q: "aside".into(),
        ..in_thread
    };
    assert_eq!(search(&group.alice, with_word).count, 0);
}

#[test]
fn refusals() {
    let group = group(9);
    let stranger = types::InputPeerUser {
        user_id: group.dan.user().0,
        access_hash: 0,
    };
    let refused = |request: Search| group.alice.call(request).unwrap_err();
    let unknown = with_words(stranger.clone().into(), "word");
    assert_eq!(refused(unknown), RpcError::PEER_ID_INVALID);
    let nobody = Search {
        from_id: Some(stranger.into()),
        ..with_words(group.peer(), "word")
    };
    assert_eq!(refused(nobody), RpcError::PEER_ID_INVALID);
    let nothing = with_words(enums::InputPeer::InputPeerEmpty, "");
    assert_eq!(refused(nothing), RpcError::SEARCH_QUERY_EMPTY);
}

#[test]
fn who_is_answered_or_named_in_a_group_is_mentioned() {
    let group = group(7);
    let username = functions::account::UpdateUsername {
        username: "Carol_at_sea".into(),
    };
    group.carol.call(username).unwrap();
    group.bob.say(group.peer(), "question").unwrap();
    let asked = search(&group.alice, with_words(group.peer(), "question")).ids()[0];
    let reply = types::InputReplyToMessage {
        reply_to_msg_id: asked,
        ..Default::default()
    };
    let answer = functions::messages::SendMessage {
        peer: group.peer(),
        reply_to: Some(reply.into()),
        message: "\u{1f6a2} @carol_at_sea knows, @nobody_knows".into(),
        random_id: 9,
        ..Default::default()
    };
    group.alice.call(answer).unwrap();
    let mentions = enums::MessagesFilter::InputMessagesFilterMyMentions;
    for who in [&group.bob, &group.carol] {
        let found = search(who, of_kind(group.peer(), mentions.clone()));
        let [enums::Message::Message(message)] = &found.messages[..] else {
            panic!("one mentions them: {found:?}")
        };
        assert!(message.mentioned && message.media_unread);
        assert_eq!(unread_mentions(who), 1);
        let read = functions::messages::ReadMessageContents { id: vec![message.id] };
        who.call(read).unwrap();
        assert_eq!(unread_mentions(who), 0);
    }
    assert_eq!(search(&group.alice, of_kind(group.peer(), mentions)).count, 0);
}

#[test]
fn what_is_pinned_is_found_after_an_edit_too() {
    let group = group(10);
    group.bob.say(group.peer(), "before").unwrap();
    let id = search(&group.bob, with_words(group.peer(), "before")).ids()[0];
    let pin = functions::messages::UpdatePinnedMessage {
        peer: group.peer(),
        id,
        ..Default::default()
    };
    group.bob.call(pin).unwrap();
    let edit = functions::messages::EditMessage {
        peer: group.peer(),
        id,
        message: Some("after".into()),
        ..Default::default()
    };
    group.bob.call(edit).unwrap();
    let pinned = enums::MessagesFilter::InputMessagesFilterPinned;
    for who in [&group.bob, &group.alice] {
        let found = search(who, of_kind(group.peer(), pinned.clone()));
        assert_eq!(found.texts(), ["after"]);
    }
}

fn unread_mentions(who: &Client) -> i32 {
    let request = functions::messages::GetDialogs {
        limit: 1,
        ..Default::default()
    };
    let told = super::list::list(who.call(request).unwrap());
    told.dialogs()[0].unread_mentions_count
}
