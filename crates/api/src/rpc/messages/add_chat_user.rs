//! `messages.addChatUser`: takes somebody into a basic group, with some of what was said before.

use havre_domain::chats::Group;
use havre_domain::ids::{ChatId, MessageId, Peer, UserId};
use havre_domain::keys::partition;
use havre_domain::limits::{CHAT_MEMBERS_MAX, IDS_MAX};
use havre_domain::messages::{self, Arrival, Message};
use havre_domain::outbox::Effect;
use havre_store::Order;
use havre_tl::{enums, functions, types};

use super::groups;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. Somebody whose privacy settings forbid it is not added and named as missing.
///
/// # Errors
/// `400 CHAT_ID_INVALID`, `400 CHAT_ADMIN_REQUIRED`, `400 USER_ALREADY_PARTICIPANT`, `400 USERS_TOO_MUCH`,
/// `400 USER_ID_INVALID`, `400 INPUT_USER_DEACTIVATED`.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::AddChatUser,
) -> Result<enums::messages::InvitedUsers, Error> {
    let (me, now) = (cx.me()?, cx.world.now);
    let before = cx.cursor().await?;
    let mut group = groups::group(cx, ChatId(request.chat_id)).await?;
    let user = groups::addable(cx, &request.user_id).await?;
    check(&group, me, user)?;
    if !groups::lets_be_added(cx, user).await? {
        return Ok(types::messages::InvitedUsers {
            updates: types::Updates {
                date: now.date(),
                ..types::Updates::default()
            }
            .into(),
            missing_invitees: vec![groups::missing(user)],
        }
        .into());
    }
    let earlier = earlier(cx, group.id, user, request.fwd_limit).await?;
    let tx = cx.world.subject(partition::chat(group.id))?;
    for arrival in earlier {
        tx.send(partition::user(user), &Effect::Arrive(arrival));
    }
    group.admit(tx, user, me, now);
    let action = types::MessageActionChatAddUser { users: vec![user.0] };
    let told = group.people();
    let updates = groups::publish(cx, group, action.into(), &told, before).await?;
    Ok(types::messages::InvitedUsers {
        updates: updates.into(),
        missing_invitees: Vec::new(),
    }
    .into())
}

fn check(group: &Group, me: UserId, user: UserId) -> Result<(), RpcError> {
    if group.member(user).is_some() {
        return Err(RpcError::USER_ALREADY_PARTICIPANT);
    }
    if !group.may_invite(me) {
        return Err(RpcError::CHAT_ADMIN_REQUIRED);
    }
    if group.members.len() >= CHAT_MEMBERS_MAX {
        return Err(RpcError::USERS_TOO_MUCH);
    }
    Ok(())
}

/// The newest messages of the group in the asker's box that the newcomer does not have, oldest first.
async fn earlier(cx: &mut Cx, id: ChatId, newcomer: UserId, limit: i32) -> Result<Vec<Arrival>, Error> {
    let peer = Peer::Chat(id);
    let limit = usize::try_from(limit).unwrap_or(0).min(IDS_MAX);
    let (first, last) = (MessageId(0), MessageId(i32::MAX));
    let newest = messages::page(cx.view_own()?, peer, first, last, Order::Descending, limit).await?;
    let mut arrivals = Vec::with_capacity(newest.len());
    for (_, message) in newest.into_iter().rev() {
        let own = message.origin.source == Peer::User(newcomer);
        // Service messages tell of the group's past members; they are not history to hand on.
        if own || matches!(message.origin.source, Peer::Chat(_)) {
            continue;
        }
        let known = messages::local_id(cx.world.view_user(newcomer), newcomer, message.origin).await?;
        if known.is_none() {
            arrivals.push(arrival(cx, peer, message).await?);
        }
    }
    Ok(arrivals)
}

async fn arrival(cx: &mut Cx, peer: Peer, message: Message) -> Result<Arrival, Error> {
    let reply = match message.reply {
        Some(id) => messages::find_in(cx.view_own()?, peer, id).await?,
        None => None,
    };
    Ok(Arrival {
        peer,
        from: message.from,
        date: message.date,
        origin: message.origin,
        reply: reply.map(|m| m.origin),
        media_unread: false,
        content: message.content,
    })
}
