//! `messages.deleteHistory`: empties a conversation, for oneself or for both, in bounded steps: clients
//! repeat it while `offset` is above 0.

use havre_domain::dialogs;
use havre_domain::ids::{MessageId, Peer};
use havre_domain::limits::DELETE_MAX;
use havre_domain::messages;
use havre_domain::updates::{self, Event};
use havre_store::Order;
use havre_tl::{enums, functions, types};

use super::delete_messages::revoke;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 PEER_ID_INVALID`, `400 CHAT_ID_INVALID` for a group's history for everybody.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::DeleteHistory,
) -> Result<enums::messages::AffectedHistory, Error> {
    let peer = cx.own_peer(&request.peer).await?;
    if request.revoke && matches!(peer, Peer::Chat(_)) {
        return Err(RpcError::CHAT_ID_INVALID.into());
    }
    let now = cx.world.now;
    let to = if request.max_id > 0 {
        MessageId(request.max_id.saturating_add(1))
    } else {
        MessageId(i32::MAX)
    };
    let within = |date: i32| {
        request.min_date.is_none_or(|min| date >= min) && request.max_date.is_none_or(|max| date <= max)
    };
    let tx = cx.own()?;
    let page = messages::page(tx, peer, MessageId(1), to, Order::Ascending, DELETE_MAX).await?;
    let more = page.len() == DELETE_MAX;
    let ids: Vec<MessageId> = page
        .iter()
        .filter(|(_, m)| within(m.date))
        .map(|(id, _)| *id)
        .collect();
    let deleted = messages::delete(tx, now, &ids).await?;
    if !request.just_clear && !more {
        forget_draft(cx, peer).await?;
    }
    if request.revoke {
        revoke(cx, &deleted.messages).await?;
    }
    let pts_count = i32::try_from(deleted.messages.len()).unwrap_or(i32::MAX);
    let offset = if more {
        page.last().map_or(0, |(id, _)| id.0)
    } else {
        0
    };
    Ok(types::messages::AffectedHistory {
        pts: deleted.pts.0,
        pts_count,
        offset,
    }
    .into())
}

/// A conversation without messages or draft leaves the list.
async fn forget_draft(cx: &mut Cx, peer: Peer) -> Result<(), Error> {
    let now = cx.world.now;
    let tx = cx.own()?;
    if dialogs::dialog(tx, peer).await?.draft.is_some() {
        dialogs::change(tx, peer, |d| d.draft = None).await?;
        updates::append(tx, now, Event::Draft(peer)).await?;
    }
    Ok(())
}
