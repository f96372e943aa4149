use havre_api::error::RpcError;
use havre_domain::contacts;
use havre_sim::town::{Client, Town};
use havre_tl::{enums, functions, types};

use super::group::group;
use super::page::{Page, page};

fn history(who: &Client, request: functions::messages::GetHistory) -> Page {
    page(who.call(request).expect("a conversation that is known"))
}

fn whole(who: &Client, peer: enums::InputPeer) -> Page {
    let limit = 100;
    history(
        who,
        functions::messages::GetHistory {
            peer,
            limit,
            ..Default::default()
        },
    )
}

/// Alice and Bob wrote twelve messages, a second apart by threes, with others in between, and one of them is
/// gone.
fn conversation(seed: u64) -> (Town, Client, enums::InputPeer) {
    let town = Town::new(seed);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let carol = town.person("79990000003", "Carol");
    for n in 0..12 {
        if n % 3 == 0 {
            town.pass(1);
        }
        let (from, to) = if n % 2 == 0 {
            (&alice, &bob)
        } else {
            (&bob, &alice)
        };
        from.say(from.input_peer_of(to), &format!("{n}")).unwrap();
        if n % 4 == 1 {
            alice.say(alice.input_peer_of(&carol), "aside").unwrap();
        }
    }
    let peer = alice.input_peer_of(&bob);
    let gone = whole(&alice, peer.clone()).ids()[5];
    let delete = functions::messages::DeleteMessages {
        revoke: false,
        id: vec![gone],
    };
    alice.call(delete).unwrap();
    (town, alice, peer)
}

/// What core.telegram.org/api/offsets says: of all messages newest first, those within the bounds; the page
/// begins `add_offset` after the first one that is older than `offset_id`.
fn expected(all: &[i32], r: &functions::messages::GetHistory) -> Vec<i32> {
    let inside = |id: &&i32| (r.max_id == 0 || **id < r.max_id) && (r.min_id == 0 || **id > r.min_id);
    let inside: Vec<i32> = all.iter().filter(inside).copied().collect();
    let newer = inside.iter().filter(|id| r.offset_id != 0 && **id >= r.offset_id);
    let begin = i32::try_from(newer.count()).unwrap() + r.add_offset;
    let wanted = begin..begin + r.limit;
    let at = (0..).zip(inside);
    at.filter(|(n, _)| wanted.contains(n)).map(|(_, id)| id).collect()
}

#[test]
fn every_form_of_paging_gives_the_documented_page() {
    let (_town, alice, peer) = conversation(1);
    let all = whole(&alice, peer.clone());
    assert_eq!(all.count, 11);
    assert!(all.is_whole);
    let all = all.ids();
    assert!(all.is_sorted_by(|a, b| a > b), "{all:?}");
    let [newest, oldest] = [all[0], all[10]];
    let bounds = [
        (0, 0),
        (all[2], 0),
        (0, all[7]),
        (all[1] + 1, all[8]),
        (all[4], all[3]),
    ];
    for offset_id in [0, newest + 9, newest, all[4], all[4] + 1, all[9], oldest, 1] {
        for add_offset in [-200, -20, -7, -2, -1, 0, 1, 3, 50] {
            for limit in [1, 3, 7, 100] {
                for (max_id, min_id) in bounds {
                    let request = functions::messages::GetHistory {
                        peer: peer.clone(),
                        offset_id,
                        add_offset,
                        limit,
                        max_id,
                        min_id,
                        ..Default::default()
                    };
                    let told = history(&alice, request.clone());
                    assert_eq!(told.ids(), expected(&all, &request), "{request:?}");
                    assert_eq!(told.count, 11);
                }
            }
        }
    }
}

#[test]
fn a_date_gives_what_was_sent_before_it() {
    let (_town, alice, peer) = conversation(2);
    let all = whole(&alice, peer.clone());
    let dates: Vec<i32> = all.messages.iter().map(date).collect();
    for offset_date in dates[10]..=dates[0] + 1 {
        let request = functions::messages::GetHistory {
            peer: peer.clone(),
            offset_date,
            limit: 4,
            ..Default::default()
        };
        let before = all.messages.iter().filter(|m| date(m) < offset_date);
        let before: Vec<enums::Message> = before.take(4).cloned().collect();
        assert_eq!(history(&alice, request).messages, before, "{offset_date}");
    }
    // A client looks for the message at a date: a few before it and the first since.
    let around = functions::messages::GetHistory {
        peer,
        offset_date: dates[3],
        add_offset: -1,
        limit: 2,
        ..Default::default()
    };
    let around: Vec<i32> = history(&alice, around).messages.iter().map(date).collect();
    assert_eq!(around, [dates[3], dates[3] - 1]);
}

