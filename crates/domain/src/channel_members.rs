//! Who is in a channel, who leads it, who may not write or come in. The channel's partition has the truth; a
//! person's has a row for each channel that they are in, which follows by an effect.

use havre_store::Order;
use havre_tl::types;
use serde::{Deserialize, Serialize};

use crate::channels::{self, Channel};
use crate::dialogs;
use crate::ids::{ChannelId, MessageId, Peer, Time, UserId};
use crate::keys::{self, partition};
use crate::limits::CHANNELS_MAX;
use crate::outbox::Effect;
use crate::tx::{Fault, Tx};
use crate::updates::{self, Event};

/// Somebody whom a channel knows: who is in it, or may not come in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    pub user: UserId,
    /// Who brought them; themselves when they came by name or link.
    pub inviter: UserId,
    /// When they came.
    pub date: i32,
    /// In the channel now.
    pub present: bool,
    /// What they are.
    pub role: Role,
}

/// What somebody is in a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// A member like others.
    Plain,
    /// Who made it, with a title of their own.
    Creator(Option<String>),
    /// An administrator.
    Admin(Admin),
    /// May do less than others, down to not even coming in.
    Limited(Limited),
}

/// What an administrator may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admin {
    /// TL of the canonical layer (`chatAdminRights`).
    pub rights: Vec<u8>,
    /// Who appointed them.
    pub by: UserId,
    /// Their title.
    pub rank: Option<String>,
}

/// What somebody may not do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limited {
    /// TL of the canonical layer (`chatBannedRights`).
    pub rights: Vec<u8>,
    /// Who restricted them.
    pub by: UserId,
    /// When.
    pub date: i32,
}

/// Kinds that members are listed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Seat {
    /// In the channel.
    Present = 1,
    /// The creator and administrators.
    Admin = 2,
    /// May not come in.
    Kicked = 3,
    /// May do less than others.
    Restricted = 4,
}

/// How many of each kind there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Census {
    /// In the channel.
    pub present: i32,
    /// The creator and administrators.
    pub admins: i32,
    /// May not come in.
    pub kicked: i32,
    /// May do less than others.
    pub restricted: i32,
}

impl Census {
    fn of(&mut self, seat: Seat) -> &mut i32 {
        match seat {
            Seat::Present => &mut self.present,
            Seat::Admin => &mut self.admins,
            Seat::Kicked => &mut self.kicked,
            Seat::Restricted => &mut self.restricted,
        }
    }
}

impl Member {
    /// What they may not do, as long as that holds.
    #[must_use]
    pub fn limits(&self, now: Time) -> Option<types::ChatBannedRights> {
        match &self.role {
            Role::Limited(limited) => {
                let rights = channels::banned_rights(Some(&limited.rights));
                channels::holds(&rights, now).then_some(rights)
            }
            _ => None,
        }
    }

    /// What they may do as an administrator.
    #[must_use]
    pub fn admin_rights(&self, channel: &Channel) -> Option<types::ChatAdminRights> {
        match &self.role {
            Role::Creator(_) => Some(channels::all_rights(channel.megagroup)),
            Role::Admin(admin) => Some(channels::admin_rights(&admin.rights)),
            _ => None,
        }
    }

    /// Where they are listed, with the date that decides the place.
    fn seats(&self) -> Vec<(Seat, i32)> {
        let mut seats = Vec::new();
        if self.present {
            seats.push((Seat::Present, self.date));
        }
        match &self.role {
            Role::Plain => {}
            Role::Creator(_) | Role::Admin(_) => seats.push((Seat::Admin, self.date)),
            Role::Limited(limited) => {
                let kicked = channels::banned_rights(Some(&limited.rights)).view_messages;
                let seat = if kicked { Seat::Kicked } else { Seat::Restricted };
                seats.push((seat, limited.date));
            }
        }
        seats
    }
}

/// A channel as somebody stands to it, both read from one snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The channel.
    pub channel: Channel,
    /// Them, if the channel knows them.
    pub member: Option<Member>,
}

