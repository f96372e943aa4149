//! Coming, going, being kept out, and leading: `channels.joinChannel`, `leaveChannel`, `inviteToChannel`,
//! `editBanned`, `editAdmin`, `getParticipants`, `getParticipant`.

use havre_api::error::RpcError;
use havre_tl::{enums, functions, types};

use super::channel::{actions, broadcast, ids, people_of, supergroup, texts};

fn recent() -> enums::ChannelParticipantsFilter {
    enums::ChannelParticipantsFilter::ChannelParticipantsRecent
}

fn kicked() -> enums::ChannelParticipantsFilter {
    types::ChannelParticipantsKicked { q: String::new() }.into()
}

#[test]
fn who_is_brought_in_is_told_and_hears_what_is_said_from_then_on() {
    let room = supergroup(1);
    room.say(&room.alice, "before").unwrap();
    room.forget_pushes();
    let invited = room.invite(&room.bob, &[&room.dan]).unwrap();
    assert_eq!(invited.missing_invitees, []);
    let added = types::MessageActionChatAddUser {
        users: vec![room.dan.user().0],
    };
    assert_eq!(actions(&room.carol.pushed_updates()), [added.into()]);
    let told = room.dan.pushed_updates();
    let news = types::UpdateChannel { channel_id: room.id };
    assert!(told.contains(&news.into()), "{told:?}");
    let pts = room.full(&room.dan).unwrap().pts;
    let too_long = types::UpdateChannelTooLong {
        channel_id: room.id,
        pts: Some(pts),
    };
    assert!(told.contains(&too_long.into()), "{told:?}");
    assert_eq!(
        room.dialog(&room.dan).unwrap().unread_count,
        1,
        "only that he came"
    );
    room.say(&room.alice, "after").unwrap();
    assert_eq!(texts(&room.dan.pushed_updates()), ["after"]);
    let members = room.participants(&room.dan, recent()).unwrap();
    assert_eq!(people_of(&members.participants), ids(&room.everybody()));
    assert_eq!(members.count, 4);
}

#[test]
fn who_does_not_want_to_be_brought_in_is_named_as_missing() {
    let room = supergroup(2);
    let block = functions::contacts::Block {
        id: room.dan.input_peer_of(&room.alice),
        ..Default::default()
    };
    room.dan.call(block).unwrap();
    room.forget_pushes();
    let invited = room.invite(&room.alice, &[&room.dan]).unwrap();
    let [enums::MissingInvitee::MissingInvitee(missing)] = &invited.missing_invitees[..] else {
        panic!("one is missing");
    };
    assert_eq!(missing.user_id, room.dan.user().0);
    assert_eq!(room.dan.pushed(), []);
}

#[test]
fn a_public_channel_is_joined_and_left() {
    let room = supergroup(3);
    assert_eq!(room.join(&room.dan), Err(RpcError::CHANNEL_PRIVATE));
    room.publish("harbour");
    room.say(&room.alice, "open to all").unwrap();
    assert_eq!(room.history(&room.dan).unwrap().messages.len(), 3);
    room.forget_pushes();
    let joined = room.join(&room.dan).unwrap();
    let added = types::MessageActionChatAddUser {
        users: vec![room.dan.user().0],
    };
    assert_eq!(actions(&joined.updates), [added.into()]);
    assert_eq!(room.dan.pushed(), [], "the answer told it");
    assert_eq!(room.join(&room.dan), Err(RpcError::USER_ALREADY_PARTICIPANT));
    room.say(&room.dan, "hello").unwrap();
    assert_eq!(texts(&room.bob.pushed_updates()), ["hello"]);
    room.leave(&room.dan).unwrap();
    assert_eq!(room.leave(&room.dan), Err(RpcError::USER_NOT_PARTICIPANT));
    room.forget_pushes();
    room.say(&room.alice, "he is gone").unwrap();
    assert_eq!(room.dan.pushed(), []);
    assert_eq!(room.dialog(&room.dan), None);
    let enums::Chat::Channel(seen) = room.seen_by(&room.dan) else {
        panic!("still public");
    };
    assert!(seen.left);
    assert_eq!(seen.participants_count, Some(3));
}

