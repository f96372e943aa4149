//! `channels.deleteMessages`: messages go, for everybody.

use havre_domain::channel_messages;
use havre_domain::ids::{ChannelId, MessageId, Peer};
use havre_domain::limits::IDS_MAX;
use havre_domain::messages;
use havre_tl::{enums, functions, types};

use super::answers;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. Members delete what they wrote, administrators with the right to it everything.
///
/// # Errors
/// `400 CHANNEL_INVALID`, `406 CHANNEL_PRIVATE`, `403 MESSAGE_DELETE_FORBIDDEN`, `400 LIMIT_INVALID` for too many
/// at once.
pub async fn call(
    cx: &mut Cx,
    request: functions::channels::DeleteMessages,
) -> Result<enums::messages::AffectedMessages, Error> {
    if request.id.len() > IDS_MAX {
        return Err(RpcError::LIMIT_INVALID.into());
    }
    let id = cx.input_channel(&request.channel).await?;
    let ids: Vec<MessageId> = request.id.iter().copied().map(MessageId).collect();
    check(cx, id, &ids).await?;
    let before = cx.channel_cursor(id).await?;
    let now = cx.world.now;
    let deleted = channel_messages::delete(answers::tx(cx, id)?, now, &ids).await?;
    // The answer tells the asking session; the others are pushed it.
    cx.channel_updates_since(id, before).await?;
    Ok(types::messages::AffectedMessages {
        pts: deleted.pts.0,
        pts_count: i32::try_from(deleted.messages.len()).unwrap_or(i32::MAX),
    }
    .into())
}

/// Whether the asker may delete all of these.
async fn check(cx: &mut Cx, id: ChannelId, ids: &[MessageId]) -> Result<(), Error> {
    let (me, peer) = (cx.me()?, Peer::Channel(id));
    let standing = cx.readable(id).await?;
    if !standing.is_present() {
        return Err(RpcError::CHANNEL_PRIVATE.into());
    }
    if standing.admin().is_some_and(|rights| rights.delete_messages) {
        return Ok(());
    }
    let tx = cx.view_box(peer)?;
    for &message in ids {
        let found = messages::find_in(tx, peer, message).await?;
        if found.is_some_and(|m| m.from != me) {
            return Err(RpcError::MESSAGE_DELETE_FORBIDDEN.into());
        }
    }
    Ok(())
}
