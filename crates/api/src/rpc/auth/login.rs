//! What all ways to log in share: the login itself, and the answer that shows who is logged in.

use havre_domain::auth_keys::{Awaits, Client};
use havre_domain::ids::{AuthKeyId, UserId};
use havre_domain::keys::partition;
use havre_domain::outbox::Effect;
use havre_domain::password;
use havre_domain::sessions::Session;
use havre_domain::tx::{Fault, Tx};
use havre_tl::{enums, types};

use crate::cx::Cx;
use crate::error::{Error, RpcError};
use crate::render;

/// A login of the caller's key.
#[must_use]
pub fn session(cx: &mut Cx) -> Session {
    let (key, client) = (cx.key, cx.client.clone());
    let address = cx.address.clone();
    session_of(cx, key, client, address)
}

/// A login of a key.
#[must_use]
pub fn session_of(cx: &mut Cx, key: AuthKeyId, client: Client, address: String) -> Session {
    let hash = cx.world.random_i64();
    Session {
        key,
        // 0 means the login that asks.
        hash: if hash == 0 { 1 } else { hash },
        client,
        created: cx.world.now,
        active: cx.world.now,
        address,
        ..Session::default()
    }
}

/// Tells the caller's key that `user` is logged in on it, and whoever was before that they are no more.
pub fn authorize(tx: &mut Tx, key: AuthKeyId, before: Option<UserId>, user: UserId) {
    if let Some(before) = before.filter(|b| *b != user) {
        tx.send(partition::user(before), &Effect::LoggedOut(key));
    }
    tx.send(partition::auth_key(key), &Effect::Authorize(user));
}

/// Whether somebody's login asks for a password.
///
/// # Errors
/// [`Error`].
pub async fn has_password(cx: &mut Cx, user: UserId) -> Result<bool, Error> {
    let password = password::password(cx.world.view_user(user)).await?;
    Ok(password.lock.is_some())
}

/// Tells a key that `user`'s password is asked for there.
pub fn await_password(tx: &mut Tx, key: AuthKeyId, awaits: Awaits) {
    tx.send(partition::auth_key(key), &Effect::AwaitPassword(awaits));
}

/// Commits, and answers that `user` is logged in.
///
/// # Errors
/// [`Error`].
pub async fn finish(cx: &mut Cx, user: UserId) -> Result<enums::auth::Authorization, Error> {
    cx.settle().await?;
    answer(cx, user).await
}

/// The answer that `user` is logged in.
///
/// # Errors
/// [`Error`].
pub async fn answer(cx: &mut Cx, user: UserId) -> Result<enums::auth::Authorization, Error> {
    // The login is made: a conflict must not run the method again, whose code is used up, but only read
    // again.
    let user = loop {
        match render::user(&mut cx.world, user, user).await {
            Err(Fault::Conflict) => cx.world.refresh()?,
            done => break done?,
        }
    };
    if matches!(user, enums::User::UserEmpty(_)) {
        return Err(RpcError::TIMEOUT.into());
    }
    Ok(types::auth::Authorization {
        user,
        ..Default::default()
    }
    .into())
}
