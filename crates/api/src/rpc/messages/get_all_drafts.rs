//! `messages.getAllDrafts`: the drafts of the newest conversations, as updates.

use havre_domain::dialogs::{self, FOLDER_ARCHIVE};
use havre_domain::limits::PAGE_MAX;
use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::Error;
use crate::render::{self, Named};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// [`Error`].
pub async fn call(cx: &mut Cx, _: functions::messages::GetAllDrafts) -> Result<enums::Updates, Error> {
    let me = cx.me()?;
    let mut named = Named::default();
    let mut updates = Vec::new();
    for folder in [0, FOLDER_ARCHIVE] {
        for (peer, dialog) in dialogs::page(cx.view_own()?, folder, None, PAGE_MAX).await? {
            if dialog.draft.is_some() {
                named.peer(peer);
                let (peer, draft) = (render::peer(peer), render::draft(&dialog));
                updates.push(
                    types::UpdateDraftMessage {
                        peer,
                        draft,
                        ..Default::default()
                    }
                    .into(),
                );
            }
        }
    }
    let (users, chats) = named.load(&mut cx.world, me).await?;
    Ok(types::Updates {
        updates,
        users,
        chats,
        date: cx.world.now.date(),
        seq: 0,
    }
    .into())
}
