//! Media of messages: what a client asks to send, as it is kept (`MessageMedia` of the canonical layer).

use havre_domain::flood::PHONE_LOOKUPS;
use havre_domain::ids::Peer;
use havre_domain::limits::{ATTRIBUTE_LEN_MAX, NAME_LEN_MAX, VCARD_LEN_MAX};
use havre_domain::phones;
use havre_tl::{enums, types};

use super::document::{self, refuse_ttl};
use super::photo;
use crate::cx::Cx;
use crate::error::{Error, RpcError};

/// The media that an `InputMedia` asks for, to be sent to `to`. Uploads become files by it.
///
/// # Errors
/// `400 MEDIA_EMPTY`, `400 MEDIA_INVALID` for what is not built, `400 TTL_MEDIA_INVALID`,
/// `420 FLOOD_WAIT_n` for too many contacts, and what the files say.
pub async fn of_input(
    cx: &mut Cx,
    to: Peer,
    input: &enums::InputMedia,
) -> Result<enums::MessageMedia, Error> {
    use enums::InputMedia as I;
    match input {
        I::InputMediaEmpty => Err(RpcError::MEDIA_EMPTY.into()),
        I::InputMediaUploadedPhoto(m) => {
            refuse_ttl(m.ttl_seconds)?;
            let photo = photo::of_message(cx, &m.file).await?;
            Ok(photo_media(photo, m.spoiler))
        }
        I::InputMediaPhoto(m) => {
            refuse_ttl(m.ttl_seconds)?;
            let photo = photo::named(cx, &m.id).await?;
            Ok(photo_media(photo, m.spoiler))
        }
        I::InputMediaUploadedDocument(m) => {
            refuse_ttl(m.ttl_seconds)?;
            let document = document::uploaded(cx, m).await?;
            Ok(document_media(document, m.spoiler))
        }
        I::InputMediaDocument(m) => {
            refuse_ttl(m.ttl_seconds)?;
            let document = document::named(cx, &m.id).await?;
            Ok(document_media(document, m.spoiler))
        }
        I::InputMediaContact(m) => contact(cx, to, m).await,
        I::InputMediaGeoPoint(m) => Ok(types::MessageMediaGeo {
            geo: place(&m.geo_point)?,
        }
        .into()),
        I::InputMediaVenue(m) => venue(m),
        _ => Err(RpcError::MEDIA_INVALID.into()),
    }
}

fn photo_media(photo: types::Photo, spoiler: bool) -> enums::MessageMedia {
    types::MessageMediaPhoto {
        spoiler,
        photo: Some(photo.into()),
        ..Default::default()
    }
    .into()
}

fn document_media(document: types::Document, spoiler: bool) -> enums::MessageMedia {
    types::MessageMediaDocument {
        spoiler,
        ..document::in_message(document)
    }
    .into()
}

/// A shared contact, with who has the number when they let the sender find them by it. A channel is not told who it is:
/// looking for people is counted with the sender, whom a message to a channel does not change.
async fn contact(
    cx: &mut Cx,
    to: Peer,
    input: &types::InputMediaContact,
) -> Result<enums::MessageMedia, Error> {
    let me = cx.me()?;
    let short = |name: &str| -> String { name.trim().chars().take(NAME_LEN_MAX).collect() };
    let digits = phones::digits(&input.phone_number).ok_or(RpcError::MEDIA_INVALID)?;
    if input.vcard.len() > VCARD_LEN_MAX {
        return Err(RpcError::MEDIA_INVALID.into());
    }
    let user = match to {
        Peer::Channel(_) => None,
        Peer::User(_) | Peer::Chat(_) => {
            cx.spend(PHONE_LOOKUPS, 1).await?;
            phones::find(&mut cx.world, me, &digits).await?
        }
    };
    Ok(types::MessageMediaContact {
        phone_number: digits,
        first_name: short(&input.first_name),
        last_name: short(&input.last_name),
        vcard: input.vcard.clone(),
        user_id: user.map_or(0, |user| user.0),
    }
    .into())
}

fn place(input: &enums::InputGeoPoint) -> Result<enums::GeoPoint, RpcError> {
    let enums::InputGeoPoint::InputGeoPoint(point) = input else {
        return Err(RpcError::MEDIA_INVALID);
    };
    // What is not a number is in no range.
    if !(-90.0..=90.0).contains(&point.lat) || !(-180.0..=180.0).contains(&point.long) {
        return Err(RpcError::MEDIA_INVALID);
    }
    Ok(types::GeoPoint {
        long: point.long,
        lat: point.lat,
        access_hash: 0,
        accuracy_radius: point.accuracy_radius,
    }
    .into())
}

fn venue(input: &types::InputMediaVenue) -> Result<enums::MessageMedia, Error> {
    let short = |text: &str| -> String { text.chars().take(ATTRIBUTE_LEN_MAX).collect() };
    Ok(types::MessageMediaVenue {
        geo: place(&input.geo_point)?,
        title: short(&input.title),
        address: short(&input.address),
        provider: short(&input.provider),
        venue_id: short(&input.venue_id),
        venue_type: short(&input.venue_type),
    }
    .into())
}

/// Whether it waits to be consumed by who gets it: voice notes and round videos.
#[must_use]
pub fn is_consumed(media: &enums::MessageMedia) -> bool {
    matches!(media, enums::MessageMedia::MessageMediaDocument(m) if m.voice || m.round)
}

/// Whether a group's rules forbid its members to send this.
#[must_use]
pub fn is_banned(banned: &types::ChatBannedRights, media: &enums::MessageMedia) -> bool {
    use enums::DocumentAttribute as A;
    let enums::MessageMedia::MessageMediaDocument(m) = media else {
        return match media {
            enums::MessageMedia::MessageMediaPhoto(_) => banned.send_media || banned.send_photos,
            _ => banned.send_messages,
        };
    };
    let has = |test: fn(&A) -> bool| match &m.document {
        Some(enums::Document::Document(document)) => document.attributes.iter().any(test),
        _ => false,
    };
    let kind = if m.voice {
        banned.send_voices
    } else if m.round {
        banned.send_roundvideos
    } else if m.video {
        banned.send_videos
    } else if has(|a| matches!(a, A::DocumentAttributeSticker(_))) {
        banned.send_stickers
    } else if has(|a| matches!(a, A::DocumentAttributeAnimated)) {
        banned.send_gifs
    } else if has(|a| matches!(a, A::DocumentAttributeAudio(_))) {
        banned.send_audios
    } else {
        banned.send_docs
    };
    banned.send_media || kind
}