#[test]
fn a_ban_takes_effect_at_once_and_for_good() {
    let room = supergroup(4);
    room.publish("harbour");
    room.forget_pushes();
    assert_eq!(
        room.kick(&room.bob, &room.carol),
        Err(RpcError::CHAT_ADMIN_REQUIRED)
    );
    room.kick(&room.alice, &room.bob).unwrap();
    let told = room.one_push(&room.bob);
    let news = types::UpdateChannel { channel_id: room.id };
    assert_eq!(told.updates, [news.into()]);
    assert!(matches!(told.chats[..], [enums::Chat::ChannelForbidden(_)]));
    room.say(&room.alice, "without him").unwrap();
    assert_eq!(room.bob.pushed(), []);
    assert_eq!(room.say(&room.bob, "why"), Err(RpcError::CHANNEL_PRIVATE));
    assert_eq!(room.history(&room.bob), Err(RpcError::CHANNEL_PRIVATE));
    assert_eq!(room.difference(&room.bob, 1, 10), Err(RpcError::CHANNEL_PRIVATE));
    assert_eq!(room.join(&room.bob), Err(RpcError::CHANNEL_PRIVATE));
    let out = room.participants(&room.alice, kicked()).unwrap();
    assert_eq!((out.count, people_of(&out.participants)), (1, ids(&[&room.bob])));
    let hidden = room.participants(&room.carol, kicked());
    assert_eq!(hidden, Err(RpcError::CHAT_ADMIN_REQUIRED));
    let full = room.full(&room.alice).unwrap();
    assert_eq!((full.kicked_count, full.participants_count), (Some(1), Some(2)));
    room.restrict(&room.alice, &room.bob, types::ChatBannedRights::default())
        .unwrap();
    room.join(&room.bob).unwrap();
    assert_eq!(room.participants(&room.alice, kicked()).unwrap().count, 0);
}

#[test]
fn a_ban_ends_at_its_date() {
    let room = supergroup(5);
    room.publish("harbour");
    let until_date = room.town.api().world().now.date() + 100;
    let banned = types::ChatBannedRights {
        view_messages: true,
        until_date,
        ..Default::default()
    };
    room.restrict(&room.alice, &room.bob, banned).unwrap();
    assert_eq!(room.join(&room.bob), Err(RpcError::CHANNEL_PRIVATE));
    room.town.pass(101);
    room.join(&room.bob).unwrap();
    room.say(&room.bob, "back").unwrap();
    let out = room.participants(&room.alice, kicked()).unwrap();
    assert_eq!(
        (out.count, out.participants),
        (0, Vec::new()),
        "he is a member like others"
    );
}

#[test]
fn a_ban_that_would_end_at_once_never_ends() {
    let room = supergroup(10);
    room.publish("harbour");
    let until_date = room.town.api().world().now.date() + 10;
    let banned = types::ChatBannedRights {
        view_messages: true,
        until_date,
        ..Default::default()
    };
    room.restrict(&room.alice, &room.bob, banned).unwrap();
    room.town.pass(11);
    assert_eq!(room.join(&room.bob), Err(RpcError::CHANNEL_PRIVATE));
}

#[test]
fn who_may_not_write_reads_on() {
    let room = supergroup(6);
    let mute = types::ChatBannedRights {
        send_messages: true,
        ..Default::default()
    };
    room.restrict(&room.alice, &room.bob, mute).unwrap();
    assert_eq!(room.say(&room.bob, "psst"), Err(RpcError::USER_BANNED_IN_CHANNEL));
    room.forget_pushes();
    room.say(&room.alice, "news").unwrap();
    assert_eq!(texts(&room.bob.pushed_updates()), ["news"]);
    room.leave(&room.bob).unwrap();
    room.invite(&room.alice, &[&room.bob]).unwrap();
    let still = room.say(&room.bob, "psst");
    assert_eq!(
        still,
        Err(RpcError::USER_BANNED_IN_CHANNEL),
        "leaving is no way out"
    );
}

