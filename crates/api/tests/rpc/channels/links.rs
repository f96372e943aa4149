//! Invite links of channels.

use havre_api::error::RpcError;
use havre_sim::town::Client;
use havre_tl::{enums, functions, types};

use super::channel::{actions, all, supergroup};

fn hash(link: &str) -> String {
    link.rsplit('+').next().unwrap_or(link).into()
}

fn import(who: &Client, link: &str) -> Result<types::Updates, RpcError> {
    let hash = hash(link);
    match who.call(functions::messages::ImportChatInvite { hash })? {
        enums::messages::ChatInviteJoinResult::ChatInviteJoinResultOk(ok) => Ok(all(ok.updates)),
        other => panic!("joined at once: {other:?}"),
    }
}

fn check(who: &Client, link: &str) -> Result<enums::ChatInvite, RpcError> {
    let hash = hash(link);
    who.call(functions::messages::CheckChatInvite { hash })
}

#[test]
fn a_private_channel_is_joined_by_a_link_until_it_is_revoked() {
    let room = supergroup(1);
    let export = |who| functions::messages::ExportChatInvite {
        peer: room.peer(who),
        ..Default::default()
    };
    let refused = room.bob.call(export(&room.bob));
    assert_eq!(refused, Err(RpcError::CHAT_ADMIN_REQUIRED));
    let made = room.alice.call(export(&room.alice)).unwrap();
    let enums::ExportedChatInvite::ChatInviteExported(made) = made else {
        panic!("a link");
    };
    let enums::ChatInvite::ChatInvite(seen) = check(&room.dan, &made.link).unwrap() else {
        panic!("he is not in it");
    };
    assert_eq!(
        (seen.title.as_str(), seen.megagroup, seen.participants_count),
        ("Harbour", true, 3)
    );
    let joined = import(&room.dan, &made.link).unwrap();
    let by_link = types::MessageActionChatJoinedByLink {
        inviter_id: room.alice.user().0,
    };
    assert_eq!(actions(&joined.updates), [by_link.into()]);
    let twice = import(&room.dan, &made.link);
    assert_eq!(twice, Err(RpcError::USER_ALREADY_PARTICIPANT));
    assert!(matches!(
        check(&room.dan, &made.link),
        Ok(enums::ChatInvite::ChatInviteAlready(_))
    ));
    room.kick(&room.alice, &room.bob).unwrap();
    assert_eq!(import(&room.bob, &made.link), Err(RpcError::INVITE_HASH_EXPIRED));
    room.leave(&room.dan).unwrap();
    let revoked = room.alice.call(functions::messages::EditExportedChatInvite {
        peer: room.peer(&room.alice),
        link: made.link.clone(),
        revoked: true,
        ..Default::default()
    });
    assert!(revoked.is_ok(), "{revoked:?}");
    assert_eq!(import(&room.dan, &made.link), Err(RpcError::INVITE_HASH_EXPIRED));
    let deleted = room.alice.call(functions::messages::DeleteExportedChatInvite {
        peer: room.peer(&room.alice),
        link: made.link.clone(),
    });
    assert_eq!(deleted, Ok(true));
    assert_eq!(check(&room.dan, &made.link), Err(RpcError::INVITE_HASH_INVALID));
}