fn date(message: &enums::Message) -> i32 {
    match message {
        enums::Message::Message(m) => m.date,
        other => panic!("a text is expected: {other:?}"),
    }
}

#[test]
fn no_limit_is_a_usual_page_and_none_is_longer_than_a_hundred() {
    let town = Town::new(3);
    let alice = town.person("79990000001", "Alice");
    for n in 0..120 {
        alice
            .say(enums::InputPeer::InputPeerSelf, &format!("{n}"))
            .unwrap();
    }
    for (limit, len) in [(0, 20), (7, 7), (1_000, 100), (-1, 0)] {
        let request = functions::messages::GetHistory {
            peer: enums::InputPeer::InputPeerSelf,
            limit,
            ..Default::default()
        };
        let told = history(&alice, request);
        assert_eq!(
            (told.messages.len(), told.count, told.is_whole),
            (len, 120, false)
        );
    }
}

#[test]
fn who_has_it_already_is_told_so_but_never_for_hash_0() {
    let (_town, alice, peer) = conversation(4);
    let all = whole(&alice, peer.clone());
    let numbers = all.messages.iter().flat_map(|m| match m {
        enums::Message::Message(m) => [m.id, m.edit_date.unwrap_or(0), m.date],
        other => panic!("a text is expected: {other:?}"),
    });
    let request = functions::messages::GetHistory {
        hash: contacts::hash(numbers.map(i64::from)),
        limit: 100,
        peer: peer.clone(),
        ..Default::default()
    };
    let unmodified =
        enums::messages::Messages::MessagesNotModified(types::messages::MessagesNotModified { count: 11 });
    assert_eq!(alice.call(request.clone()), Ok(unmodified));
    // Alice edits one of hers: the list is another one.
    let own = all.messages.iter().find_map(|m| match m {
        enums::Message::Message(m) if m.out => Some(m.id),
        _ => None,
    });
    let edit = functions::messages::EditMessage {
        peer: peer.clone(),
        id: own.unwrap(),
        message: Some("other".into()),
        ..Default::default()
    };
    alice.call(edit).unwrap();
    assert_eq!(history(&alice, request).messages.len(), 11);
    let empty = functions::messages::GetHistory {
        peer,
        max_id: 1,
        limit: 10,
        ..Default::default()
    };
    assert_eq!(history(&alice, empty).ids(), [0; 0], "hash 0 of an empty list");
}

#[test]
fn everybody_named_comes_along() {
    let group = group(5);
    group
        .alice
        .say(group.alice.input_peer_of(&group.dan), "Dan's")
        .unwrap();
    let told = whole(&group.alice, group.alice.input_peer_of(&group.dan));
    let forward = functions::messages::ForwardMessages {
        from_peer: group.alice.input_peer_of(&group.dan),
        id: told.ids(),
        random_id: vec![77],
        to_peer: group.peer(),
        ..Default::default()
    };
    group.alice.call(forward).unwrap();
    group.bob.say(group.peer(), "hello").unwrap();
    group.remove(&group.alice, &group.carol).unwrap();
    let told = whole(&group.bob, group.peer());
    assert_eq!(told.chat_ids(), [group.id]);
    assert_eq!(
        told.user_ids(),
        super::group::ids(&[&group.alice, &group.bob, &group.carol])
    );
    assert!(
        told.messages
            .iter()
            .any(|m| matches!(m, enums::Message::MessageService(_)))
    );
}

#[test]
fn an_empty_conversation_and_one_that_is_not_known() {
    let town = Town::new(6);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let told = whole(&alice, alice.input_peer_of(&bob));
    assert_eq!((told.messages.len(), told.count, told.is_whole), (0, 0, true));
    let refused = |peer| {
        let request = functions::messages::GetHistory {
            peer,
            limit: 1,
            ..Default::default()
        };
        alice.call(request).unwrap_err()
    };
    let stranger = types::InputPeerUser {
        user_id: bob.user().0,
        access_hash: 0,
    };
    let chat = types::InputPeerChat { chat_id: 5 };
    assert_eq!(refused(stranger.into()), RpcError::PEER_ID_INVALID);
    assert_eq!(refused(chat.into()), RpcError::PEER_ID_INVALID);
    assert_eq!(
        refused(enums::InputPeer::InputPeerEmpty),
        RpcError::PEER_ID_INVALID
    );
}
