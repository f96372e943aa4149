//! `contacts.block`: what somebody writes does not arrive any more, and they see less of the asker.

use havre_domain::contacts;
use havre_domain::ids::Peer;
use havre_domain::limits::BLOCKED_MAX;
use havre_tl::functions;

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. Somebody who is blocked already stays so.
///
/// # Errors
/// `400 CONTACT_ID_INVALID` for oneself, `400 PEER_ID_INVALID` for who is not a person,
/// `400 USERS_TOO_MUCH` when there is no room.
pub async fn call(cx: &mut Cx, request: functions::contacts::Block) -> Result<bool, Error> {
    let (me, now) = (cx.me()?, cx.world.now);
    // Blocking from stories alone: there are none.
    if request.my_stories_from {
        return Err(RpcError::INPUT_METHOD_INVALID.into());
    }
    let Peer::User(user) = cx.input_peer(&request.id).await? else {
        return Err(RpcError::PEER_ID_INVALID.into());
    };
    if user == me {
        return Err(RpcError::CONTACT_ID_INVALID.into());
    }
    let tx = cx.own()?;
    if contacts::all_blocked(tx).await?.len() >= BLOCKED_MAX {
        return Err(RpcError::USERS_TOO_MUCH.into());
    }
    contacts::set_blocked(tx, now, user, true).await?;
    Ok(true)
}
