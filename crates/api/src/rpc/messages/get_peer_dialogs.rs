//! `messages.getPeerDialogs`: certain conversations, empty ones too, with the state of updates.

use havre_domain::dialogs::{self, Dialog};
use havre_domain::ids::Peer;
use havre_domain::limits::IDS_MAX;
use havre_tl::{enums, functions, types};

use super::get_dialogs::with_messages;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::render;
use crate::rpc::updates::get_state::state;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 LIMIT_INVALID` for too many at once, `400 PEER_ID_INVALID`.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::GetPeerDialogs,
) -> Result<enums::messages::PeerDialogs, Error> {
    if request.peers.len() > IDS_MAX {
        return Err(RpcError::LIMIT_INVALID.into());
    }
    let mut listed = Vec::with_capacity(request.peers.len());
    for input in &request.peers {
        let enums::InputDialogPeer::InputDialogPeer(input) = input else {
            return Err(RpcError::PEER_ID_INVALID.into());
        };
        let peer = cx.input_peer(&input.peer).await?;
        listed.push((peer, dialogs::dialog(cx.view_own()?, peer).await?));
    }
    answer(cx, &listed).await
}

/// Conversations with the state of updates.
///
/// # Errors
/// [`Error`].
pub async fn answer(cx: &mut Cx, listed: &[(Peer, Dialog)]) -> Result<enums::messages::PeerDialogs, Error> {
    let (messages, users, chats) = with_messages(cx, listed).await?;
    let dialogs = listed
        .iter()
        .map(|(peer, dialog)| render::dialog(*peer, dialog).into())
        .collect();
    let counters = havre_domain::updates::counters(cx.view_own()?).await?;
    let state = state(cx, counters).into();
    Ok(types::messages::PeerDialogs {
        dialogs,
        messages,
        chats,
        users,
        state,
    }
    .into())
}
