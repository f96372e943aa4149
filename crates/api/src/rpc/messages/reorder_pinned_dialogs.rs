//! `messages.reorderPinnedDialogs`: the order of pinned conversations; those named are pinned by it, and with
//! `force` those not named are unpinned.

use havre_domain::dialogs;
use havre_domain::ids::Peer;
use havre_domain::limits::PINNED_DIALOGS_MAX;
use havre_domain::updates::{self, Event};
use havre_tl::functions;

use super::get_dialogs::folder;
use super::toggle_dialog_pin::dialog_peer;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 PEER_ID_INVALID`, `400 FOLDER_ID_INVALID`, `400 PINNED_DIALOGS_TOO_MUCH`.
pub async fn call(cx: &mut Cx, request: functions::messages::ReorderPinnedDialogs) -> Result<bool, Error> {
    let folder = folder(Some(request.folder_id))?;
    if request.order.len() > PINNED_DIALOGS_MAX {
        return Err(RpcError::PINNED_DIALOGS_TOO_MUCH.into());
    }
    let mut order: Vec<Peer> = Vec::with_capacity(request.order.len());
    for input in &request.order {
        let peer = dialog_peer(cx, input).await?;
        let dialog = dialogs::dialog(cx.view_own()?, peer).await?;
        if !order.contains(&peer) && dialog.is_listed() && dialog.folder == folder {
            order.push(peer);
        }
    }
    let now = cx.world.now;
    let tx = cx.own()?;
    let before = dialogs::pins(tx, folder).await?;
    if !request.force {
        let unnamed: Vec<Peer> = before.iter().filter(|p| !order.contains(p)).copied().collect();
        order.extend(unnamed);
    }
    if order.len() > PINNED_DIALOGS_MAX {
        return Err(RpcError::PINNED_DIALOGS_TOO_MUCH.into());
    }
    if order != before {
        dialogs::set_pins(tx, folder, order).await?;
        updates::append(tx, now, Event::PinnedOrder(folder)).await?;
    }
    Ok(true)
}
