//! Telling others at once that somebody changed. Nothing of it is kept: who is not connected sees the change
//! with whatever names the person next.

use havre_domain::dialogs::{self, FOLDER_ARCHIVE};
use havre_domain::ids::{Peer, SERVICE_USER, UserId};
use havre_domain::limits::TOLD_MAX;
use havre_tl::types;

use crate::cx::{After, Cx};
use crate::error::Error;
use crate::render;

/// After the commit, tells the people of the asker's newest private chats that the asker's name or photo
/// changed, each as far as they may see it.
///
/// # Errors
/// [`Error`].
pub async fn person_changed(cx: &mut Cx) -> Result<(), Error> {
    let me = cx.me()?;
    for user in acquaintances(cx).await? {
        if !cx.api.live.is_connected(user) {
            continue;
        }
        let updates = types::Updates {
            updates: vec![types::UpdateUser { user_id: me.0 }.into()],
            users: vec![render::user(&mut cx.world, user, me).await?],
            date: cx.world.now.date(),
            ..types::Updates::default()
        };
        let updates = Box::new(updates.into());
        cx.after.push(After::Tell { user, updates });
    }
    Ok(())
}

/// The people of the newest private chats, at most [`TOLD_MAX`] from each folder.
async fn acquaintances(cx: &mut Cx) -> Result<Vec<UserId>, Error> {
    let me = cx.me()?;
    let mut people = Vec::new();
    for folder in [0, FOLDER_ARCHIVE] {
        for (peer, _) in dialogs::page(cx.view_own()?, folder, None, TOLD_MAX).await? {
            if let Peer::User(user) = peer
                && user != me
                && user != SERVICE_USER
            {
                people.push(user);
            }
        }
    }
    Ok(people)
}
