//! `messages.getPinnedDialogs`: pinned conversations of a folder, in order, with the state of updates. In
//! folder 0 the archive's row comes first: some clients find the archive only here.

use havre_domain::dialogs;
use havre_tl::{enums, functions};

use super::dialog_rows::Rows;
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
    let mut rows = Rows::default();
    if folder == 0 {
        rows.push_archive(cx).await?;
    }
    for peer in dialogs::pins(cx.view_own()?, folder).await? {
        rows.push(peer, &cx.dialog(peer).await?);
    }
    answer(cx, rows).await
}
