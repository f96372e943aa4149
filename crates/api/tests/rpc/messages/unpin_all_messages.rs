use havre_api::error::RpcError;
use havre_sim::town::Client;
use havre_tl::functions::messages::UnpinAllMessages;
use havre_tl::{enums, functions, types};

use super::group::{Group, group};
use super::page::page;

fn unpin_all(who: &Client, peer: enums::InputPeer) -> Result<types::messages::AffectedHistory, RpcError> {
    let request = UnpinAllMessages {
        peer,
        ..Default::default()
    };
    let enums::messages::AffectedHistory::AffectedHistory(affected) = who.call(request)?;
    Ok(affected)
}

/// Ids of the pinned messages in somebody's box, newest first.
fn pinned(who: &Client, group: &Group) -> Vec<i32> {
    let request = functions::messages::Search {
        peer: group.peer(),
        filter: enums::MessagesFilter::InputMessagesFilterPinned,
        limit: 100,
        ..Default::default()
    };
    page(who.call(request).unwrap()).ids()
}

fn three_pinned(seed: u64) -> Group {
    let group = group(seed);
    for n in 0..4 {
        group.bob.say(group.peer(), &format!("{n}")).unwrap();
    }
    let request = functions::messages::GetHistory {
        peer: group.peer(),
        limit: 3,
        ..Default::default()
    };
    for id in page(group.bob.call(request).unwrap()).ids() {
        let pin = functions::messages::UpdatePinnedMessage {
            silent: true,
            peer: group.peer(),
            id,
            ..Default::default()
        };
        group.bob.call(pin).unwrap();
    }
    for one in [&group.alice, &group.bob, &group.carol] {
        drop(one.pushed());
    }
    group
}

#[test]
fn nothing_is_pinned_any_more_for_anybody() {
    let group = three_pinned(1);
    let tablet = group.town.second_login(&group.alice);
    let enums::updates::State::State(before) = group.alice.call(functions::updates::GetState {}).unwrap();
    let theirs = [&group.bob, &group.carol].map(|who| pinned(who, &group));
    let own = pinned(&group.alice, &group);
    assert_eq!(own.len(), 3);
    let affected = unpin_all(&group.alice, group.peer()).unwrap();
    assert_eq!((affected.pts, affected.pts_count), (before.pts + 3, 3));
    assert_eq!(affected.offset, 0, "nothing is left to ask for");
    let told = [
        (&tablet, own),
        (&group.bob, theirs[0].clone()),
        (&group.carol, theirs[1].clone()),
    ];
    for (who, mut expected) in told {
        assert_eq!(pinned(who, &group), [0; 0]);
        let updates = who.pushed_updates();
        let mut unpinned: Vec<i32> = Vec::new();
        for update in &updates {
            match update {
                enums::Update::UpdatePinnedMessages(u) if !u.pinned => unpinned.extend(&u.messages),
                other => panic!("{other:?}"),
            }
        }
        unpinned.sort_unstable();
        expected.sort_unstable();
        assert_eq!(unpinned, expected);
    }
    let again = unpin_all(&group.alice, group.peer()).unwrap();
    assert_eq!((again.pts, again.pts_count), (before.pts + 3, 0));
}

#[test]
fn only_who_may_pin_may_unpin() {
    let group = three_pinned(2);
    group.ban(types::ChatBannedRights {
        pin_messages: true,
        ..Default::default()
    });
    let refused = unpin_all(&group.bob, group.peer()).unwrap_err();
    assert_eq!(refused, RpcError::CHAT_ADMIN_REQUIRED);
    assert_eq!(pinned(&group.alice, &group).len(), 3);
    assert_eq!(unpin_all(&group.alice, group.peer()).unwrap().pts_count, 3);
    let unknown = unpin_all(&group.alice, enums::InputPeer::InputPeerEmpty).unwrap_err();
    assert_eq!(unknown, RpcError::PEER_ID_INVALID);
}
