//! `account.getNotifySettings`: of a conversation, or of all of a kind.

use havre_domain::{dialogs, keys};
use havre_tl::{enums, functions};

use super::notify::{self, Scope};
use crate::cx::{Access, Cx};
use crate::error::Error;
use crate::render;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 PEER_ID_INVALID`.
pub async fn call(
    cx: &mut Cx,
    request: functions::account::GetNotifySettings,
) -> Result<enums::PeerNotifySettings, Error> {
    let stored: Option<Vec<u8>> = match notify::scope(cx, &request.peer).await? {
        Scope::Peer(peer) => dialogs::dialog(cx.view_own()?, peer).await?.notify,
        Scope::All(scope) => cx.view_own()?.get(&keys::notify(scope)).await?,
    };
    Ok(render::notify_settings(stored.as_deref()))
}
