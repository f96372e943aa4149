//! `messages.searchGlobal`: messages by words and kind in all conversations, newest first.

use havre_domain::dialogs;
use havre_domain::ids::Peer;
use havre_domain::search;
use havre_tl::{enums, functions};

use super::get_dialogs;
use super::listing::{self, Found, Listed, Place};
use super::search::{candidates, position, window};
use crate::cx::{Access, Cx};
use crate::error::Error;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. Ids are those of the asker's box, so the id alone says where the next page begins; the rate is the
/// date of the last message, and on the last page there is none.
///
/// # Errors
/// `400 SEARCH_QUERY_EMPTY` for neither words nor kind, `400 FOLDER_ID_INVALID`.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::SearchGlobal,
) -> Result<enums::messages::Messages, Error> {
    let folder = match request.folder_id {
        None => None,
        some => Some(get_dialogs::folder(some)?),
    };
    let ids = candidates(cx, None, &request.q, &request.filter).await?;
    let tx = cx.view_own()?;
    let fits = |(peer, _, m): &Found| {
        (request.min_date <= 0 || m.date >= request.min_date)
            && (request.max_date <= 0 || m.date <= request.max_date)
            && !(request.groups_only && matches!(peer, Peer::User(_)))
            && !(request.users_only && matches!(peer, Peer::Chat(_)))
            && !request.broadcasts_only
    };
    let mut found: Vec<Found> = Vec::new();
    for one in search::fetch(tx, &ids).await?.into_iter().filter(fits) {
        if folder.is_none() || folder == Some(dialogs::dialog(tx, one.0).await?.folder) {
            found.push(one);
        }
    }
    let place = Place {
        offset_id: request.offset_id,
        limit: request.limit,
        ..Place::default()
    };
    let page = window(&found, place);
    let oldest = found.last().map(|(_, id, _)| *id);
    let next = page.last().filter(|(_, id, _)| Some(*id) != oldest);
    let listed = Listed {
        count: i32::try_from(found.len()).unwrap_or(i32::MAX),
        position: position(&found, page),
        next_rate: next.map(|(_, _, message)| message.date),
        hash: 0,
        found: page,
    };
    listing::answer(cx, listed).await
}
