//! `channels.toggleSlowMode`: how long members of a supergroup wait between two messages.

use havre_domain::channels;
use havre_domain::updates::{self, Event};
use havre_tl::{enums, functions};

use super::answers;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Waits that may be chosen, seconds (core.telegram.org/method/channels.toggleSlowMode).
const SECONDS: [i32; 7] = [0, 10, 30, 60, 5 * 60, 15 * 60, 60 * 60];

/// Answers.
///
/// # Errors
/// `400 CHANNEL_INVALID`, `406 CHANNEL_PRIVATE`, `400 CHAT_ADMIN_REQUIRED`, `400 SECONDS_INVALID`,
/// `400 CHAT_NOT_MODIFIED`, `420 FLOOD_WAIT_n`.
pub async fn call(
    cx: &mut Cx,
    request: functions::channels::ToggleSlowMode,
) -> Result<enums::Updates, Error> {
    let now = cx.world.now;
    let mut deed = answers::admin_deed(cx, &request.channel, |a| a.ban_users).await?;
    if !SECONDS.contains(&request.seconds) || !deed.standing.channel.megagroup {
        return Err(RpcError::SECONDS_INVALID.into());
    }
    if deed.standing.channel.slow_mode == request.seconds {
        return Err(RpcError::CHAT_NOT_MODIFIED.into());
    }
    deed.standing.channel.slow_mode = request.seconds;
    let tx = answers::tx(cx, deed.id)?;
    channels::save(tx, &deed.standing.channel);
    updates::append(tx, now, Event::Channel(deed.id)).await?;
    Ok(answers::answer(cx, &deed).await?.into())
}
