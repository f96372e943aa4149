//! `messages.getPinnedDialogs`: pinned conversations of a folder, in order, with the state of updates.

use havre_domain::dialogs;
use havre_tl::{enums, functions};

use super::get_dialogs::folder;
use super::get_peer_dialogs::answer;
use crate::cx::{Access, Cx};
use crate::error::Error;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 FOLDER_ID_INVALID`.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::GetPinnedDialogs,
) -> Result<enums::messages::PeerDialogs, Error> {
    let folder = folder(Some(request.folder_id))?;
    let tx = cx.view_own()?;
    let mut listed = Vec::new();
    for peer in dialogs::pins(tx, folder).await? {
        listed.push((peer, dialogs::dialog(tx, peer).await?));
    }
    answer(cx, &listed).await
}
