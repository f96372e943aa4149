//! `channels.getChannels`: channels, in the order asked; `channelForbidden` for those that the asker may not read.

use havre_domain::limits::IDS_MAX;
use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::render;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 CHANNEL_INVALID`, `400 LIMIT_INVALID` for too many at once.
pub async fn call(
    cx: &mut Cx,
    request: functions::channels::GetChannels,
) -> Result<enums::messages::Chats, Error> {
    let me = cx.me()?;
    if request.id.len() > IDS_MAX {
        return Err(RpcError::LIMIT_INVALID.into());
    }
    let mut chats = Vec::with_capacity(request.id.len());
    for input in &request.id {
        let channel = cx.input_channel(input).await?;
        chats.push(render::channel(&mut cx.world, me, channel).await?);
    }
    Ok(types::messages::Chats { chats }.into())
}
