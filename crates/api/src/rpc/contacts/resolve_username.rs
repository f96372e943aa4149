//! `contacts.resolveUsername`: who has a username.

use havre_domain::flood::NAME_LOOKUPS;
use havre_domain::ids::Peer;
use havre_domain::keys::partition;
use havre_domain::{channels, usernames};
use havre_tl::{enums, functions};

use super::resolved;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 USERNAME_INVALID`, `400 USERNAME_NOT_OCCUPIED`, `420 FLOOD_WAIT_n`.
pub async fn call(
    cx: &mut Cx,
    request: functions::contacts::ResolveUsername,
) -> Result<enums::contacts::ResolvedPeer, Error> {
    let name = request.username.trim_start_matches('@');
    if !usernames::is_valid(name) {
        return Err(RpcError::USERNAME_INVALID.into());
    }
    cx.spend(NAME_LOOKUPS, 1).await?;
    let claim = cx.world.view(partition::username(&name.to_ascii_lowercase()));
    let owner = match usernames::owner(claim).await? {
        Some(owner) => Some(Peer::User(owner)),
        None => channels::claimed(claim).await?.map(Peer::Channel),
    };
    resolved(cx, owner.ok_or(RpcError::USERNAME_NOT_OCCUPIED)?).await
}
