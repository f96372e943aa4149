//! `auth.bindTempAuthKey`: the temporary key that asks stands for a permanent one from now on (RP-5, RP-6).

use havre_domain::auth_keys::{self, AuthKey};
use havre_domain::ids::AuthKeyId;
use havre_domain::keys;
use havre_domain::limits::TEMP_KEYS_MAX;
use havre_domain::outbox::Effect;
use havre_mtproto::bind::{self, Binding};
use havre_mtproto::crypto;
use havre_tl::functions;

use crate::cx::{Access, After, Cx};
use crate::error::{Error, RpcError};

/// Before login, and before a client says anything of itself.
pub const ACCESS: Access = Access::Open;

/// Answers. Apps open several sessions with a temporary key each, so some may be bound at the same time;
/// the oldest goes when there are too many.
///
/// # Errors
/// `400 ENCRYPTED_MESSAGE_INVALID`, `400 TEMP_AUTH_KEY_EMPTY` on a permanent key,
/// `400 TEMP_AUTH_KEY_ALREADY_BOUND` on one that is bound to another permanent key.
pub async fn call(cx: &mut Cx, request: functions::auth::BindTempAuthKey) -> Result<bool, Error> {
    let (permanent, temporary) = (AuthKeyId(request.perm_auth_key_id), cx.session.key);
    let asking = auth_keys::auth_key(cx.world.view(auth_keys::at(temporary))).await?;
    let asking = asking.ok_or(RpcError::TEMP_AUTH_KEY_EMPTY)?;
    if asking.expires.is_none() {
        return Err(RpcError::TEMP_AUTH_KEY_EMPTY.into());
    }
    let record = auth_keys::auth_key(cx.world.subject(auth_keys::at(permanent))?).await?;
    let mut record = record.ok_or(RpcError::ENCRYPTED_MESSAGE_INVALID)?;
    if !is_proved(cx, &request, &record) {
        return Err(RpcError::ENCRYPTED_MESSAGE_INVALID.into());
    }
    match asking.bound_to {
        Some(bound) if bound == permanent => return Ok(true),
        Some(_) => return Err(RpcError::TEMP_AUTH_KEY_ALREADY_BOUND.into()),
        None => {}
    }
    record.bound_by.retain(|key| *key != temporary);
    record.bound_by.push(temporary);
    let too_many = record.bound_by.len().saturating_sub(TEMP_KEYS_MAX);
    let dropped: Vec<AuthKeyId> = record.bound_by.drain(..too_many).collect();
    let tx = cx.world.subject(auth_keys::at(permanent))?;
    tx.put(keys::subject(), &record);
    for key in dropped {
        tx.send(auth_keys::at(key), &Effect::Unbind(permanent));
    }
    tx.send(auth_keys::at(temporary), &Effect::Bind(permanent));
    cx.after.push(After::KeyChanged(temporary));
    // The next call comes under the permanent key's login.
    cx.settle().await?;
    Ok(true)
}

/// Whether the envelope was written with the permanent key, for this call and no other.
fn is_proved(cx: &Cx, request: &functions::auth::BindTempAuthKey, permanent: &AuthKey) -> bool {
    let opened = crypto::AuthKey::from_slice(&permanent.secret)
        .filter(|_| permanent.expires.is_none())
        .and_then(|key| bind::open(&key, &request.encrypted_message));
    let expected = Binding {
        msg_id: cx.msg_id,
        nonce: request.nonce,
        temp_auth_key_id: cx.session.key.0,
        perm_auth_key_id: request.perm_auth_key_id,
        temp_session_id: cx.session.id,
        expires_at: request.expires_at,
    };
    opened == Some(expected) && i64::from(request.expires_at) > cx.world.now.0
}
