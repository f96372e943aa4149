//! `channels.exportMessageLink`: a link to a message of a channel.

use havre_domain::ids::{MessageId, Peer};
use havre_domain::messages;
use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. The link is under `t.me` because that is the form which clients recognize; the one to a private channel
/// helps its members only (core.telegram.org/api/links, "Message links").
///
/// # Errors
/// `400 CHANNEL_INVALID`, `406 CHANNEL_PRIVATE`, `400 MESSAGE_ID_INVALID`.
pub async fn call(
    cx: &mut Cx,
    request: functions::channels::ExportMessageLink,
) -> Result<enums::ExportedMessageLink, Error> {
    let channel = cx.input_channel(&request.channel).await?;
    let standing = cx.readable(channel).await?;
    let (peer, id) = (Peer::Channel(channel), MessageId(request.id));
    let found = messages::find_in(cx.view_box(peer)?, peer, id).await?;
    found.ok_or(RpcError::MESSAGE_ID_INVALID)?;
    let place = match standing.channel.username {
        Some(name) => name,
        None => format!("c/{}", channel.0),
    };
    let link = format!("https://t.me/{place}/{}", request.id);
    let html = String::new();
    Ok(types::ExportedMessageLink { link, html }.into())
}
