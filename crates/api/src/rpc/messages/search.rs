//! `messages.search`: messages of a conversation by words, kind, author, and date.

use std::collections::BTreeSet;

use havre_domain::dialogs;
use havre_domain::ids::{MessageId, Peer};
use havre_domain::search::{self, CANDIDATES_MAX, Kind};
use havre_domain::tx::Tx;
use havre_store::Order;
use havre_tl::{enums, functions};

use super::listing::{self, Found, Listed, Place};
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::render;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. Groups here have no threads, so `top_msg_id` finds what answers that message itself.
///
/// # Errors
/// `400 PEER_ID_INVALID`, `400 SEARCH_QUERY_EMPTY` for neither words nor kind.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::Search,
) -> Result<enums::messages::Messages, Error> {
    let peer = match &request.peer {
        enums::InputPeer::InputPeerEmpty => None,
        peer => Some(cx.input_peer(peer).await?),
    };
    let from = match &request.from_id {
        Some(from) => Some(cx.input_peer(from).await?),
        None => None,
    };
    let ids = candidates(cx, peer, &request.q, &request.filter).await?;
    let found = search::fetch(box_of(cx, peer)?, &ids).await?;
    let fits = |(peer, _, m): &Found| {
        (request.min_date <= 0 || m.date >= request.min_date)
            && (request.max_date <= 0 || m.date <= request.max_date)
            && from.is_none_or(|from| from == render::author(*peer, m))
            && request
                .top_msg_id
                .is_none_or(|top| m.reply == Some(MessageId(top)))
    };
    let found: Vec<Found> = found.into_iter().filter(fits).collect();
    let count = i32::try_from(found.len()).unwrap_or(i32::MAX);
    let place = Place {
        offset_id: request.offset_id,
        add_offset: request.add_offset,
        limit: request.limit,
        max_id: request.max_id,
        min_id: request.min_id,
        offset_date: 0,
    };
    let page = window(&found, place);
    let listed = Listed {
        position: position(&found, page),
        next_rate: None,
        hash: request.hash,
        found: page,
        count,
    };
    listing::answer(cx, listed).await
}

/// Ids of messages with these words and of this kind, newest first.
///
/// # Errors
/// As for [`call`].
pub(super) async fn candidates(
    cx: &mut Cx,
    peer: Option<Peer>,
    words: &str,
    filter: &enums::MessagesFilter,
) -> Result<Vec<MessageId>, Error> {
    let tx = box_of(cx, peer)?;
    // Signs alone are words that nothing has.
    let by_words = if words.trim().is_empty() {
        None
    } else {
        Some(search::by_words(tx, peer, words).await?)
    };
    let by_kind = match kinds(filter)? {
        None => None,
        Some(kinds) => Some(of_kinds(tx, peer, kinds).await?),
    };
    match (by_words, by_kind) {
        (Some(words), Some(kinds)) => Ok(words.into_iter().filter(|id| kinds.contains(id)).collect()),
        (Some(words), None) => Ok(words),
        (None, Some(kinds)) => Ok(kinds.into_iter().rev().collect()),
        (None, None) => everything(cx, peer).await,
    }
}

/// Where to look: with the conversation, or in all of the asker's own box.
fn box_of(cx: &mut Cx, peer: Option<Peer>) -> Result<&mut Tx, Error> {
    match peer {
        Some(peer) => cx.view_box(peer),
        None => cx.view_own(),
    }
}

/// Messages of some kinds in one conversation or in all.
async fn of_kinds(tx: &mut Tx, peer: Option<Peer>, kinds: &[Kind]) -> Result<BTreeSet<MessageId>, Error> {
    let all = (MessageId(0), MessageId(i32::MAX));
    let mut ids = BTreeSet::new();
    for kind in kinds {
        ids.extend(match peer {
            Some(peer) => search::of_kind(tx, *kind, peer, all, Order::Descending, CANDIDATES_MAX).await?,
            None => search::of_kind_anywhere(tx, *kind).await?,
        });
    }
    Ok(ids)
}

