//! `contacts.unblock`: what somebody writes arrives again.

use havre_domain::contacts;
use havre_domain::ids::Peer;
use havre_tl::functions;

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. Somebody who was not blocked stays so.
///
/// # Errors
/// `400 PEER_ID_INVALID` for who is not a person.
pub async fn call(cx: &mut Cx, request: functions::contacts::Unblock) -> Result<bool, Error> {
    let now = cx.world.now;
    // Unblocking from stories alone: there are none.
    if request.my_stories_from {
        return Err(RpcError::INPUT_METHOD_INVALID.into());
    }
    let Peer::User(user) = cx.input_peer(&request.id).await? else {
        return Err(RpcError::PEER_ID_INVALID.into());
    };
    contacts::set_blocked(cx.own()?, now, user, false).await?;
    Ok(true)
}
