//! `messages.readMessageContents`: voice notes, video notes and mentions were consumed; authors are told.

use havre_domain::ids::{MessageId, Peer};
use havre_domain::keys::partition;
use havre_domain::limits::IDS_MAX;
use havre_domain::messages;
use havre_domain::outbox::Effect;
use havre_domain::updates;
use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 LIMIT_INVALID` for too many at once.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::ReadMessageContents,
) -> Result<enums::messages::AffectedMessages, Error> {
    if request.id.len() > IDS_MAX {
        return Err(RpcError::LIMIT_INVALID.into());
    }
    let now = cx.world.now;
    let tx = cx.own()?;
    let mut incoming = Vec::with_capacity(request.id.len());
    for id in request.id.into_iter().map(MessageId) {
        // What the owner sent is consumed by the other side.
        if messages::find(tx, id).await?.is_some_and(|(_, m)| !m.out) {
            incoming.push(id);
        }
    }
    let consumed = messages::consume(tx, now, &incoming).await?;
    for origin in consumed.iter().map(|message| message.origin) {
        if let Peer::User(author) = origin.source {
            tx.send(partition::user(author), &Effect::Consumed { origin });
        }
    }
    let pts_count = i32::try_from(consumed.len()).unwrap_or(i32::MAX);
    let pts = updates::counters(tx).await?.pts.0;
    Ok(types::messages::AffectedMessages { pts, pts_count }.into())
}
