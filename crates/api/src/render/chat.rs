//! Basic groups.

use havre_domain::chats::{self, Chat, Member};
use havre_domain::ids::{ChannelId, ChatId, UserId};
use havre_domain::invites::Link;
use havre_domain::keys::partition;
use havre_domain::tx::Fault;
use havre_domain::world::World;
use havre_tl::{Deserialize as _, enums, types};

use super::{Named, reference};

/// A group as a viewer may see it: `chatForbidden` to who is not in it, `chatEmpty` when there is none.
///
/// # Errors
/// [`Fault`].
pub async fn chat_or_forbidden(world: &mut World, viewer: UserId, id: ChatId) -> Result<enums::Chat, Fault> {
    let tx = world.view(partition::chat(id));
    let Some(stored) = chats::chat(tx).await? else {
        return Ok(types::ChatEmpty { id: id.0 }.into());
    };
    let successor = chats::successor(tx).await?;
    match chats::member(tx, viewer).await? {
        Some(member) => {
            let migrated_to = successor.map(|channel| input_channel(world, viewer, channel));
            Ok(types::Chat {
                migrated_to,
                ..chat(id, &stored, &member)
            }
            .into())
        }
        None => Ok(types::ChatForbidden {
            id: id.0,
            title: stored.title,
        }
        .into()),
    }
}

fn input_channel(world: &World, viewer: UserId, channel: ChannelId) -> enums::InputChannel {
    types::InputChannel {
        channel_id: channel.0,
        access_hash: world.secret.channel_hash(viewer, channel),
    }
    .into()
}

/// A group as a member sees it.
#[must_use]
pub fn chat(id: ChatId, stored: &Chat, viewer: &Member) -> types::Chat {
    let creator = stored.creator == viewer.user;
    types::Chat {
        creator,
        deactivated: stored.deactivated,
        id: id.0,
        title: stored.title.clone(),
        photo: photo(stored.photo.as_deref()),
        participants_count: stored.count,
        date: stored.date,
        version: stored.version,
        admin_rights: (viewer.admin && !creator).then(admin_rights),
        default_banned_rights: Some(default_banned(stored)),
        ..types::Chat::default()
    }
}

/// What members may not do. It does not end, and is shown so: TDLib complains of rights that ended long ago.
pub fn default_banned(stored: &Chat) -> enums::ChatBannedRights {
    types::ChatBannedRights {
        until_date: i32::MAX,
        ..chats::default_banned(stored)
    }
    .into()
}

/// What an administrator of a basic group may do: everything but to appoint others.
fn admin_rights() -> enums::ChatAdminRights {
    types::ChatAdminRights {
        change_info: true,
        delete_messages: true,
        ban_users: true,
        invite_users: true,
        pin_messages: true,
        manage_call: true,
        other: true,
        ..types::ChatAdminRights::default()
    }
    .into()
}

/// An invite link as administrators see it. Its address is under `t.me` because that is the form which
/// client libraries recognize; they send back the hash alone.
#[must_use]
pub fn invite(link: &Link) -> types::ChatInviteExported {
    types::ChatInviteExported {
        revoked: link.revoked,
        permanent: link.permanent,
        link: format!("https://t.me/+{}", link.hash),
        admin_id: link.admin.0,
        date: link.date,
        expire_date: link.expire_date,
        usage_limit: link.usage_limit,
        usage: (link.usage > 0).then_some(link.usage),
        title: link.title.clone(),
        ..types::ChatInviteExported::default()
    }
}

/// A group's photo in full; nothing when it has none.
#[must_use]
pub fn full_photo(world: &World, stored: &Chat) -> Option<enums::Photo> {
    full_photo_of(world, stored.photo.as_deref())
}

/// A photo of a group or channel in full.
pub(super) fn full_photo_of(world: &World, stored: Option<&[u8]>) -> Option<enums::Photo> {
    Some(reference::any_photo(
        world,
        enums::Photo::from_bytes(stored?).ok()?,
    ))
}

/// A photo of a group or channel as it is shown beside its title.
pub(super) fn photo(stored: Option<&[u8]>) -> enums::ChatPhoto {
    match stored.and_then(|tl| enums::Photo::from_bytes(tl).ok()) {
        Some(enums::Photo::Photo(photo)) => types::ChatPhoto {
            has_video: false,
            photo_id: photo.id,
            stripped_thumb: stripped(&photo),
            dc_id: crate::DC_ID,
        }
        .into(),
        _ => enums::ChatPhoto::ChatPhotoEmpty,
    }
}

/// The few bytes of a photo that are shown while it loads.
fn stripped(photo: &types::Photo) -> Option<Vec<u8>> {
    photo.sizes.iter().find_map(|size| match size {
        enums::PhotoSize::PhotoStrippedSize(size) => Some(size.bytes.clone()),
        _ => None,
    })
}

/// The members of a group.
#[must_use]
pub fn participants(
    id: ChatId,
    stored: &Chat,
    members: &[Member],
    named: &mut Named,
) -> enums::ChatParticipants {
    let mut participants = Vec::with_capacity(members.len());
    for member in members {
        named.users.insert(member.user);
        named.users.insert(member.inviter);
        let (user_id, inviter_id, date) = (member.user.0, member.inviter.0, member.date);
        participants.push(if member.user == stored.creator {
            types::ChatParticipantCreator {
                user_id,
                ..Default::default()
            }
            .into()
        } else if member.admin {
            types::ChatParticipantAdmin {
                user_id,
                inviter_id,
                date,
                ..Default::default()
            }
            .into()
        } else {
            types::ChatParticipant {
                user_id,
                inviter_id,
                date,
                ..Default::default()
            }
            .into()
        });
    }
    types::ChatParticipants {
        chat_id: id.0,
        participants,
        version: stored.version,
    }
    .into()
}
