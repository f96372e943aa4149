//! `messages.deleteMessages`: messages of the asker's box, and with `revoke` everybody's copies.

use std::collections::BTreeMap;

use havre_domain::chats;
use havre_domain::ids::{MessageId, Origin, Peer, UserId};
use havre_domain::keys::partition;
use havre_domain::limits::IDS_MAX;
use havre_domain::messages::{self, Message};
use havre_domain::outbox::Effect;
use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 LIMIT_INVALID` for too many at once, `403 MESSAGE_DELETE_FORBIDDEN` for somebody else's message in
/// a group, for everybody, by who is no administrator.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::DeleteMessages,
) -> Result<enums::messages::AffectedMessages, Error> {
    if request.id.len() > IDS_MAX {
        return Err(RpcError::LIMIT_INVALID.into());
    }
    let ids: Vec<MessageId> = request.id.iter().copied().map(MessageId).collect();
    let now = cx.world.now;
    let deleted = messages::delete(cx.own()?, now, &ids).await?;
    if request.revoke {
        revoke(cx, &deleted.messages).await?;
    }
    let pts_count = i32::try_from(deleted.messages.len()).unwrap_or(i32::MAX);
    Ok(types::messages::AffectedMessages {
        pts: deleted.pts.0,
        pts_count,
    }
    .into())
}

/// Deletes the copies in everybody else's box.
///
/// # Errors
/// As for [`call`].
pub async fn revoke(cx: &mut Cx, deleted: &[(Peer, MessageId, Message)]) -> Result<(), Error> {
    let mut by_person: BTreeMap<UserId, Vec<Origin>> = BTreeMap::new();
    for (peer, _, message) in deleted {
        for other in others(cx, *peer, message).await? {
            by_person.entry(other).or_default().push(message.origin);
        }
    }
    let tx = cx.own()?;
    for (other, origins) in by_person {
        tx.send(partition::user(other), &Effect::Deleted { origins });
    }
    Ok(())
}

/// Who else has a copy that the asker may delete.
async fn others(cx: &mut Cx, peer: Peer, message: &Message) -> Result<Vec<UserId>, Error> {
    let me = cx.me()?;
    let chat = match peer {
        Peer::User(user) if user == me => return Ok(Vec::new()),
        // In a private chat both may delete everything for both.
        Peer::User(user) => return Ok(vec![user]),
        Peer::Chat(chat) => chat,
        // No box holds a channel's.
        Peer::Channel(_) => return Ok(Vec::new()),
    };
    let tx = cx.world.view(partition::chat(chat));
    let creator = chats::chat(tx).await?.is_some_and(|c| c.creator == me);
    let members = chats::members(tx).await?;
    let Some(member) = members.iter().find(|m| m.user == me) else {
        return Ok(Vec::new());
    };
    if !(message.out || creator || member.admin) {
        return Err(RpcError::MESSAGE_DELETE_FORBIDDEN.into());
    }
    Ok(members
        .iter()
        .map(|m| m.user)
        .filter(|user| *user != me)
        .collect())
}
