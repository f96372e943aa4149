//! `channels.deleteParticipantHistory`: everything that somebody wrote in a supergroup goes.

use havre_domain::channel_messages;
use havre_domain::ids::Peer;
use havre_domain::limits::DELETE_MAX;
use havre_tl::{enums, functions, types};

use super::answers;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. At most [`DELETE_MAX`] messages go at once; clients ask again while `offset` is not 0.
///
/// # Errors
/// `400 CHANNEL_INVALID`, `406 CHANNEL_PRIVATE`, `400 CHAT_ADMIN_REQUIRED`, `400 PARTICIPANT_ID_INVALID`,
/// `420 FLOOD_WAIT_n`.
pub async fn call(
    cx: &mut Cx,
    request: functions::channels::DeleteParticipantHistory,
) -> Result<enums::messages::AffectedHistory, Error> {
    let now = cx.world.now;
    let deed = answers::admin_deed(cx, &request.channel, |a| a.delete_messages).await?;
    let Peer::User(author) = cx.input_peer(&request.participant).await? else {
        return Err(RpcError::PARTICIPANT_ID_INVALID.into());
    };
    let before = cx.channel_cursor(deed.id).await?;
    let tx = answers::tx(cx, deed.id)?;
    let ids = channel_messages::newest_of(tx, author, DELETE_MAX).await?;
    let deleted = channel_messages::delete(tx, now, &ids).await?;
    // The answer tells the asking session; the others are pushed it.
    cx.channel_updates_since(deed.id, before).await?;
    Ok(types::messages::AffectedHistory {
        pts: deleted.pts.0,
        pts_count: i32::try_from(deleted.messages.len()).unwrap_or(i32::MAX),
        offset: i32::from(ids.len() == DELETE_MAX),
    }
    .into())
}
