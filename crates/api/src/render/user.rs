//! People.

use havre_domain::ids::{FileId, SERVICE_USER, Time, UserId};
use havre_domain::tx::Fault;
use havre_domain::users::{self, Profile};
use havre_domain::world::World;
use havre_domain::{contacts, keys, privacy};
use havre_tl::{enums, types};

/// A person as `viewer` may see them; `userEmpty` when there is none.
///
/// # Errors
/// [`Fault`].
pub async fn user(world: &mut World, viewer: UserId, id: UserId) -> Result<enums::User, Fault> {
    if id == SERVICE_USER {
        return Ok(service_user(world, viewer));
    }
    fetch_person(world, viewer, id).await?;
    let Some(profile) = users::profile(world.view_user(id)).await? else {
        return Ok(types::UserEmpty { id: id.0 }.into());
    };
    if profile.deleted {
        return Ok(deleted(world, viewer, id));
    }
    render(world, viewer, id, profile).await
}

/// A person as anybody may see them: by name.
///
/// # Errors
/// [`Fault`].
pub async fn user_for_all(world: &mut World, id: UserId) -> Result<enums::User, Fault> {
    let Some(profile) = users::profile(world.view_user(id)).await? else {
        return Ok(types::UserEmpty { id: id.0 }.into());
    };
    Ok(types::User {
        min: true,
        deleted: profile.deleted,
        id: id.0,
        first_name: Some(profile.first_name),
        last_name: Some(profile.last_name).filter(|n| !n.is_empty()),
        username: profile.username,
        ..types::User::default()
    }
    .into())
}

/// Reads at once what of somebody's partition [`user`] looks at.
///
/// # Errors
/// [`Fault`].
pub async fn fetch_person(world: &mut World, viewer: UserId, id: UserId) -> Result<(), Fault> {
    let mut looked_at = vec![keys::profile(), keys::contact(viewer)];
    if viewer != id {
        let rules = [privacy::PHONE, privacy::STATUS, privacy::PHOTO, privacy::ABOUT];
        looked_at.push(keys::blocked(viewer));
        looked_at.extend(rules.map(keys::privacy));
    }
    world.view_user(id).fetch_ahead(&looked_at).await
}

async fn render(
    world: &mut World,
    viewer: UserId,
    id: UserId,
    profile: Profile,
) -> Result<enums::User, Fault> {
    let is_self = viewer == id;
    let contact = contacts::contact(world.view_user(viewer), id).await?;
    let mutual = contact.is_some() && contacts::contact(world.view_user(id), viewer).await?.is_some();
    let sees = privacy::sees(world, viewer, id).await?;
    let known_phone = contact
        .as_ref()
        .map(|c| c.phone.clone())
        .filter(|p| *p == profile.phone);
    let (first_name, last_name) = match &contact {
        Some(c) if !is_self => (c.first_name.clone(), c.last_name.clone()),
        _ => (profile.first_name.clone(), profile.last_name.clone()),
    };
    let phone = if sees.phone {
        Some(profile.phone.clone())
    } else {
        known_phone
    };
    let user = types::User {
        is_self,
        contact: contact.is_some() || is_self,
        mutual_contact: mutual || is_self,
        id: id.0,
        access_hash: Some(world.secret.access_hash(viewer, id)),
        first_name: Some(first_name),
        last_name: Some(last_name).filter(|n| !n.is_empty()),
        username: profile.username.clone(),
        phone: phone.filter(|p| !p.is_empty()),
        photo: profile
            .photo
            .filter(|_| sees.photo)
            .map(|(_, file)| photo_of(file)),
        status: Some(status(profile.online_until, world.now, sees.last_seen)),
        ..types::User::default()
    };
    Ok(user.into())
}

/// A profile photo by its file.
#[must_use]
pub fn photo_of(FileId(photo_id): FileId) -> enums::UserProfilePhoto {
    types::UserProfilePhoto {
        photo_id,
        dc_id: crate::DC_ID,
        ..types::UserProfilePhoto::default()
    }
    .into()
}

/// When somebody was last seen: exactly, or roughly when they hide it
/// (core.telegram.org/constructor/userStatusRecently).
#[must_use]
pub fn status(online_until: Time, now: Time, exact: bool) -> enums::UserStatus {
    const DAY: i64 = 24 * 3600;
    let away = now.0 - online_until.0;
    if online_until.0 == 0 && exact {
        return enums::UserStatus::UserStatusEmpty;
    }
    if exact {
        return match away {
            ..0 => types::UserStatusOnline {
                expires: online_until.date(),
            }
            .into(),
            _ => types::UserStatusOffline {
                was_online: online_until.date(),
            }
            .into(),
        };
    }
    match away / DAY {
        ..3 => types::UserStatusRecently::default().into(),
        3..7 => types::UserStatusLastWeek::default().into(),
        7..30 => types::UserStatusLastMonth::default().into(),
        _ => enums::UserStatus::UserStatusEmpty,
    }
}

/// The account that login codes come from.
fn service_user(world: &World, viewer: UserId) -> enums::User {
    types::User {
        verified: true,
        support: true,
        id: SERVICE_USER.0,
        access_hash: Some(world.secret.access_hash(viewer, SERVICE_USER)),
        first_name: Some("Havre".into()),
        phone: Some("42777".into()),
        status: Some(enums::UserStatus::UserStatusEmpty),
        ..types::User::default()
    }
    .into()
}

fn deleted(world: &World, viewer: UserId, id: UserId) -> enums::User {
    types::User {
        deleted: true,
        id: id.0,
        access_hash: Some(world.secret.access_hash(viewer, id)),
        ..types::User::default()
    }
    .into()
}
