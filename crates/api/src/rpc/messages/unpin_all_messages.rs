//! `messages.unpinAllMessages`: nothing is pinned in a conversation any more, for everybody.

use havre_domain::ids::MessageId;
use havre_domain::keys::partition;
use havre_domain::limits::PAGE_MAX;
use havre_domain::messages;
use havre_domain::outbox::{self, Effect};
use havre_domain::search::{self, Kind};
use havre_domain::updates;
use havre_store::Order;
use havre_tl::{enums, functions, types};

use super::sending;
use super::update_pinned_message::may_pin;
use crate::cx::{Access, Cx};
use crate::error::Error;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 PEER_ID_INVALID`, `400 CHAT_ADMIN_REQUIRED`.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::UnpinAllMessages,
) -> Result<enums::messages::AffectedHistory, Error> {
    let peer = cx.own_peer(&request.peer).await?;
    let others = sending::audience(cx, peer).await?.others;
    may_pin(cx, peer).await?;
    let now = cx.world.now;
    let tx = cx.own()?;
    let all = (MessageId(0), MessageId(i32::MAX));
    let ids = search::of_kind(tx, Kind::Pinned, peer, all, Order::Ascending, PAGE_MAX).await?;
    for id in &ids {
        outbox::set_pinned(tx, now, *id, false).await?;
        if let Some(message) = messages::find_in(tx, peer, *id).await? {
            for (user, _) in &others {
                let unpinned = Effect::Pinned {
                    origin: message.origin,
                    pinned: false,
                };
                tx.send(partition::user(*user), &unpinned);
            }
        }
    }
    let pts = updates::counters(tx).await?.pts.0;
    let pts_count = i32::try_from(ids.len()).unwrap_or(i32::MAX);
    let offset = i32::from(ids.len() == PAGE_MAX);
    Ok(types::messages::AffectedHistory {
        pts,
        pts_count,
        offset,
    }
    .into())
}
