//! What all lists of messages share: the offset algebra, and the form of the answer.

use havre_domain::contacts::hash;
use havre_domain::ids::{MessageId, Peer};
use havre_domain::keys::partition;
use havre_domain::limits::PAGE_MAX;
use havre_domain::messages::{self, Message};
use havre_domain::tx::Tx;
use havre_domain::updates;
use havre_store::Order;
use havre_tl::{enums, types};

use super::dialog_rows::seen_in;
use crate::cx::Cx;
use crate::error::Error;
use crate::render::{self, Named};

/// Messages in a page when a request leaves it open with 0, as the documentation of offsets has it.
pub const LIMIT_DEFAULT: usize = 20;

/// How many entries a page may have.
#[must_use]
pub fn limit(asked: i32) -> usize {
    match usize::try_from(asked) {
        Ok(0) => LIMIT_DEFAULT,
        Ok(limit) => limit.min(PAGE_MAX),
        Err(_) => 0,
    }
}

/// Where a page lies in a conversation (core.telegram.org/api/offsets).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Only messages older than this id; 0 for the newest.
    pub offset_id: i32,
    /// Only messages sent before this date; 0 for any. Not looked at with an `offset_id`.
    pub offset_date: i32,
    /// Moves the page: positive to older messages, negative to newer ones.
    pub add_offset: i32,
    /// Most messages; 0 for [`LIMIT_DEFAULT`].
    pub limit: i32,
    /// Only messages older than this id; 0 for any.
    pub max_id: i32,
    /// Only messages newer than this id; 0 for any.
    pub min_id: i32,
}

/// A message with its id and conversation.
pub type Found = (Peer, MessageId, Message);

impl Place {
    /// Ids that may be in the page: from, and up to but not including.
    fn bounds(self) -> (MessageId, MessageId) {
        let from = MessageId(self.min_id.max(0).saturating_add(1));
        let to = if self.max_id > 0 {
            MessageId(self.max_id)
        } else {
            MessageId(i32::MAX)
        };
        (from, to)
    }
}

/// A page of a conversation, newest first. A page that would begin before the newest message is shorter by
/// what is missing.
///
/// # Errors
/// [`Error`].
pub async fn page(tx: &mut Tx, peer: Peer, place: Place) -> Result<Vec<(MessageId, Message)>, Error> {
    let limit = limit(place.limit);
    let (from, to) = place.bounds();
    let start = start(tx, peer, place).await?;
    // `add_offset` newer messages are skipped, or as many newer ones come first.
    let newer = usize::try_from(-i64::from(place.add_offset))
        .unwrap_or(0)
        .min(MAX_SKIP);
    let skipped = usize::try_from(place.add_offset).unwrap_or(0).min(MAX_SKIP);
    let mut found = Vec::new();
    if newer > 0 {
        let above = messages::page(tx, peer, start.max(from), to, Order::Ascending, newer).await?;
        found.extend(above.into_iter().rev());
    }
    let missing = newer - found.len();
    let older = limit.saturating_sub(newer) + skipped;
    let below = messages::page(tx, peer, from, start.min(to), Order::Descending, older).await?;
    found.extend(below.into_iter().skip(skipped));
    found.truncate(limit.saturating_sub(missing));
    Ok(found)
}

/// Most messages that `add_offset` passes over: clients page by id, and only step around by it.
const MAX_SKIP: usize = 1000;

/// The id below which older messages lie.
async fn start(tx: &mut Tx, peer: Peer, place: Place) -> Result<MessageId, Error> {
    if place.offset_id > 0 {
        return Ok(MessageId(place.offset_id));
    }
    if place.offset_date > 0 {
        return first_since(tx, peer, place.offset_date).await;
    }
    Ok(MessageId(i32::MAX))
}

/// The first message not sent before a date, by bisection: ids grow with time.
async fn first_since(tx: &mut Tx, peer: Peer, date: i32) -> Result<MessageId, Error> {
    let (mut low, mut high) = (1, i32::MAX);
    while low < high {
        let middle = low + (high - low) / 2;
        let next = messages::page(tx, peer, MessageId(middle), MessageId(high), Order::Ascending, 1).await?;
        match next.first() {
            Some((id, message)) if message.date < date => low = id.0.saturating_add(1),
            _ => high = middle,
        }
    }
    Ok(MessageId(low))
}

/// What a list of messages shows, newest first.
pub struct Listed<'a> {
    /// The messages of this page.
    pub found: &'a [Found],
    /// How many there are in all.
    pub count: i32,
    /// How many come before the page, where that is known.
    pub position: Option<i32>,
    /// What the client names when it asks for the next page of all conversations; nothing on the last one.
    pub next_rate: Option<i32>,
    /// The hash that the client asks with; 0 for none.
    pub hash: i64,
}

/// A list of messages with everybody that it names: `messages.messages` when it is all there is, a slice of
/// `count` otherwise. Nothing when the client has the very same list; hash 0 is always answered in full.
///
/// # Errors
/// [`Error`].
pub async fn answer(cx: &mut Cx, listed: Listed<'_>) -> Result<enums::messages::Messages, Error> {
    let me = cx.me()?;
    let Listed {
        found,
        count,
        position,
        next_rate,
        hash,
    } = listed;
    if hash != 0 && hash == hash_of(found) {
        return Ok(types::messages::MessagesNotModified { count }.into());
    }
    let mut named = Named::default();
    let messages: Vec<enums::Message> = found
        .iter()
        .map(|(peer, id, m)| {
            let seen = seen_in(*peer, m.clone(), me);
            render::message(&cx.world, *peer, *id, &seen, &mut named)
        })
        .collect();
    let (users, chats) = named.load(&mut cx.world, me).await?;
    if let Some((Peer::Channel(channel), ..)) = found.first() {
        let tx = cx.world.view(partition::channel(*channel));
        return Ok(types::messages::ChannelMessages {
            pts: updates::counters(tx).await?.pts.0,
            count,
            offset_id_offset: position,
            messages,
            chats,
            users,
            ..Default::default()
        }
        .into());
    }
    if usize::try_from(count).is_ok_and(|count| count <= messages.len()) {
        return Ok(types::messages::Messages {
            messages,
            chats,
            users,
            ..Default::default()
        }
        .into());
    }
    Ok(types::messages::MessagesSlice {
        count,
        next_rate,
        offset_id_offset: position,
        messages,
        chats,
        users,
        ..Default::default()
    }
    .into())
}

/// The hash of a list of messages: over id, date of edit and date of each
/// (core.telegram.org/method/messages.getScheduledHistory).
fn hash_of(found: &[Found]) -> i64 {
    let numbers = found
        .iter()
        .flat_map(|(_, id, m)| [id.0, m.edit_date.unwrap_or(0), m.date]);
    hash(numbers.map(i64::from))
}
