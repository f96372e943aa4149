//! `messages.getPeerDialogs`: certain conversations, empty ones too, with the state of updates.

use havre_domain::dialogs;
use havre_domain::limits::IDS_MAX;
use havre_tl::{enums, functions, types};

use super::dialog_rows::Rows;
use super::get_dialogs::folder;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::rpc::updates::get_state::state;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 LIMIT_INVALID` for too many at once, `400 PEER_ID_INVALID`, `400 FOLDER_ID_INVALID`.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::GetPeerDialogs,
) -> Result<enums::messages::PeerDialogs, Error> {
    if request.peers.len() > IDS_MAX {
        return Err(RpcError::LIMIT_INVALID.into());
    }
    let mut rows = Rows::default();
    for input in &request.peers {
        match input {
            enums::InputDialogPeer::InputDialogPeer(input) => {
                let peer = cx.input_peer(&input.peer).await?;
                rows.push(peer, &cx.dialog(peer).await?);
            }
            enums::InputDialogPeer::InputDialogPeerFolder(input) => {
                if folder(Some(input.folder_id))? == dialogs::FOLDER_ARCHIVE {
                    rows.push_archive(cx).await?;
                }
            }
            enums::InputDialogPeer::InputDialogPeerCommunity(_) => {
                return Err(RpcError::PEER_ID_INVALID.into());
            }
        }
    }
    answer(cx, rows).await
}

/// Conversations with the state of updates.
///
/// # Errors
/// [`Error`].
pub async fn answer(cx: &mut Cx, mut rows: Rows) -> Result<enums::messages::PeerDialogs, Error> {
    let shown = rows.shown(cx).await?;
    let counters = havre_domain::updates::counters(cx.view_own()?).await?;
    let state = state(cx, counters).await?.into();
    Ok(types::messages::PeerDialogs {
        dialogs: rows.rows,
        messages: shown.messages,
        chats: shown.chats,
        users: shown.users,
        state,
    }
    .into())
}
