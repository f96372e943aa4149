//! `contacts.resolvePhone`: who has a number, if they want to be found by it.

use havre_domain::flood::PHONE_LOOKUPS;
use havre_domain::ids::Peer;
use havre_domain::phones;
use havre_tl::{enums, functions};

use super::resolved;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. A number that nobody has and one whose owner hides are told alike.
///
/// # Errors
/// `400 PHONE_NOT_OCCUPIED`, `420 FLOOD_WAIT_n`.
pub async fn call(
    cx: &mut Cx,
    request: functions::contacts::ResolvePhone,
) -> Result<enums::contacts::ResolvedPeer, Error> {
    let me = cx.me()?;
    cx.spend(PHONE_LOOKUPS, 1).await?;
    match phones::find(&mut cx.world, me, &request.phone).await? {
        Some(user) => resolved(cx, Peer::User(user)).await,
        None => Err(RpcError::PHONE_NOT_OCCUPIED.into()),
    }
}
