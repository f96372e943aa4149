//! `channels.toggleSignatures`: whether posts show who wrote them.

use havre_domain::channels;
use havre_domain::updates::{self, Event};
use havre_tl::{enums, functions};

use super::answers;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. Posts show a name, and never a profile.
///
/// # Errors
/// `400 CHANNEL_INVALID`, `406 CHANNEL_PRIVATE`, `400 CHAT_ADMIN_REQUIRED`, `400 CHAT_NOT_MODIFIED`,
/// `420 FLOOD_WAIT_n`.
pub async fn call(
    cx: &mut Cx,
    request: functions::channels::ToggleSignatures,
) -> Result<enums::Updates, Error> {
    let now = cx.world.now;
    let mut deed = answers::admin_deed(cx, &request.channel, |a| a.change_info).await?;
    let channel = &mut deed.standing.channel;
    if channel.megagroup || channel.signatures == request.signatures_enabled {
        return Err(RpcError::CHAT_NOT_MODIFIED.into());
    }
    channel.signatures = request.signatures_enabled;
    let tx = answers::tx(cx, deed.id)?;
    channels::save(tx, &deed.standing.channel);
    updates::append(tx, now, Event::Channel(deed.id)).await?;
    Ok(answers::answer(cx, &deed).await?.into())
}
