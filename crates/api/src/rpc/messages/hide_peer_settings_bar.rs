//! `messages.hidePeerSettingsBar`: the bar above a conversation is put away.

use havre_domain::dialogs;
use havre_domain::updates::{self, Event};
use havre_tl::functions;

use crate::cx::{Access, Cx};
use crate::error::Error;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 PEER_ID_INVALID`.
pub async fn call(cx: &mut Cx, request: functions::messages::HidePeerSettingsBar) -> Result<bool, Error> {
    let peer = cx.own_peer(&request.peer).await?;
    let now = cx.world.now;
    let tx = cx.own()?;
    if !dialogs::dialog(tx, peer).await?.bar_hidden {
        dialogs::change(tx, peer, |d| d.bar_hidden = true).await?;
        updates::append(tx, now, Event::PeerSettings(peer)).await?;
    }
    Ok(true)
}
