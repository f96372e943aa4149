//! `messages.getDialogUnreadMarks`: conversations marked unread by hand, among the newest of each folder.

use havre_domain::dialogs::{self, FOLDER_ARCHIVE};
use havre_domain::limits::PAGE_MAX;
use havre_tl::{enums, functions};

use crate::cx::{Access, Cx};
use crate::error::Error;
use crate::render;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// [`Error`].
pub async fn call(
    cx: &mut Cx,
    _: functions::messages::GetDialogUnreadMarks,
) -> Result<Vec<enums::DialogPeer>, Error> {
    let mut marked = Vec::new();
    for folder in [0, FOLDER_ARCHIVE] {
        let page = dialogs::page(cx.view_own()?, folder, None, PAGE_MAX).await?;
        marked.extend(
            page.into_iter()
                .filter(|(_, d)| d.marked_unread)
                .map(|(peer, _)| render::dialog_peer(peer)),
        );
    }
    Ok(marked)
}
