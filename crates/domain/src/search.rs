//! What search finds: words, and kinds of media, of the messages of a box.

use havre_store::{Key, Order, Value};
use havre_tl::{Deserialize as _, enums, types};

use crate::ids::{MessageId, Peer, UserId};
use crate::keys;
use crate::limits::{WORD_LEN_MAX, WORDS_MAX};
use crate::messages;
use crate::tx::{Fault, Tx};

/// Kinds that conversations are searched by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// Photos.
    Photo = 1,
    /// Videos that are not round and not animations.
    Video = 2,
    /// Files that are nothing else.
    Document = 3,
    /// Texts with a link.
    Url = 4,
    /// Animations.
    Gif = 5,
    /// Voice notes.
    Voice = 6,
    /// Music.
    Music = 7,
    /// Round videos.
    RoundVideo = 8,
    /// Pinned messages.
    Pinned = 9,
    /// Messages that mention the owner.
    Mention = 10,
    /// Changes of a group's photo.
    ChatPhoto = 11,
    /// Contacts.
    Contact = 12,
    /// Places.
    Geo = 13,
}

/// What of a message search looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    words: Vec<String>,
    kinds: Vec<Kind>,
    /// Usernames after an `@`.
    usernames: Vec<String>,
    /// People who are named by a link to them.
    people: Vec<UserId>,
}

impl Content {
    /// Reads stored content. Content that cannot be read is found by nothing.
    #[must_use]
    pub fn parse(content: &[u8]) -> Self {
        match enums::Message::from_bytes(content) {
            Ok(enums::Message::Message(message)) => Self {
                words: words(&message.message),
                kinds: kinds(&message),
                usernames: usernames(&message),
                people: people(&message),
            },
            Ok(enums::Message::MessageService(message)) => {
                let photo = matches!(
                    message.action,
                    enums::MessageAction::MessageActionChatEditPhoto(_)
                );
                Self {
                    words: Vec::new(),
                    kinds: photo.then_some(Kind::ChatPhoto).into_iter().collect(),
                    ..Self::default()
                }
            }
            _ => Self::default(),
        }
    }

    /// Whether it names this person, by a link or by their username.
    #[must_use]
    pub fn names(&self, user: UserId, username: Option<&str>) -> bool {
        let called = |name: &str| self.usernames.iter().any(|n| name.eq_ignore_ascii_case(n));
        self.people.contains(&user) || username.is_some_and(called)
    }
}

fn usernames(message: &types::Message) -> Vec<String> {
    let text: Vec<u16> = message.message.encode_utf16().collect();
    let name = |entity: &enums::MessageEntity| {
        let enums::MessageEntity::MessageEntityMention(at) = entity else {
            return None;
        };
        let start = usize::try_from(at.offset).ok()?;
        let end = start.checked_add(usize::try_from(at.length).ok()?)?;
        let name = String::from_utf16(text.get(start..end)?).ok()?;
        Some(name.trim_start_matches('@').to_owned())
    };
    message.entities.iter().flatten().filter_map(name).collect()
}

fn people(message: &types::Message) -> Vec<UserId> {
    let person = |entity: &enums::MessageEntity| match entity {
        enums::MessageEntity::MessageEntityMentionName(named) => Some(UserId(named.user_id)),
        _ => None,
    };
    message.entities.iter().flatten().filter_map(person).collect()
}

/// The distinct words of a text in lower case, at most [`WORDS_MAX`].
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for word in text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
    {
        if found.len() == WORDS_MAX {
            break;
        }
        let mut word = word.to_lowercase();
        word.truncate(
            (0..=WORD_LEN_MAX.min(word.len()))
                .rev()
                .find(|i| word.is_char_boundary(*i))
                .unwrap_or(0),
        );
        if !found.contains(&word) {
            found.push(word);
        }
    }
    found
}

fn kinds(message: &types::Message) -> Vec<Kind> {
    let mut kinds = Vec::new();
    let link = |e: &enums::MessageEntity| {
        matches!(
            e,
            enums::MessageEntity::MessageEntityUrl(_) | enums::MessageEntity::MessageEntityTextUrl(_)
        )
    };
    if message.entities.iter().flatten().any(link) {
        kinds.push(Kind::Url);
    }
    match &message.media {
        Some(enums::MessageMedia::MessageMediaPhoto(_)) => kinds.push(Kind::Photo),
        Some(enums::MessageMedia::MessageMediaContact(_)) => kinds.push(Kind::Contact),
        Some(enums::MessageMedia::MessageMediaGeo(_)) => kinds.push(Kind::Geo),
        Some(enums::MessageMedia::MessageMediaDocument(media)) => kinds.extend(document_kind(media)),
        _ => {}
    }
    kinds
}

fn document_kind(media: &types::MessageMediaDocument) -> Option<Kind> {
    use enums::DocumentAttribute as A;
    let Some(enums::Document::Document(document)) = &media.document else {
        return None;
    };
    let has = |test: fn(&A) -> bool| document.attributes.iter().any(test);
    if has(|a| matches!(a, A::DocumentAttributeSticker(_))) {
        return None;
    }
    if has(|a| matches!(a, A::DocumentAttributeAnimated)) {
        return Some(Kind::Gif);
    }
    if has(|a| matches!(a, A::DocumentAttributeVideo(v) if v.round_message)) {
        return Some(Kind::RoundVideo);
    }
    if has(|a| matches!(a, A::DocumentAttributeVideo(_))) {
        return Some(Kind::Video);
    }
    if has(|a| matches!(a, A::DocumentAttributeAudio(v) if v.voice)) {
        return Some(Kind::Voice);
    }
    if has(|a| matches!(a, A::DocumentAttributeAudio(_))) {
        return Some(Kind::Music);
    }
    Some(Kind::Document)
}

