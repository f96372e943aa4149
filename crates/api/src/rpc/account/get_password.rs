//! `account.getPassword`: what a client needs to prove a password, or to set one.

use havre_domain::auth_keys;
use havre_domain::ids::UserId;
use havre_domain::login_emails;
use havre_domain::password as domain;
use havre_tl::{enums, functions, types};

use super::password;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Before login too, once the code was right.
pub const ACCESS: Access = Access::Open;

/// Bytes of randomness that clients mix into their own.
const RANDOM_LEN: usize = 256;
/// Bytes of the salt for what clients encrypt with the password.
const SECURE_SALT_LEN: usize = 8;

/// Answers. Clients need both `new_*` also while there is no password.
///
/// # Errors
/// `401 AUTH_KEY_UNREGISTERED` on a key where nobody is logged in and no password is asked for.
pub async fn call(
    cx: &mut Cx,
    _: functions::account::GetPassword,
) -> Result<enums::account::Password, Error> {
    let user = whose(cx).await?;
    let stored = domain::password(cx.world.view_user(user)).await?;
    let secure_salt: [u8; SECURE_SALT_LEN] = cx.world.random_bytes();
    let secure_random: [u8; RANDOM_LEN] = cx.world.random_bytes();
    let mut answer = types::account::Password {
        new_algo: password::next_algo(cx, user, &stored).into(),
        new_secure_algo: types::SecurePasswordKdfAlgoPBKDF2HMACSHA512iter100000 {
            salt: secure_salt.to_vec(),
        }
        .into(),
        secure_random: secure_random.to_vec(),
        ..Default::default()
    };
    if cx.user.is_some() {
        let email = login_emails::login_email(cx.view_own()?).await?;
        answer.login_email_pattern = email.map(|email| email.address.pattern());
    }
    if let Some(lock) = &stored.lock {
        let id = password::begin(cx, &stored);
        answer.has_password = true;
        answer.current_algo = Some(password::algo(&lock.salt1, &lock.salt2).into());
        answer.srp_id = Some(id);
        answer.srp_b = Some(password::public(cx, user, id, lock)?);
        answer.hint = Some(lock.hint.clone()).filter(|hint| !hint.is_empty());
    }
    Ok(answer.into())
}

/// Whose password a caller may be told of or try: their own, or the one that their login waits for.
///
/// # Errors
/// `401 AUTH_KEY_UNREGISTERED`.
pub async fn whose(cx: &mut Cx) -> Result<UserId, Error> {
    if let Some(user) = cx.user {
        return Ok(user);
    }
    let (key, now) = (cx.key, cx.world.now);
    let awaits = auth_keys::awaited(cx.world.view(auth_keys::at(key)), now).await?;
    let awaits = awaits.ok_or(RpcError::AUTH_KEY_UNREGISTERED)?;
    Ok(awaits.user)
}
