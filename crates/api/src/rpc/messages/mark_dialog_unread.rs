//! `messages.markDialogUnread`: a conversation is marked unread by hand, or not.

use havre_domain::dialogs;
use havre_domain::updates::{self, Event};
use havre_tl::functions;

use super::toggle_dialog_pin::dialog_peer;
use crate::cx::{Access, Cx};
use crate::error::Error;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 PEER_ID_INVALID`.
pub async fn call(cx: &mut Cx, request: functions::messages::MarkDialogUnread) -> Result<bool, Error> {
    let peer = dialog_peer(cx, &request.peer).await?;
    let (now, unread) = (cx.world.now, request.unread);
    let tx = cx.own()?;
    if dialogs::dialog(tx, peer).await?.marked_unread != unread {
        dialogs::change(tx, peer, |d| d.marked_unread = unread).await?;
        updates::append(tx, now, Event::MarkedUnread(peer, unread)).await?;
    }
    Ok(true)
}