/// Neither words nor kind: the newest messages of the conversation, for a search by author or date alone.
async fn everything(cx: &mut Cx, peer: Option<Peer>) -> Result<Vec<MessageId>, Error> {
    let Some(peer) = peer else {
        return Err(RpcError::SEARCH_QUERY_EMPTY.into());
    };
    let tx = cx.view_box(peer)?;
    let top = dialogs::dialog(tx, peer).await?.top;
    let to = MessageId(top.0.saturating_add(1));
    let page =
        havre_domain::messages::page(tx, peer, MessageId(0), to, Order::Descending, CANDIDATES_MAX).await?;
    Ok(page.into_iter().map(|(id, _)| id).collect())
}

/// Kinds that a filter stands for; nothing for the filter that lets everything through.
///
/// # Errors
/// `400 INPUT_REQUEST_INVALID` for kinds that messages here do not have.
pub(super) fn kinds(filter: &enums::MessagesFilter) -> Result<Option<&'static [Kind]>, Error> {
    use enums::MessagesFilter as F;
    Ok(Some(match filter {
        F::InputMessagesFilterEmpty => return Ok(None),
        F::InputMessagesFilterPhotos => &[Kind::Photo],
        F::InputMessagesFilterVideo => &[Kind::Video],
        F::InputMessagesFilterPhotoVideo => &[Kind::Photo, Kind::Video],
        F::InputMessagesFilterDocument => &[Kind::Document],
        F::InputMessagesFilterUrl => &[Kind::Url],
        F::InputMessagesFilterGif => &[Kind::Gif],
        F::InputMessagesFilterVoice => &[Kind::Voice],
        F::InputMessagesFilterMusic => &[Kind::Music],
        F::InputMessagesFilterChatPhotos => &[Kind::ChatPhoto],
        F::InputMessagesFilterRoundVoice => &[Kind::RoundVideo, Kind::Voice],
        F::InputMessagesFilterRoundVideo => &[Kind::RoundVideo],
        F::InputMessagesFilterMyMentions => &[Kind::Mention],
        F::InputMessagesFilterGeo => &[Kind::Geo],
        F::InputMessagesFilterContacts => &[Kind::Contact],
        F::InputMessagesFilterPinned => &[Kind::Pinned],
        // Calls and polls do not exist here, so there are none of them.
        F::InputMessagesFilterPhoneCalls(_) | F::InputMessagesFilterPoll => &[],
    }))
}

/// How many of a list come before a part of it; nothing for an empty part.
pub(super) fn position(found: &[Found], page: &[Found]) -> Option<i32> {
    let (_, first, _) = page.first()?;
    let before = found.iter().position(|(_, id, _)| id == first)?;
    i32::try_from(before).ok()
}

/// The part of a list, newest first, that a place names.
pub(super) fn window(found: &[Found], place: Place) -> &[Found] {
    let inside = |id: MessageId| {
        (place.max_id <= 0 || id.0 < place.max_id) && (place.min_id <= 0 || id.0 > place.min_id)
    };
    let from = found
        .iter()
        .position(|(_, id, _)| inside(*id))
        .unwrap_or(found.len());
    let to = found
        .iter()
        .rposition(|(_, id, _)| inside(*id))
        .map_or(from, |last| last + 1);
    let found = &found[from..to.max(from)];
    let offset = match place.offset_id {
        ..=0 => 0,
        offset_id => found
            .iter()
            .position(|(_, id, _)| id.0 < offset_id)
            .unwrap_or(found.len()),
    };
    let add = isize::try_from(place.add_offset).unwrap_or(0);
    let limit = listing::limit(place.limit);
    // A page that would begin before the newest message is shorter by what is missing.
    let begin = isize::try_from(offset).unwrap_or(0).saturating_add(add);
    let end = usize::try_from(begin.saturating_add(isize::try_from(limit).unwrap_or(0))).unwrap_or(0);
    let begin = usize::try_from(begin).unwrap_or(0).min(found.len());
    &found[begin..end.min(found.len()).max(begin)]
}