impl Standing {
    /// How somebody stands to the channel of this partition; nothing when there is none.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn load(tx: &mut Tx, user: UserId) -> Result<Option<Self>, Fault> {
        tx.fetch_ahead(&[keys::channel(), keys::attendant(user)]).await?;
        let Some(channel) = channels::channel(tx).await? else {
            return Ok(None);
        };
        let member = member(tx, user).await?;
        Ok(Some(Self { channel, member }))
    }

    /// Whether they are in it.
    #[must_use]
    pub fn is_present(&self) -> bool {
        self.member.as_ref().is_some_and(|m| m.present)
    }

    /// Whether they may not come in.
    #[must_use]
    pub fn is_kicked(&self, now: Time) -> bool {
        let limits = self.member.as_ref().and_then(|m| m.limits(now));
        limits.is_some_and(|limits| limits.view_messages)
    }

    /// Whether they may read what is said in it: members, and everybody in a public one.
    #[must_use]
    pub fn may_read(&self, now: Time) -> bool {
        let open = self.is_present() || self.channel.username.is_some();
        open && !self.channel.deleted && !self.is_kicked(now)
    }

    /// What they may do as an administrator; nothing for who is none.
    #[must_use]
    pub fn admin(&self) -> Option<types::ChatAdminRights> {
        self.member.as_ref()?.admin_rights(&self.channel)
    }

    /// Whether they made it.
    #[must_use]
    pub fn is_creator(&self) -> bool {
        matches!(self.member.as_ref().map(|m| &m.role), Some(Role::Creator(_)))
    }

    /// What they may not do: as all members, and by what is said of them alone. Administrators are free.
    #[must_use]
    pub fn banned(&self, now: Time) -> Vec<types::ChatBannedRights> {
        if self.admin().is_some() {
            return Vec::new();
        }
        let of_all = channels::banned_rights(self.channel.default_banned.as_deref());
        let own = self.member.as_ref().and_then(|m| m.limits(now));
        std::iter::once(of_all).chain(own).collect()
    }

    /// Whether they may do what members of a supergroup may unless a right is taken from them, and
    /// administrators of a channel with the right to it.
    #[must_use]
    pub fn may(
        &self,
        now: Time,
        banned: fn(&types::ChatBannedRights) -> bool,
        granted: fn(&types::ChatAdminRights) -> bool,
    ) -> bool {
        if let Some(rights) = self.admin() {
            return granted(&rights);
        }
        self.channel.megagroup && self.is_present() && !self.banned(now).iter().any(banned)
    }

    /// Whether they may write.
    #[must_use]
    pub fn may_post(&self, now: Time) -> bool {
        let writes = |rights: &types::ChatAdminRights| rights.post_messages;
        match self.admin() {
            _ if self.channel.deleted => false,
            Some(_) if self.channel.megagroup => self.is_present(),
            Some(rights) => writes(&rights),
            None => self.may(
                now,
                |b| b.view_messages || b.send_messages || b.send_plain,
                writes,
            ),
        }
    }
}

/// Somebody whom the channel knows.
///
/// # Errors
/// [`Fault`]; so for everything here.
pub async fn member(tx: &mut Tx, user: UserId) -> Result<Option<Member>, Fault> {
    tx.get(&keys::attendant(user)).await
}

/// How many of each kind there are.
///
/// # Errors
/// [`Fault`].
pub async fn census(tx: &mut Tx) -> Result<Census, Fault> {
    Ok(tx.get(&keys::census()).await?.unwrap_or_default())
}

/// Members of a kind, who came last first: `limit` of them after the first `offset`.
///
/// # Errors
/// [`Fault`].
pub async fn page(tx: &mut Tx, seat: Seat, offset: usize, limit: usize) -> Result<Vec<Member>, Fault> {
    let span = keys::seats(seat as u8);
    let seats = tx
        .range(&span, Order::Descending, offset.saturating_add(limit))
        .await?;
    let users = seats
        .iter()
        .skip(offset)
        .filter_map(|(key, _)| keys::user_of(key));
    let attendants: Vec<_> = users.map(keys::attendant).collect();
    Ok(tx.get_many(&attendants).await?.into_iter().flatten().collect())
}

