use havre_api::error::RpcError;
use havre_sim::town::{Client, Town};
use havre_tl::functions::messages::SaveDraft;
use havre_tl::{enums, functions, types};

use super::list::{List, list};

fn save(who: &Client, peer: enums::InputPeer, text: &str) -> Result<bool, RpcError> {
    who.call(SaveDraft {
        peer,
        message: text.into(),
        ..Default::default()
    })
}

/// Whose draft it is, and its text.
fn drafts(updates: &[enums::Update]) -> Vec<(i64, Option<String>)> {
    let draft = |update: &enums::Update| match update {
        enums::Update::UpdateDraftMessage(u) => Some((super::list::number(&u.peer), text(&u.draft))),
        _ => None,
    };
    updates.iter().filter_map(draft).collect()
}

fn text(draft: &enums::DraftMessage) -> Option<String> {
    match draft {
        enums::DraftMessage::DraftMessage(draft) => Some(draft.message.clone()),
        enums::DraftMessage::DraftMessageEmpty(_) => None,
    }
}

fn listed(who: &Client) -> List {
    let request = functions::messages::GetDialogs {
        limit: 100,
        ..Default::default()
    };
    list(who.call(request).unwrap())
}

fn listed_draft(who: &Client) -> Option<String> {
    listed(who).dialogs()[0].draft.as_ref().and_then(text)
}

#[test]
fn other_logins_are_told_and_the_conversation_shows_it() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let tablet = town.second_login(&alice);
    let bob = town.person("79990000002", "Bob");
    let peer = alice.input_peer_of(&bob);
    assert_eq!(save(&alice, peer.clone(), "not yet"), Ok(true));
    let to_bob = |text: Option<&str>| (bob.user().0, text.map(str::to_owned));
    assert_eq!(drafts(&tablet.pushed_updates()), [to_bob(Some("not yet"))]);
    assert_eq!(
        drafts(&alice.pushed_updates()),
        [],
        "who wrote it may have written on since"
    );
    let shown = listed(&tablet);
    assert_eq!(
        shown.peers(),
        [bob.user().0],
        "a conversation of a draft alone is listed"
    );
    assert_eq!(listed_draft(&tablet).as_deref(), Some("not yet"));
    assert_eq!(bob.pushed_updates(), [], "nobody else learns of it");
    assert_eq!(save(&alice, peer.clone(), "not yet"), Ok(true));
    assert_eq!(tablet.pushed_updates(), [], "it was so already");
    assert_eq!(save(&alice, peer, ""), Ok(true));
    assert_eq!(drafts(&tablet.pushed_updates()), [to_bob(None)]);
    assert_eq!(listed(&tablet).rows.len(), 0);
}

#[test]
fn sending_clears_it_only_when_the_client_says_so() {
    let town = Town::new(2);
    let alice = town.person("79990000001", "Alice");
    let tablet = town.second_login(&alice);
    let bob = town.person("79990000002", "Bob");
    let peer = alice.input_peer_of(&bob);
    save(&alice, peer.clone(), "draft").unwrap();
    drop(tablet.pushed());
    alice.say(peer.clone(), "something else").unwrap();
    assert_eq!(drafts(&tablet.pushed_updates()), []);
    assert_eq!(listed_draft(&alice).as_deref(), Some("draft"));
    let send = functions::messages::SendMessage {
        clear_draft: true,
        peer,
        message: "draft".into(),
        random_id: 7,
        ..Default::default()
    };
    alice.call(send).unwrap();
    assert_eq!(drafts(&tablet.pushed_updates()), [(bob.user().0, None)]);
    assert_eq!(listed_draft(&alice), None);
}

#[test]
fn it_keeps_entities_and_what_it_answers() {
    let town = Town::new(3);
    let alice = town.person("79990000001", "Alice");
    let reply = types::InputReplyToMessage {
        reply_to_msg_id: 1,
        ..Default::default()
    };
    let bold = types::MessageEntityBold { offset: 0, length: 4 };
    let request = SaveDraft {
        no_webpage: true,
        peer: enums::InputPeer::InputPeerSelf,
        reply_to: Some(reply.clone().into()),
        message: "bold".into(),
        entities: Some(vec![bold.clone().into()]),
        ..Default::default()
    };
    alice.call(request).unwrap();
    let told = listed(&alice);
    let Some(enums::DraftMessage::DraftMessage(draft)) = &told.dialogs()[0].draft else {
        panic!("it is shown")
    };
    assert_eq!(draft.reply_to, Some(reply.into()));
    assert_eq!(draft.entities, Some(vec![bold.into()]));
    assert!(draft.no_webpage);
}

#[test]
fn a_conversation_of_a_draft_alone_has_its_place_by_the_draft() {
    let world = super::list::talkative(4, 2);
    let stranger = world.town.person("79991112233", "Stranger");
    world.town.pass(1);
    save(&world.me, world.me.input_peer_of(&stranger), "hello?").unwrap();
    let [zero, one] = world.ids(&[0, 1])[..] else {
        panic!("two")
    };
    assert_eq!(listed(&world.me).peers(), [stranger.user().0, one, zero]);
}

#[test]
fn refusals() {
    let town = Town::new(5);
    let alice = town.person("79990000001", "Alice");
    let refused = |peer, text: &str| save(&alice, peer, text).unwrap_err();
    assert_eq!(
        refused(enums::InputPeer::InputPeerEmpty, "x"),
        RpcError::PEER_ID_INVALID
    );
    let long = "x".repeat(4097);
    assert_eq!(
        refused(enums::InputPeer::InputPeerSelf, &long),
        RpcError::MESSAGE_TOO_LONG
    );
}
