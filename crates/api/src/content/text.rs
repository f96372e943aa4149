//! Text and its entities (core.telegram.org/api/entities). Offsets and lengths count UTF-16 units.

use havre_domain::limits::{CAPTION_LEN_MAX, ENTITIES_MAX, TEXT_LEN_MAX};
use havre_tl::{enums, types};

use crate::cx::Cx;
use crate::error::{Error, RpcError};

/// A text with its entities, ready to be kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Text {
    /// The text, trimmed at its end.
    pub text: String,
    /// Entities within it; nothing when there are none.
    pub entities: Option<Vec<enums::MessageEntity>>,
}

/// The text of a message.
///
/// # Errors
/// `400 MESSAGE_TOO_LONG`, `400 ENTITY_MENTION_USER_INVALID`.
pub async fn of_message(
    cx: &mut Cx,
    text: &str,
    entities: Option<Vec<enums::MessageEntity>>,
) -> Result<Text, Error> {
    let entities = with_people(cx, entities.unwrap_or_default()).await?;
    Ok(checked(text, entities, TEXT_LEN_MAX).ok_or(RpcError::MESSAGE_TOO_LONG)?)
}

/// The caption of media.
///
/// # Errors
/// `400 MEDIA_CAPTION_TOO_LONG`, `400 ENTITY_MENTION_USER_INVALID`.
pub async fn of_caption(
    cx: &mut Cx,
    text: &str,
    entities: Option<Vec<enums::MessageEntity>>,
) -> Result<Text, Error> {
    let entities = with_people(cx, entities.unwrap_or_default()).await?;
    Ok(checked(text, entities, CAPTION_LEN_MAX).ok_or(RpcError::MEDIA_CAPTION_TOO_LONG)?)
}

/// Links to people as they are kept. A link that names somebody without their access hash is dropped: it
/// would show them to people who never met them.
async fn with_people(
    cx: &mut Cx,
    entities: Vec<enums::MessageEntity>,
) -> Result<Vec<enums::MessageEntity>, Error> {
    use enums::MessageEntity as E;
    let mut kept = Vec::with_capacity(entities.len().min(ENTITIES_MAX));
    for entity in entities.into_iter().take(ENTITIES_MAX) {
        match entity {
            E::MessageEntityMentionName(_) => {}
            E::InputMessageEntityMentionName(link) => kept.push(named(cx, &link).await?),
            other => kept.push(other),
        }
    }
    Ok(kept)
}

async fn named(
    cx: &mut Cx,
    link: &types::InputMessageEntityMentionName,
) -> Result<enums::MessageEntity, Error> {
    let user = cx.input_user(&link.user_id).await.map_err(|error| match error {
        Error::Rpc(_) => RpcError::ENTITY_MENTION_USER_INVALID.into(),
        fault @ Error::Fault(_) => fault,
    })?;
    Ok(types::MessageEntityMentionName {
        offset: link.offset,
        length: link.length,
        user_id: user.0,
    }
    .into())
}

fn checked(text: &str, entities: Vec<enums::MessageEntity>, len_max: usize) -> Option<Text> {
    // Only the end is trimmed: trimming the start would move every entity.
    let text = text.trim_end();
    let len = text.encode_utf16().count();
    if len > len_max {
        return None;
    }
    let mut kept: Vec<enums::MessageEntity> = entities
        .into_iter()
        .filter(|e| fits(e, len))
        .take(ENTITIES_MAX)
        .collect();
    kept.extend(found(text, &kept, ENTITIES_MAX - kept.len()));
    Some(Text {
        text: text.to_owned(),
        entities: Some(kept).filter(|e| !e.is_empty()),
    })
}

fn fits(entity: &enums::MessageEntity, len: usize) -> bool {
    let Some((offset, length)) = place(entity) else {
        return false;
    };
    let (Ok(offset), Ok(length)) = (usize::try_from(offset), usize::try_from(length)) else {
        return false;
    };
    length > 0 && offset.checked_add(length).is_some_and(|end| end <= len)
}

