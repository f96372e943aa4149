//! `messages.getPeerSettings`: what the bar above a conversation offers.

use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::Error;
use crate::render::{self, Named};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 PEER_ID_INVALID`.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::GetPeerSettings,
) -> Result<enums::messages::PeerSettings, Error> {
    let peer = cx.input_peer(&request.peer).await?;
    let me = cx.me()?;
    let settings = render::peer_settings(&mut cx.world, me, peer).await?;
    let mut named = Named::default();
    named.peer(peer);
    let (users, chats) = named.load(&mut cx.world, me).await?;
    Ok(types::messages::PeerSettings {
        settings,
        chats,
        users,
    }
    .into())
}
