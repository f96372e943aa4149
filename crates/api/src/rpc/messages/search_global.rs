//! `messages.searchGlobal`: messages by words in all conversations, newest first.

use havre_domain::ids::Peer;
use havre_domain::search;
use havre_tl::{enums, functions};

use super::listing::{self, Found, Listed, Place};
use super::search::{candidates, position, window};
use crate::cx::{Access, Cx};
use crate::error::Error;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 SEARCH_QUERY_EMPTY` for no words.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::SearchGlobal,
) -> Result<enums::messages::Messages, Error> {
    let ids = candidates(cx, None, &request.q, &request.filter).await?;
    let found = search::fetch(cx.view_own()?, &ids).await?;
    let fits = |(peer, _, m): &Found| {
        (request.min_date <= 0 || m.date >= request.min_date)
            && (request.max_date <= 0 || m.date <= request.max_date)
            && !(request.groups_only && matches!(peer, Peer::User(_)))
            && !(request.users_only && matches!(peer, Peer::Chat(_)))
            && !request.broadcasts_only
    };
    let found: Vec<Found> = found.into_iter().filter(fits).collect();
    let count = i32::try_from(found.len()).unwrap_or(i32::MAX);
    let place = Place {
        offset_id: request.offset_id,
        limit: request.limit,
        ..Place::default()
    };
    let page = window(&found, place);
    let listed = Listed {
        position: position(&found, page),
        hash: 0,
        found: page,
        count,
    };
    listing::answer(cx, listed).await
}
