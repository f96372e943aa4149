//! `messages.getHistory`: a page of a conversation, newest first.

use havre_domain::dialogs;
use havre_tl::{enums, functions};

use super::listing::{self, Listed, Place};
use crate::cx::{Access, Cx};
use crate::error::Error;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 PEER_ID_INVALID`.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::GetHistory,
) -> Result<enums::messages::Messages, Error> {
    let peer = cx.input_peer(&request.peer).await?;
    let place = Place {
        offset_id: request.offset_id,
        offset_date: request.offset_date,
        add_offset: request.add_offset,
        limit: request.limit,
        max_id: request.max_id,
        min_id: request.min_id,
    };
    let tx = cx.view_box(peer)?;
    let count = dialogs::dialog(tx, peer).await?.count;
    let page = listing::page(tx, peer, place).await?;
    let found: Vec<_> = page
        .into_iter()
        .map(|(id, message)| (peer, id, message))
        .collect();
    let listed = Listed {
        found: &found,
        count,
        position: None,
        next_rate: None,
        hash: request.hash,
    };
    listing::answer(cx, listed).await
}
