//! Basic groups: members and rights. Their messages live in the members' boxes.

use havre_store::Order;
use havre_tl::{Deserialize as _, enums, types};
use serde::{Deserialize, Serialize};

use crate::ids::{ChatId, MessageId, Origin, Peer, Time, UserId};
use crate::keys::{self, partition};
use crate::limits::CHAT_MEMBERS_MAX;
use crate::messages::Arrival;
use crate::outbox::Effect;
use crate::tx::{Fault, Tx};

/// A basic group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chat {
    /// Title.
    pub title: String,
    /// Description.
    pub about: String,
    /// Photo, TL of the canonical layer (`photo`).
    pub photo: Option<Vec<u8>>,
    /// Who made it.
    pub creator: UserId,
    /// When.
    pub date: i32,
    /// Grows with every change of members or rights.
    pub version: i32,
    /// Members now.
    pub count: i32,
    /// What members may not do, TL of the canonical layer (`chatBannedRights`).
    pub default_banned: Option<Vec<u8>>,
    /// Nobody may write any more.
    pub deactivated: bool,
    /// Service messages so far; names their origins.
    pub service_count: i32,
}

/// A member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    pub user: UserId,
    /// Who brought them.
    pub inviter: UserId,
    /// When.
    pub date: i32,
    /// May do what the creator may, except to appoint others.
    pub admin: bool,
}

/// The group, if there is one.
///
/// # Errors
/// [`Fault`]; so for everything here.
pub async fn chat(tx: &mut Tx) -> Result<Option<Chat>, Fault> {
    tx.get(&keys::chat()).await
}

/// Everybody in the group.
///
/// # Errors
/// [`Fault`].
pub async fn members(tx: &mut Tx) -> Result<Vec<Member>, Fault> {
    let records = tx
        .records(&keys::members(), Order::Ascending, CHAT_MEMBERS_MAX)
        .await?;
    Ok(records.into_iter().map(|(_, member)| member).collect())
}

/// One member.
///
/// # Errors
/// [`Fault`].
pub async fn member(tx: &mut Tx, user: UserId) -> Result<Option<Member>, Fault> {
    tx.get(&keys::member(user)).await
}

/// Sends a service message to the boxes of `to`. `content` is TL of the canonical layer
/// (`messageService`); `chat` is the group as it will be stored.
pub fn announce(
    tx: &mut Tx,
    (id, chat): (ChatId, &mut Chat),
    actor: UserId,
    now: Time,
    content: &[u8],
    to: &[UserId],
) -> Origin {
    chat.service_count += 1;
    let origin = Origin {
        source: Peer::Chat(id),
        id: MessageId(chat.service_count),
    };
    for &user in to {
        let arrival = Arrival {
            peer: Peer::Chat(id),
            from: actor,
            date: now.date(),
            origin,
            reply: None,
            mentioned: false,
            media_unread: false,
            content: content.to_vec(),
        };
        tx.send(partition::user(user), &Effect::Arrive(arrival));
    }
    origin
}

/// Where an invite's hash leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteClaim {
    /// The group.
    pub chat: ChatId,
}

/// Makes an invite's hash lead to a group, or nowhere.
pub fn claim_invite(tx: &mut Tx, chat: Option<ChatId>) {
    match chat {
        Some(chat) => tx.put(keys::claim(), &InviteClaim { chat }),
        None => tx.delete(keys::claim()),
    }
}

/// Whether a member may write: the creator and administrators always, others unless the group says no.
#[must_use]
pub fn may_write(chat: &Chat, member: &Member) -> bool {
    let banned = default_banned(chat);
    member.admin || member.user == chat.creator || !(banned.send_messages || banned.send_plain)
}

/// What members may not do.
#[must_use]
pub fn default_banned(chat: &Chat) -> types::ChatBannedRights {
    match chat
        .default_banned
        .as_deref()
        .map(enums::ChatBannedRights::from_bytes)
    {
        Some(Ok(enums::ChatBannedRights::ChatBannedRights(rights))) => rights,
        _ => types::ChatBannedRights::default(),
    }
}