macro_rules! places {
    ($entity:expr; $($variant:ident)*) => {
        match $entity {
            $(enums::MessageEntity::$variant(e) => Some((e.offset, e.length)),)*
            _ => None,
        }
    };
}

/// Offset and length of an entity of a kind that messages may hold.
fn place(entity: &enums::MessageEntity) -> Option<(i32, i32)> {
    places!(entity; MessageEntityMention MessageEntityHashtag MessageEntityBotCommand MessageEntityUrl
        MessageEntityEmail MessageEntityBold MessageEntityItalic MessageEntityCode MessageEntityPre
        MessageEntityTextUrl MessageEntityMentionName MessageEntityPhone MessageEntityCashtag
        MessageEntityUnderline MessageEntityStrike MessageEntityBankCard MessageEntitySpoiler
        MessageEntityCustomEmoji MessageEntityBlockquote)
}

/// Links, mentions and hashtags that the client left to the server to find.
fn found(text: &str, known: &[enums::MessageEntity], limit: usize) -> Vec<enums::MessageEntity> {
    let taken = |offset: i32, length: i32| {
        known
            .iter()
            .filter_map(place)
            .any(|(o, l)| offset < o + l && o < offset + length)
    };
    let mut found = Vec::new();
    for (offset, word) in words(text) {
        let Ok(length) = i32::try_from(word.encode_utf16().count()) else {
            continue;
        };
        if found.len() < limit && !taken(offset, length) {
            found.extend(entity_of(word, offset, length));
        }
    }
    found
}

/// Words between white space with their offsets, without punctuation that ends a sentence.
fn words(text: &str) -> impl Iterator<Item = (i32, &str)> {
    let mut offset = 0_i32;
    text.split(char::is_whitespace).scan((), move |(), word| {
        let start = offset;
        let len = i32::try_from(word.encode_utf16().count()).unwrap_or(0);
        // White space between words is one UTF-16 unit: no white space lies outside the basic plane.
        offset = offset.saturating_add(len + 1);
        Some((
            start,
            word.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '"', '\'']),
        ))
    })
}

fn entity_of(word: &str, offset: i32, length: i32) -> Option<enums::MessageEntity> {
    let name = |s: &str| !s.is_empty() && s.chars().all(|c| c.is_alphanumeric() || c == '_');
    if word.starts_with("https://") || word.starts_with("http://") {
        return (word.len() > "https://".len()).then(|| types::MessageEntityUrl { offset, length }.into());
    }
    if word
        .strip_prefix('@')
        .is_some_and(havre_domain::usernames::is_valid)
    {
        return Some(types::MessageEntityMention { offset, length }.into());
    }
    if word.strip_prefix('#').is_some_and(name) {
        return Some(types::MessageEntityHashtag { offset, length }.into());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_outside_the_text_are_dropped() {
        let bold = |offset, length| types::MessageEntityBold { offset, length }.into();
        let text = checked(
            "héllo",
            vec![bold(0, 5), bold(3, 9), bold(-1, 2), bold(0, 0)],
            TEXT_LEN_MAX,
        )
        .unwrap();
        assert_eq!(text.entities, Some(vec![bold(0, 5)]));
    }

    #[test]
    fn links_mentions_and_hashtags_are_found_at_utf16_offsets() {
        let text = checked(
            "😀 https://havre.example, @alice_b #fun",
            Vec::new(),
            TEXT_LEN_MAX,
        )
        .unwrap();
        let places: Vec<_> = text.entities.unwrap().iter().filter_map(place).collect();
        assert_eq!(places, [(3, 21), (26, 8), (35, 4)]);
    }

    #[test]
    fn length_is_counted_in_utf16_units() {
        assert!(checked(&"x".repeat(TEXT_LEN_MAX), Vec::new(), TEXT_LEN_MAX).is_some());
        let long = "😀".repeat(TEXT_LEN_MAX / 2 + 1);
        assert_eq!(checked(&long, Vec::new(), TEXT_LEN_MAX), None);
    }
}
