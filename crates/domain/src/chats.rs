//! Basic groups: members and rights. Their messages live in the members' boxes.

use havre_store::Order;
use havre_tl::{Deserialize as _, Serialize as _, enums, types};
use serde::{Deserialize, Serialize};

use crate::ids::{ChannelId, ChatId, MessageId, Origin, Peer, Time, UserId};
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

/// The channel that the group became.
///
/// # Errors
/// [`Fault`].
pub async fn successor(tx: &mut Tx) -> Result<Option<ChannelId>, Fault> {
    tx.get(&keys::successor()).await
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
            media_unread: false,
            content: content.to_vec(),
        };
        tx.send(partition::user(user), &Effect::Arrive(arrival));
    }
    origin
}

/// A group with everybody in it, as a deed works on it. Changes are kept by [`Group::save`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub id: ChatId,
    /// Title, rights, counters.
    pub chat: Chat,
    /// Everybody in it, by id.
    pub members: Vec<Member>,
}

impl Group {
    /// A group that its creator is alone in; nothing is written yet.
    #[must_use]
    pub fn new(id: ChatId, title: String, creator: UserId, now: Time) -> Self {
        Self {
            id,
            chat: Chat {
                title,
                creator,
                date: now.date(),
                ..Chat::default()
            },
            members: Vec::new(),
        }
    }

    /// The group of this partition, if there is one.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn load(tx: &mut Tx, id: ChatId) -> Result<Option<Self>, Fault> {
        let Some(chat) = chat(tx).await? else {
            return Ok(None);
        };
        let members = members(tx).await?;
        Ok(Some(Self { id, chat, members }))
    }

    /// One member.
    #[must_use]
    pub fn member(&self, user: UserId) -> Option<&Member> {
        self.members.iter().find(|m| m.user == user)
    }

    /// Ids of everybody in it.
    #[must_use]
    pub fn people(&self) -> Vec<UserId> {
        self.members.iter().map(|m| m.user).collect()
    }

    /// Whether somebody is its creator or an administrator of it.
    #[must_use]
    pub fn is_admin(&self, user: UserId) -> bool {
        self.member(user)
            .is_some_and(|m| m.admin || m.user == self.chat.creator)
    }

    /// Whether somebody may change title, photo and description.
    #[must_use]
    pub fn may_change_info(&self, user: UserId) -> bool {
        self.is_admin(user) || (self.member(user).is_some() && !default_banned(&self.chat).change_info)
    }

    /// Whether somebody may add people.
    #[must_use]
    pub fn may_invite(&self, user: UserId) -> bool {
        self.is_admin(user) || (self.member(user).is_some() && !default_banned(&self.chat).invite_users)
    }

    /// Whether `actor` may take `user` out: everybody themselves, the creator everybody, administrators
    /// who is not one of them, others whom they brought.
    #[must_use]
    pub fn may_remove(&self, actor: UserId, user: UserId) -> bool {
        let Some(member) = self.member(user) else {
            return false;
        };
        let brought = member.inviter == actor && self.member(actor).is_some();
        actor == user
            || actor == self.chat.creator
            || (!self.is_admin(user) && (self.is_admin(actor) || brought))
    }

    /// Takes somebody in.
    pub fn admit(&mut self, tx: &mut Tx, user: UserId, inviter: UserId, now: Time) {
        let member = Member {
            user,
            inviter,
            date: now.date(),
            admin: false,
        };
        tx.put(keys::member(user), &member);
        let at = self.members.partition_point(|m| m.user < user);
        self.members.insert(at, member);
    }

    /// Takes somebody out. A group that its creator leaves goes to the administrator, or else the
    /// member, who has been in it longest: somebody can always manage it.
    pub fn expel(&mut self, tx: &mut Tx, user: UserId) {
        tx.delete(keys::member(user));
        self.members.retain(|m| m.user != user);
        if self.chat.creator == user
            && let Some(heir) = self.members.iter().min_by_key(|m| (!m.admin, m.date, m.user))
        {
            self.chat.creator = heir.user;
        }
    }

    /// Makes a member an administrator, or an administrator a member. False when nothing changed.
    pub fn appoint(&mut self, tx: &mut Tx, user: UserId, admin: bool) -> bool {
        let member = self
            .members
            .iter_mut()
            .find(|m| m.user == user && m.admin != admin);
        let Some(member) = member else { return false };
        member.admin = admin;
        tx.put(keys::member(user), member);
        true
    }

    /// Sends an effect to the boxes of `to`.
    pub fn tell(&self, tx: &mut Tx, effect: &Effect, to: &[UserId]) {
        for &user in to {
            tx.send(partition::user(user), effect);
        }
    }

    /// Sends a service message to the boxes of `to`.
    pub fn announce(
        &mut self,
        tx: &mut Tx,
        actor: UserId,
        now: Time,
        action: enums::MessageAction,
        to: &[UserId],
    ) {
        let message = types::MessageService {
            action,
            ..types::MessageService::default()
        };
        let content = enums::Message::MessageService(message).to_bytes();
        announce(tx, (self.id, &mut self.chat), actor, now, &content, to);
    }

    /// Stores the group under its next version.
    pub fn save(&mut self, tx: &mut Tx) {
        self.chat.version += 1;
        self.chat.count = i32::try_from(self.members.len()).unwrap_or(i32::MAX);
        tx.put(keys::chat(), &self.chat);
    }
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

/// The group that an invite's hash leads to.
///
/// # Errors
/// [`Fault`].
pub async fn invited_to(tx: &mut Tx) -> Result<Option<ChatId>, Fault> {
    Ok(tx
        .get::<InviteClaim>(&keys::claim())
        .await?
        .map(|claim| claim.chat))
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
