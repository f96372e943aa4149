use havre_api::error::RpcError;
use havre_sim::town::Client;
use havre_tl::functions::messages::SearchGlobal;
use havre_tl::{enums, functions, types};

use super::group::{Group, group, ids};
use super::page::{Page, page};

fn search(who: &Client, request: SearchGlobal) -> Page {
    page(who.call(request).expect("it is searched"))
}

fn with_words(q: &str) -> SearchGlobal {
    SearchGlobal {
        q: q.into(),
        limit: 100,
        ..Default::default()
    }
}

/// Alice hears of lights from Bob in the group and from Dan in private, and notes some herself.
fn talk(seed: u64) -> Group {
    let group = group(seed);
    group.bob.say(group.peer(), "lights in the group").unwrap();
    group.town.pass(1);
    group
        .dan
        .say(group.dan.input_peer_of(&group.alice), "lights of Dan")
        .unwrap();
    group.town.pass(1);
    group
        .alice
        .say(enums::InputPeer::InputPeerSelf, "lights of mine")
        .unwrap();
    group
}

#[test]
fn words_in_all_own_conversations_and_no_others() {
    let group = talk(1);
    let found = search(&group.alice, with_words("light"));
    assert_eq!(
        found.texts(),
        ["lights of mine", "lights of Dan", "lights in the group"]
    );
    assert!(found.is_whole);
    assert_eq!(found.user_ids(), ids(&[&group.alice, &group.bob, &group.dan]));
    assert_eq!(found.chat_ids(), [group.id]);
    assert_eq!(
        search(&group.carol, with_words("light")).texts(),
        ["lights in the group"]
    );
    assert_eq!(search(&group.carol, with_words("mine")).count, 0);
}

#[test]
fn by_kind_of_conversation_by_folder_and_by_date() {
    let group = talk(2);
    let found = |request: SearchGlobal| -> Vec<String> {
        let found = search(&group.alice, request);
        found.texts().into_iter().map(str::to_owned).collect()
    };
    let groups = SearchGlobal {
        groups_only: true,
        ..with_words("lights")
    };
    assert_eq!(found(groups), ["lights in the group"]);
    let users = SearchGlobal {
        users_only: true,
        ..with_words("lights")
    };
    assert_eq!(found(users), ["lights of mine", "lights of Dan"]);
    let broadcasts = SearchGlobal {
        broadcasts_only: true,
        ..with_words("lights")
    };
    assert_eq!(found(broadcasts), [""; 0]);
    let archived = types::InputFolderPeer {
        peer: group.peer(),
        folder_id: 1,
    };
    let folder_peers = vec![archived.into()];
    group
        .alice
        .call(functions::folders::EditPeerFolders { folder_peers })
        .unwrap();
    for (folder, expected) in [
        (1, vec!["lights in the group"]),
        (0, vec!["lights of mine", "lights of Dan"]),
    ] {
        let in_folder = SearchGlobal {
            folder_id: Some(folder),
            ..with_words("lights")
        };
        assert_eq!(found(in_folder), expected);
    }
    let all = search(&group.alice, with_words("lights"));
    let enums::Message::Message(dans) = &all.messages[1] else {
        panic!("a text")
    };
    let between = SearchGlobal {
        min_date: dans.date,
        max_date: dans.date,
        ..with_words("lights")
    };
    assert_eq!(found(between), ["lights of Dan"]);
}

#[test]
fn pages_go_on_from_the_last_message_and_the_last_has_no_rate() {
    let group = talk(3);
    let (mut request, mut seen) = (with_words("lights"), Vec::new());
    request.limit = 1;
    for left in [2, 1, 0] {
        let answer = group.alice.call(request.clone()).unwrap();
        let enums::messages::Messages::MessagesSlice(slice) = &answer else {
            panic!("three there are in all: {answer:?}")
        };
        assert_eq!(slice.count, 3);
        assert_eq!(slice.next_rate.is_some(), left > 0, "{left} are left");
        request.offset_rate = slice.next_rate.unwrap_or_default();
        let found = page(answer);
        request.offset_id = found.ids()[0];
        let enums::Message::Message(last) = &found.messages[0] else {
            panic!("a text")
        };
        request.offset_peer = match &last.peer_id {
            enums::Peer::PeerChat(p) => types::InputPeerChat { chat_id: p.chat_id }.into(),
            enums::Peer::PeerUser(p) if p.user_id == group.dan.user().0 => {
                group.alice.input_peer_of(&group.dan)
            }
            _ => enums::InputPeer::InputPeerSelf,
        };
        seen.extend(found.texts().into_iter().map(str::to_owned).collect::<Vec<_>>());
    }
    assert_eq!(seen, ["lights of mine", "lights of Dan", "lights in the group"]);
}

#[test]
fn by_kind_of_message_without_words() {
    let group = talk(4);
    group
        .dan
        .say(group.dan.input_peer_of(&group.alice), "https://example.org")
        .unwrap();
    group.bob.say(group.peer(), "see https://example.com").unwrap();
    let links = SearchGlobal {
        filter: enums::MessagesFilter::InputMessagesFilterUrl,
        ..with_words("")
    };
    let found = search(&group.alice, links.clone());
    assert_eq!(found.texts(), ["see https://example.com", "https://example.org"]);
    let one = SearchGlobal {
        q: "see".into(),
        ..links
    };
    assert_eq!(search(&group.alice, one).texts(), ["see https://example.com"]);
}

#[test]
fn neither_words_nor_kind() {
    let group = talk(5);
    for q in ["", " "] {
        let refused = group.alice.call(with_words(q)).unwrap_err();
        assert_eq!(refused, RpcError::SEARCH_QUERY_EMPTY);
    }
    assert_eq!(search(&group.alice, with_words("!?")).count, 0);
    let elsewhere = SearchGlobal {
        folder_id: Some(9),
        ..with_words("lights")
    };
    assert_eq!(
        group.alice.call(elsewhere).unwrap_err(),
        RpcError::FOLDER_ID_INVALID
    );
}
