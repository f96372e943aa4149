//! `folders.editPeerFolders`: conversations move to the archive and back.

use havre_domain::dialogs;
use havre_domain::ids::Peer;
use havre_domain::limits::IDS_MAX;
use havre_domain::updates::{self, Event};
use havre_tl::{enums, functions};

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::rpc::messages::get_dialogs::folder;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 FOLDER_ID_INVALID`, `400 PEER_ID_INVALID`, `400 LIMIT_INVALID` for too many at once.
pub async fn call(
    cx: &mut Cx,
    request: functions::folders::EditPeerFolders,
) -> Result<enums::Updates, Error> {
    if request.folder_peers.len() > IDS_MAX {
        return Err(RpcError::LIMIT_INVALID.into());
    }
    let mut moves: Vec<(Peer, u8)> = Vec::with_capacity(request.folder_peers.len());
    for enums::InputFolderPeer::InputFolderPeer(input) in &request.folder_peers {
        moves.push((cx.input_peer(&input.peer).await?, folder(Some(input.folder_id))?));
    }
    let before = cx.cursor().await?;
    let now = cx.world.now;
    let tx = cx.own()?;
    for (peer, folder) in moves {
        let from = dialogs::dialog(tx, peer).await?;
        if from.folder == folder {
            continue;
        }
        if from.pinned {
            let pins = dialogs::pins(tx, from.folder).await?;
            dialogs::set_pins(tx, from.folder, pins.into_iter().filter(|p| *p != peer).collect()).await?;
        }
        dialogs::change(tx, peer, |d| d.folder = folder).await?;
        updates::append(
            tx,
            now,
            Event::Folder {
                peers: vec![peer],
                folder,
            },
        )
        .await?;
    }
    Ok(cx.updates_since(before).await?.into())
}
