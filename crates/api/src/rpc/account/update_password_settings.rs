//! `account.updatePasswordSettings`: sets, changes or removes the password.

use havre_domain::ids::UserId;
use havre_domain::keys;
use havre_domain::limits::HINT_LEN_MAX;
use havre_domain::password::{self as domain, Lock, Password};
use havre_domain::srp;
use havre_tl::{enums, functions};

use super::password;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Bytes that a client adds to the first salt: at least so many, and at most as many as here twice.
const CLIENT_SALT_LEN: usize = 32;

/// Answers. The current password must be proved, when there is one.
///
/// # Errors
/// As for `auth.checkPassword`; `400 NEW_SALT_INVALID` when the salts are not those offered,
/// `400 NEW_SETTINGS_INVALID`, `400 EMAIL_INVALID` as there is no recovery by mail.
pub async fn call(cx: &mut Cx, request: functions::account::UpdatePasswordSettings) -> Result<bool, Error> {
    let me = cx.me()?;
    let mut stored = domain::password(cx.own()?).await?;
    if stored.lock.is_some() {
        password::check(cx, me, &request.password).await?;
    }
    let enums::account::PasswordInputSettings::PasswordInputSettings(new) = request.new_settings;
    if new.email.is_some_and(|email| !email.is_empty()) {
        return Err(RpcError::EMAIL_INVALID.into());
    }
    let (Some(algo), None) = (new.new_algo, new.new_secure_settings) else {
        return Err(RpcError::NEW_SETTINGS_INVALID.into());
    };
    let verifier = new.new_password_hash.unwrap_or_default();
    let lock = lock(cx, me, &stored, algo, verifier, new.hint.unwrap_or_default())?;
    stored.change(lock);
    cx.own()?.put(keys::password(), &stored);
    Ok(true)
}

/// The new password; nothing when it is to be removed.
fn lock(
    cx: &Cx,
    me: UserId,
    stored: &Password,
    algo: enums::PasswordKdfAlgo,
    verifier: Vec<u8>,
    hint: String,
) -> Result<Option<Lock>, RpcError> {
    // Telethon removes a password by an empty one under the algorithm offered, mtcute under an unknown one.
    if verifier.is_empty() {
        return Ok(None);
    }
    let algo: password::Algo = match algo {
        enums::PasswordKdfAlgo::PasswordKdfAlgoUnknown => return Err(RpcError::NEW_SETTINGS_INVALID),
        enums::PasswordKdfAlgo::PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow(algo) => {
            algo
        }
    };
    if !extends(&algo, &password::next_algo(cx, me, stored)) {
        return Err(RpcError::NEW_SALT_INVALID);
    }
    let acceptable = srp::number(&verifier).filter(srp::is_acceptable);
    let verifier = acceptable.ok_or(RpcError::NEW_SETTINGS_INVALID)?.to_vec();
    if hint.chars().count() > HINT_LEN_MAX {
        return Err(RpcError::NEW_SETTINGS_INVALID);
    }
    Ok(Some(Lock {
        salt1: algo.salt1,
        salt2: algo.salt2,
        verifier,
        hint,
    }))
}

/// Whether a client hashed its new password in the way offered, with random bytes of its own added to the
/// first salt.
fn extends(used: &password::Algo, offered: &password::Algo) -> bool {
    let added = used.salt1.strip_prefix(&offered.salt1[..]);
    let enough = added.is_some_and(|salt| (CLIENT_SALT_LEN..=2 * CLIENT_SALT_LEN).contains(&salt.len()));
    enough && used.salt2 == offered.salt2 && (used.g, &used.p) == (offered.g, &offered.p)
}
