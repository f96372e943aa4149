//! `channels.getAdminedPublicChannels`: public channels that the asker made.

use havre_domain::channel_members;
use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::Error;
use crate::render;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. There is no most of public channels that a limit could be checked against, and none has a place.
///
/// # Errors
/// [`Error`].
pub async fn call(
    cx: &mut Cx,
    request: functions::channels::GetAdminedPublicChannels,
) -> Result<enums::messages::Chats, Error> {
    let me = cx.me()?;
    let mut chats = Vec::new();
    for channel in channel_members::joined(cx.view_own()?).await? {
        let standing = cx.standing(channel).await?;
        let is_wanted = standing.is_some_and(|s| s.is_creator() && s.channel.username.is_some());
        if is_wanted && !request.by_location {
            chats.push(render::channel(&mut cx.world, me, channel).await?);
        }
    }
    Ok(types::messages::Chats { chats }.into())
}