/// Puts somebody into a new place, `None` into none, and keeps lists and counts true.
///
/// # Errors
/// [`Fault`].
pub async fn set(tx: &mut Tx, user: UserId, new: Option<Member>) -> Result<(), Fault> {
    let old = member(tx, user).await?;
    let mut census = census(tx).await?;
    for (seat, date) in old.iter().flat_map(Member::seats) {
        tx.delete(keys::seat(seat as u8, date, user));
        *census.of(seat) -= 1;
    }
    for (seat, date) in new.iter().flat_map(Member::seats) {
        tx.put(keys::seat(seat as u8, date, user), &());
        *census.of(seat) += 1;
    }
    tx.put(keys::census(), &census);
    match new {
        Some(member) => tx.put(keys::attendant(user), &member),
        None => tx.delete(keys::attendant(user)),
    }
    Ok(())
}

/// Takes somebody in, and lets their box know. False when they were in it already.
///
/// # Errors
/// [`Fault`].
pub async fn admit(
    tx: &mut Tx,
    now: Time,
    id: ChannelId,
    user: UserId,
    inviter: UserId,
) -> Result<bool, Fault> {
    let known = member(tx, user).await?;
    if known.as_ref().is_some_and(|m| m.present) {
        return Ok(false);
    }
    let role = match known {
        // A restriction outlasts coming and going; a ban ends when somebody takes them in after all.
        Some(m) => match m.limits(now) {
            Some(limits) if !limits.view_messages => m.role,
            None if !matches!(m.role, Role::Limited(_)) => m.role,
            _ => Role::Plain,
        },
        None => Role::Plain,
    };
    let member = Member {
        user,
        inviter,
        date: now.date(),
        present: true,
        role,
    };
    set(tx, user, Some(member)).await?;
    let read = updates::counters(tx).await?.last_id;
    let date = now.date();
    let joined = Effect::Joined {
        channel: id,
        joined: Joined { date },
        read,
    };
    tx.send(partition::user(user), &joined);
    Ok(true)
}

/// Takes somebody out, and lets their box know. What they were restricted to stays with the channel, as does
/// who made it.
///
/// # Errors
/// [`Fault`].
pub async fn dismiss(tx: &mut Tx, id: ChannelId, user: UserId) -> Result<(), Fault> {
    let Some(mut member) = member(tx, user).await? else {
        return Ok(());
    };
    if std::mem::take(&mut member.present) {
        tx.send(partition::user(user), &Effect::Parted(id));
    }
    let stays = matches!(member.role, Role::Limited(_) | Role::Creator(_));
    set(tx, user, stays.then_some(member)).await
}

/// A channel that a person is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// Since when.
    pub date: i32,
}

/// The channels that a person is in.
///
/// # Errors
/// [`Fault`].
pub async fn joined(tx: &mut Tx) -> Result<Vec<ChannelId>, Fault> {
    let rows = tx
        .range(&keys::all_joined(), Order::Ascending, CHANNELS_MAX)
        .await?;
    Ok(rows.iter().filter_map(|(key, _)| keys::joined_of(key)).collect())
}

/// Whether a person is in a channel, by their own box.
///
/// # Errors
/// [`Fault`].
pub async fn is_in(tx: &mut Tx, channel: ChannelId) -> Result<bool, Fault> {
    Ok(tx.get::<Joined>(&keys::joined(channel)).await?.is_some())
}

/// Notes in a person's box that they are in a channel. What was said before is not new to them.
///
/// # Errors
/// [`Fault`].
pub(crate) async fn joins(
    tx: &mut Tx,
    now: Time,
    channel: ChannelId,
    joined: Joined,
    read: MessageId,
) -> Result<(), Fault> {
    tx.put(keys::joined(channel), &joined);
    dialogs::change(tx, Peer::Channel(channel), |d| {
        d.read_inbox = d.read_inbox.max(read)
    })
    .await?;
    updates::append(tx, now, Event::Channel(channel)).await.map(drop)
}

/// Notes in a person's box that they are in a channel no more.
///
/// # Errors
/// [`Fault`].
pub(crate) async fn parts(tx: &mut Tx, now: Time, channel: ChannelId) -> Result<(), Fault> {
    tx.delete(keys::joined(channel));
    let peer = Peer::Channel(channel);
    let dialog = dialogs::change(tx, peer, |d| (d.draft, d.marked_unread) = (None, false)).await?;
    if dialog.pinned {
        let mut order = dialogs::pins(tx, dialog.folder).await?;
        order.retain(|p| *p != peer);
        dialogs::set_pins(tx, dialog.folder, order).await?;
    }
    updates::append(tx, now, Event::Channel(channel)).await.map(drop)
}
