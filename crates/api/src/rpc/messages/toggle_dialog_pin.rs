//! `messages.toggleDialogPin`: a conversation on top of its folder, or not.

use havre_domain::dialogs;
use havre_domain::ids::Peer;
use havre_domain::limits::PINNED_DIALOGS_MAX;
use havre_domain::updates::{self, Event};
use havre_tl::{enums, functions};

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 PEER_ID_INVALID`, `400 PEER_HISTORY_EMPTY`, `400 PINNED_DIALOGS_TOO_MUCH`.
pub async fn call(cx: &mut Cx, request: functions::messages::ToggleDialogPin) -> Result<bool, Error> {
    let peer = dialog_peer(cx, &request.peer).await?;
    let (now, pinned) = (cx.world.now, request.pinned);
    let dialog = cx.dialog(peer).await?;
    if dialog.pinned == pinned {
        return Ok(true);
    }
    if pinned && !dialog.is_listed() {
        return Err(RpcError::PEER_HISTORY_EMPTY.into());
    }
    let folder = dialog.folder;
    let tx = cx.own()?;
    let mut pins = dialogs::pins(tx, folder).await?;
    pins.retain(|p| *p != peer);
    if pinned {
        pins.insert(0, peer);
    }
    if pins.len() > PINNED_DIALOGS_MAX {
        return Err(RpcError::PINNED_DIALOGS_TOO_MUCH.into());
    }
    dialogs::set_pins(tx, folder, pins).await?;
    updates::append(tx, now, Event::DialogPinned { peer, folder, pinned }).await?;
    Ok(true)
}

/// The conversation that an `InputDialogPeer` names.
///
/// # Errors
/// `400 PEER_ID_INVALID`.
pub async fn dialog_peer(cx: &mut Cx, input: &enums::InputDialogPeer) -> Result<Peer, Error> {
    match input {
        enums::InputDialogPeer::InputDialogPeer(input) => cx.input_peer(&input.peer).await,
        _ => Err(RpcError::PEER_ID_INVALID.into()),
    }
}