#[test]
fn an_administrator_gives_only_what_they_have() {
    let room = supergroup(7);
    let rights = types::ChatAdminRights {
        add_admins: true,
        ban_users: true,
        ..Default::default()
    };
    room.appoint(&room.alice, &room.bob, rights.clone()).unwrap();
    let told = room.bob.pushed_updates();
    let news = types::UpdateChannel { channel_id: room.id };
    assert!(told.contains(&news.into()));
    let more = types::ChatAdminRights {
        change_info: true,
        ..rights.clone()
    };
    assert_eq!(
        room.appoint(&room.bob, &room.carol, more),
        Err(RpcError::RIGHT_FORBIDDEN)
    );
    let gives = types::ChatAdminRights {
        ban_users: true,
        ..Default::default()
    };
    room.appoint(&room.bob, &room.carol, gives).unwrap();
    assert_eq!(
        room.kick(&room.carol, &room.bob),
        Err(RpcError::USER_ADMIN_INVALID)
    );
    assert_eq!(
        room.kick(&room.bob, &room.alice),
        Err(RpcError::USER_ADMIN_INVALID)
    );
    let admins = enums::ChannelParticipantsFilter::ChannelParticipantsAdmins;
    let admins = room.participants(&room.carol, admins).unwrap();
    let appointed = ids(&[&room.alice, &room.bob, &room.carol]);
    assert_eq!(people_of(&admins.participants), appointed);
    let none = types::ChatAdminRights::default();
    room.appoint(&room.alice, &room.carol, none).unwrap();
    assert_eq!(
        room.kick(&room.carol, &room.dan),
        Err(RpcError::CHAT_ADMIN_REQUIRED)
    );
    let creator = room.appoint(&room.bob, &room.alice, rights);
    assert_eq!(creator, Err(RpcError::USER_CREATOR));
}

#[test]
fn who_is_in_a_broadcast_channel_is_its_administrators_to_know() {
    let room = broadcast(8);
    let seen = room.participants(&room.bob, recent());
    assert_eq!(seen, Err(RpcError::CHAT_ADMIN_REQUIRED));
    let seen = room.participants(&room.alice, recent()).unwrap();
    assert_eq!(seen.count, 3);
    let participant = |who: &havre_sim::town::Client, whom| {
        who.call(functions::channels::GetParticipant {
            channel: room.input(who),
            participant: whom,
        })
    };
    let own = participant(&room.bob, enums::InputPeer::InputPeerSelf).unwrap();
    let enums::channels::ChannelParticipant::ChannelParticipant(own) = own;
    assert!(matches!(
        own.participant,
        enums::ChannelParticipant::ChannelParticipantSelf(_)
    ));
    let carol = participant(&room.bob, room.bob.input_peer_of(&room.carol));
    assert_eq!(carol, Err(RpcError::CHAT_ADMIN_REQUIRED));
    let dan = participant(&room.alice, room.alice.input_peer_of(&room.dan));
    assert_eq!(dan, Err(RpcError::USER_NOT_PARTICIPANT));
    assert_eq!(
        room.history(&room.bob).unwrap().messages.len(),
        1,
        "nobody hears who comes"
    );
}

#[test]
fn members_are_found_by_the_beginning_of_a_name() {
    let room = supergroup(9);
    let search = |q: &str| {
        let filter = types::ChannelParticipantsSearch { q: q.into() }.into();
        let found = room.participants(&room.bob, filter).unwrap();
        people_of(&found.participants)
    };
    assert_eq!(search("caR"), ids(&[&room.carol]));
    assert_eq!(search("arol"), [] as [i64; 0]);
    assert_eq!(search("dan"), [] as [i64; 0], "he is not in it");
}

#[test]
fn whoever_comes_and_goes_too_often_has_to_wait_and_nobody_else() {
    let room = broadcast(1);
    room.publish("harbour_news");
    let refused = loop {
        if let Err(refused) = room.leave(&room.bob).and_then(|_| room.join(&room.bob)) {
            break refused;
        }
    };
    assert_eq!(refused.code, 420, "{refused:?}");
    room.join(&room.dan).unwrap();
}
