//! Supergroups and broadcast channels.

use havre_domain::channel_members::{self, Admin, Limited, Member, Role, Standing};
use havre_domain::channels::{self, Channel};
use havre_domain::ids::{ChannelId, Peer, UserId};
use havre_domain::keys::partition;
use havre_domain::tx::Fault;
use havre_domain::world::World;
use havre_tl::{enums, types};

use super::{Named, chat, peer as wire_peer};

/// A channel as a viewer may see it: `channelForbidden` to who may not read it, `chatEmpty` when there is none.
///
/// # Errors
/// [`Fault`].
pub async fn channel(world: &mut World, viewer: UserId, id: ChannelId) -> Result<enums::Chat, Fault> {
    let now = world.now;
    let access_hash = world.secret.channel_hash(viewer, id);
    let tx = world.view(partition::channel(id));
    let Some(standing) = Standing::load(tx, viewer).await? else {
        return Ok(types::ChatEmpty { id: id.0 }.into());
    };
    if !standing.may_read(now) {
        return Ok(forbidden(id, access_hash, &standing));
    }
    let census = channel_members::census(tx).await?;
    let banned = standing.member.as_ref().and_then(|m| m.limits(now));
    let Standing { channel, member } = &standing;
    Ok(types::Channel {
        creator: standing.is_creator(),
        left: !standing.is_present(),
        broadcast: !channel.megagroup,
        megagroup: channel.megagroup,
        signatures: channel.signatures,
        slowmode_enabled: channel.slow_mode > 0,
        id: id.0,
        access_hash: Some(access_hash),
        title: channel.title.clone(),
        username: channel.username.clone(),
        photo: chat::photo(channel.photo.as_deref()),
        date: member
            .as_ref()
            .filter(|m| m.present)
            .map_or(channel.date, |m| m.date),
        admin_rights: standing.admin().map(Into::into),
        banned_rights: banned.map(Into::into),
        default_banned_rights: Some(channels::banned_rights(channel.default_banned.as_deref()).into()),
        participants_count: Some(census.present),
        ..types::Channel::default()
    }
    .into())
}

/// A channel as anybody may see it who is told of it.
///
/// # Errors
/// [`Fault`].
pub async fn channel_for_all(world: &mut World, id: ChannelId) -> Result<enums::Chat, Fault> {
    let stored = channels::channel(world.view(partition::channel(id))).await?;
    let Some(channel) = stored else {
        return Ok(types::ChatEmpty { id: id.0 }.into());
    };
    Ok(types::Channel {
        min: true,
        broadcast: !channel.megagroup,
        megagroup: channel.megagroup,
        signatures: channel.signatures,
        id: id.0,
        photo: chat::photo(channel.photo.as_deref()),
        title: channel.title,
        username: channel.username,
        date: channel.date,
        ..types::Channel::default()
    }
    .into())
}

/// What is left of a channel for who may not read it.
fn forbidden(id: ChannelId, access_hash: i64, standing: &Standing) -> enums::Chat {
    let Channel { megagroup, title, .. } = &standing.channel;
    let limits = standing.member.as_ref().map(|m| &m.role);
    let until = match limits {
        Some(Role::Limited(limited)) => channels::banned_rights(Some(&limited.rights)).until_date,
        _ => 0,
    };
    types::ChannelForbidden {
        broadcast: !megagroup,
        megagroup: *megagroup,
        monoforum: false,
        id: id.0,
        access_hash,
        title: title.clone(),
        until_date: Some(until).filter(|date| *date != 0),
    }
    .into()
}

/// A channel's photo in full; `photoEmpty` when it has none.
#[must_use]
pub fn full_channel_photo(world: &World, stored: &Channel) -> enums::Photo {
    let photo = chat::full_photo_of(world, stored.photo.as_deref());
    photo.unwrap_or_else(|| types::PhotoEmpty { id: 0 }.into())
}

/// Somebody whom a channel knows, as `viewer` sees them.
#[must_use]
pub fn channel_participant(
    stored: &Channel,
    member: &Member,
    viewer: UserId,
    named: &mut Named,
) -> enums::ChannelParticipant {
    let (user_id, inviter_id, date) = (member.user.0, member.inviter.0, member.date);
    named.users.insert(member.user);
    let is_self = member.user == viewer;
    match &member.role {
        Role::Creator(rank) => types::ChannelParticipantCreator {
            user_id,
            admin_rights: channels::all_rights(stored.megagroup).into(),
            rank: rank.clone(),
        }
        .into(),
        Role::Admin(admin) => administrator(member, admin, viewer, named),
        Role::Limited(limited) => restricted(member, limited, named),
        Role::Plain if is_self => {
            named.users.insert(member.inviter);
            types::ChannelParticipantSelf {
                user_id,
                inviter_id,
                date,
                ..Default::default()
            }
            .into()
        }
        Role::Plain => types::ChannelParticipant {
            user_id,
            date,
            ..Default::default()
        }
        .into(),
    }
}

fn administrator(
    member: &Member,
    admin: &Admin,
    viewer: UserId,
    named: &mut Named,
) -> enums::ChannelParticipant {
    let is_self = member.user == viewer;
    named.users.extend([admin.by, member.inviter]);
    types::ChannelParticipantAdmin {
        can_edit: admin.by == viewer,
        is_self,
        user_id: member.user.0,
        inviter_id: is_self.then_some(member.inviter.0),
        promoted_by: admin.by.0,
        date: member.date,
        admin_rights: channels::admin_rights(&admin.rights).into(),
        rank: admin.rank.clone(),
    }
    .into()
}

fn restricted(member: &Member, limited: &Limited, named: &mut Named) -> enums::ChannelParticipant {
    named.users.insert(limited.by);
    types::ChannelParticipantBanned {
        left: !member.present,
        peer: wire_peer(Peer::User(member.user)),
        kicked_by: limited.by.0,
        date: limited.date,
        banned_rights: channels::banned_rights(Some(&limited.rights)).into(),
        ..Default::default()
    }
    .into()
}
