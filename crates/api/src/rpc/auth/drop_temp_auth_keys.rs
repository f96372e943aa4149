//! `auth.dropTempAuthKeys`: temporary keys of the caller's permanent key end.

use havre_domain::auth_keys;
use havre_domain::ids::AuthKeyId;
use havre_domain::keys;
use havre_domain::outbox::Effect;
use havre_tl::functions;

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Before login too.
pub const ACCESS: Access = Access::Open;

/// Answers. The key that the call came under stays, besides those named.
///
/// # Errors
/// [`Error`].
pub async fn call(cx: &mut Cx, request: functions::auth::DropTempAuthKeys) -> Result<bool, Error> {
    let (permanent, calling) = (cx.key, cx.session.key);
    let tx = cx.world.subject(auth_keys::at(permanent))?;
    let record = auth_keys::auth_key(tx).await?;
    let mut record = record.ok_or(RpcError::AUTH_KEY_PERM_EMPTY)?;
    let stays = |key: &AuthKeyId| *key == calling || request.except_auth_keys.contains(&key.0);
    let (stay, dropped): (Vec<_>, Vec<_>) = record.bound_by.iter().copied().partition(stays);
    if dropped.is_empty() {
        return Ok(true);
    }
    record.bound_by = stay;
    tx.put(keys::subject(), &record);
    for key in dropped {
        tx.send(auth_keys::at(key), &Effect::Unbind(permanent));
    }
    cx.settle().await?;
    Ok(true)
}