/// Lets a message be found.
pub fn index(tx: &mut Tx, peer: Peer, id: MessageId, content: &Content) {
    for word in &content.words {
        tx.put(keys::word(word, id), &());
    }
    for kind in &content.kinds {
        tx.put(keys::media(*kind as u8, peer, id), &());
    }
}

/// Lets a message be found no more by what it holds; its marks stay.
pub fn forget(tx: &mut Tx, peer: Peer, id: MessageId, content: &Content) {
    for word in &content.words {
        tx.delete(keys::word(word, id));
    }
    for kind in &content.kinds {
        tx.delete(keys::media(*kind as u8, peer, id));
    }
}

/// Marks a message as being of a kind that its content does not tell: pinned, mention.
pub fn mark(tx: &mut Tx, kind: Kind, peer: Peer, id: MessageId, is: bool) {
    let key = keys::media(kind as u8, peer, id);
    if is {
        tx.put(key, &());
    } else {
        tx.delete(key);
    }
}

/// Messages of a conversation of a kind with `from <= id < to`, at most `limit`.
///
/// # Errors
/// [`Fault`]; so for everything here.
pub async fn of_kind(
    tx: &mut Tx,
    kind: Kind,
    peer: Peer,
    (from, to): (MessageId, MessageId),
    order: Order,
    limit: usize,
) -> Result<Vec<MessageId>, Fault> {
    let found = tx
        .range(&keys::media_span(kind as u8, peer, from, to), order, limit)
        .await?;
    Ok(ids_of(&found))
}

/// Messages of all conversations of a kind, in no order. Looks at most at [`CANDIDATES_MAX`].
///
/// # Errors
/// [`Fault`].
pub async fn of_kind_anywhere(tx: &mut Tx, kind: Kind) -> Result<Vec<MessageId>, Fault> {
    let span = keys::media_everywhere(kind as u8);
    let found = tx.range(&span, Order::Descending, CANDIDATES_MAX).await?;
    Ok(ids_of(&found))
}

fn ids_of(entries: &[(Key, Value)]) -> Vec<MessageId> {
    entries
        .iter()
        .filter_map(|(key, _)| keys::message_id_of(key))
        .collect()
}

/// The newest pinned message of a conversation, 0 when there is none.
///
/// # Errors
/// [`Fault`].
pub async fn newest_pinned(tx: &mut Tx, peer: Peer) -> Result<MessageId, Fault> {
    let all = (MessageId(0), MessageId(i32::MAX));
    Ok(of_kind(tx, Kind::Pinned, peer, all, Order::Descending, 1)
        .await?
        .pop()
        .unwrap_or_default())
}

/// Most entries of an index that one search looks at.
pub const CANDIDATES_MAX: usize = 5_000;

/// Ids of messages that hold a word starting with each word of `query`, newest first, in one
/// conversation or in all. Looks at most at a named number of index entries for each word.
///
/// # Errors
/// [`Fault`].
pub async fn by_words(tx: &mut Tx, peer: Option<Peer>, query: &str) -> Result<Vec<MessageId>, Fault> {
    let mut common: Option<Vec<MessageId>> = None;
    for word in words(query) {
        let found = tx
            .range(&keys::words_from(&word), Order::Ascending, CANDIDATES_MAX)
            .await?;
        let mut ids = ids_of(&found);
        ids.sort_unstable();
        ids.dedup();
        common = Some(match common {
            Some(before) => before
                .into_iter()
                .filter(|id| ids.binary_search(id).is_ok())
                .collect(),
            None => ids,
        });
    }
    let mut ids = common.unwrap_or_default();
    if let Some(peer) = peer {
        let places = tx
            .get_many::<Peer>(&ids.iter().map(|id| keys::place(*id)).collect::<Vec<_>>())
            .await?;
        ids = ids
            .into_iter()
            .zip(places)
            .filter_map(|(id, at)| (at == Some(peer)).then_some(id))
            .collect();
    }
    ids.reverse();
    Ok(ids)
}

/// How many messages of a conversation are of a kind, counted up to `limit`.
///
/// # Errors
/// [`Fault`].
pub async fn count(tx: &mut Tx, kind: Kind, peer: Peer, limit: usize) -> Result<usize, Fault> {
    let all = (MessageId(0), MessageId(i32::MAX));
    Ok(of_kind(tx, kind, peer, all, Order::Ascending, limit).await?.len())
}

/// Messages with these ids, in their order; those that are gone are left out.
///
/// # Errors
/// [`Fault`].
pub async fn fetch(
    tx: &mut Tx,
    ids: &[MessageId],
) -> Result<Vec<(Peer, MessageId, messages::Message)>, Fault> {
    let mut found = Vec::with_capacity(ids.len());
    for &id in ids {
        if let Some((peer, message)) = messages::find(tx, id).await? {
            found.push((peer, id, message));
        }
    }
    Ok(found)
}
