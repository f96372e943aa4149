//! `contacts.*`
pub mod add_contact;
pub mod block;
pub mod delete_contacts;
pub mod get_blocked;
pub mod get_contacts;
pub mod get_statuses;
pub mod import_contacts;
pub mod resolve_phone;
pub mod resolve_username;
pub mod search;
pub mod unblock;

use havre_domain::ids::Peer;
use havre_tl::{enums, types};

use crate::cx::Cx;
use crate::error::Error;
use crate::render::{self, Named};

/// Somebody, or a channel, who was found by a name or number.
async fn resolved(cx: &mut Cx, peer: Peer) -> Result<enums::contacts::ResolvedPeer, Error> {
    let me = cx.me()?;
    let mut named = Named::default();
    named.peer(peer);
    let (users, chats) = named.load(&mut cx.world, me).await?;
    Ok(types::contacts::ResolvedPeer {
        peer: render::peer(peer),
        chats,
        users,
    }
    .into())
}
