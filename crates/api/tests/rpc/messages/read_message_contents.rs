use havre_api::error::RpcError;
use havre_sim::town::{Client, Town};
use havre_tl::functions::messages::ReadMessageContents;
use havre_tl::{enums, functions, types};

use super::page::page;

/// Sends a voice note.
fn send_voice(from: &Client, to: &Client, n: i64) {
    let part = functions::upload::SaveFilePart {
        file_id: n,
        file_part: 0,
        bytes: b"OggS".to_vec(),
    };
    assert_eq!(from.call(part), Ok(true));
    let file = types::InputFile {
        id: n,
        parts: 1,
        name: "voice.ogg".into(),
        md5_checksum: String::new(),
    };
    let voice = types::DocumentAttributeAudio {
        voice: true,
        duration: 3,
        ..Default::default()
    };
    let media = types::InputMediaUploadedDocument {
        file: file.into(),
        mime_type: "audio/ogg".into(),
        attributes: vec![voice.into()],
        ..Default::default()
    };
    let send = functions::messages::SendMedia {
        peer: from.input_peer_of(to),
        media: media.into(),
        random_id: n,
        ..Default::default()
    };
    from.call(send).unwrap();
}

/// Ids of a private chat's messages, newest first, and which of them wait to be heard.
fn history(who: &Client, with: &Client) -> Vec<(i32, bool)> {
    let request = functions::messages::GetHistory {
        peer: who.input_peer_of(with),
        limit: 10,
        ..Default::default()
    };
    let told = page(who.call(request).unwrap());
    let unread = told.messages.iter().map(|message| match message {
        enums::Message::Message(m) => (m.id, m.media_unread),
        other => panic!("{other:?}"),
    });
    unread.collect()
}

fn read(who: &Client, id: Vec<i32>) -> types::messages::AffectedMessages {
    let enums::messages::AffectedMessages::AffectedMessages(affected) =
        who.call(ReadMessageContents { id }).unwrap();
    affected
}

fn pts(who: &Client) -> i32 {
    let enums::updates::State::State(state) = who.call(functions::updates::GetState {}).unwrap();
    state.pts
}

fn read_told(updates: &[enums::Update]) -> Vec<Vec<i32>> {
    let read = updates.iter().map(|update| match update {
        enums::Update::UpdateReadMessagesContents(u) => u.messages.clone(),
        other => panic!("{other:?}"),
    });
    read.collect()
}

#[test]
fn own_logins_and_authors_are_told_that_voice_notes_were_heard() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    let tablet = town.second_login(&bob);
    alice.say(alice.input_peer_of(&bob), "listen").unwrap();
    send_voice(&alice, &bob, 1);
    send_voice(&alice, &bob, 2);
    let [(second, true), (first, true), (text, false)] = history(&bob, &alice)[..] else {
        panic!("two wait to be heard: {:?}", history(&bob, &alice))
    };
    for one in [&alice, &bob, &tablet] {
        drop(one.pushed());
    }
    let before = pts(&bob);
    let affected = read(&bob, vec![first, second, text, 9_999]);
    assert_eq!((affected.pts, affected.pts_count), (before + 2, 2));
    assert_eq!(read_told(&tablet.pushed_updates()), [[first, second]]);
    assert_eq!(
        history(&bob, &alice),
        [(second, false), (first, false), (text, false)]
    );
    let told: Vec<i32> = read_told(&alice.pushed_updates()).concat();
    let theirs = history(&alice, &bob);
    assert_eq!(told, [theirs[1].0, theirs[0].0]);
    assert!(theirs.iter().all(|(_, unread)| !unread));
    let again = read(&bob, vec![first, second]);
    assert_eq!((again.pts, again.pts_count), (before + 2, 0));
    assert_eq!(tablet.pushed(), []);
    assert_eq!(alice.pushed(), []);
}

#[test]
fn who_sent_it_cannot_hear_it_for_the_other() {
    let town = Town::new(2);
    let alice = town.person("79990000001", "Alice");
    let bob = town.person("79990000002", "Bob");
    send_voice(&alice, &bob, 1);
    let [(own, true)] = history(&alice, &bob)[..] else {
        panic!("it waits to be heard")
    };
    assert_eq!(read(&alice, vec![own]).pts_count, 0);
    assert!(matches!(history(&alice, &bob)[..], [(_, true)]));
    assert!(matches!(history(&bob, &alice)[..], [(_, true)]));
}

#[test]
fn too_many_at_once() {
    let town = Town::new(3);
    let alice = town.person("79990000001", "Alice");
    let refused = alice.call(ReadMessageContents { id: vec![1; 101] });
    assert_eq!(refused.unwrap_err(), RpcError::LIMIT_INVALID);
}
