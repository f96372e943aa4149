//! `account.updateNotifySettings`: of a conversation, or of all of a kind.

use havre_domain::updates::{self, Event};
use havre_domain::{dialogs, keys};
use havre_tl::{Serialize as _, functions};

use super::notify::{self, Scope};
use crate::cx::{Access, Cx};
use crate::error::Error;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. The caller's other sessions are told.
///
/// # Errors
/// `400 PEER_ID_INVALID`.
pub async fn call(cx: &mut Cx, request: functions::account::UpdateNotifySettings) -> Result<bool, Error> {
    let scope = notify::scope(cx, &request.peer).await?;
    let settings = notify::settings(request.settings).to_bytes();
    let now = cx.world.now;
    let tx = cx.own()?;
    let event = match scope {
        Scope::Peer(peer) => {
            dialogs::change(tx, peer, |d| d.notify = Some(settings)).await?;
            Event::NotifyPeer(peer)
        }
        Scope::All(scope) => {
            tx.put(keys::notify(scope), &settings);
            Event::NotifyScope(scope)
        }
    };
    updates::append(tx, now, event).await?;
    Ok(true)
}
