//! Authorization keys: the secret, the login on it, and what the client said of itself.

use havre_store::Partition;
use serde::{Deserialize, Serialize};

use crate::ids::{AuthKeyId, Time, UserId};
use crate::keys::{self, partition};
use crate::limits::PASSWORD_WAIT_TTL;
use crate::tx::{Fault, Tx};

/// One authorization key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthKey {
    /// 256 bytes.
    pub secret: Vec<u8>,
    /// When it was made.
    pub created: Time,
    /// When it stops being valid; temporary keys only.
    pub expires: Option<Time>,
    /// The permanent key that a temporary one is bound to.
    pub bound_to: Option<AuthKeyId>,
    /// The temporary keys that are bound to this permanent one, oldest first.
    pub bound_by: Vec<AuthKeyId>,
    /// Who is logged in.
    pub user: Option<UserId>,
    /// What `initConnection` said.
    pub client: Option<Client>,
}

impl std::fmt::Debug for AuthKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthKey")
            .field("user", &self.user)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// What a client says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// The API layer that it announced.
    pub layer: i32,
    /// Id of the application.
    pub api_id: i32,
    /// Device.
    pub device_model: String,
    /// Operating system.
    pub system_version: String,
    /// Application and version.
    pub app_version: String,
    /// Language of the interface.
    pub lang_code: String,
}

/// A login that is not finished, on a key that nobody is logged in on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// Whose password is still asked for.
    pub awaits: Option<Awaits>,
    /// The token shown as a QR code.
    pub token: Option<Token>,
}

/// The code was right, or the token was accepted, and the password is still asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Awaits {
    /// Whose.
    pub user: UserId,
    /// Since when.
    pub since: Time,
    /// It came by a token.
    pub by_token: bool,
}

/// What another login of the same person accepts to log this key in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Names the key and cannot be guessed.
    pub bytes: Vec<u8>,
    /// When it stops being valid.
    pub expires: Time,
    /// Accounts that the app is logged in on already.
    pub except: Vec<UserId>,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token")
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// What a login on a key has reached.
///
/// # Errors
/// [`Fault`]; so for everything here.
pub async fn login(tx: &mut Tx) -> Result<Login, Fault> {
    Ok(tx.get(&keys::login()).await?.unwrap_or_default())
}

/// Whose password is asked for on a key, while it is.
///
/// # Errors
/// [`Fault`].
pub async fn awaited(tx: &mut Tx, now: Time) -> Result<Option<Awaits>, Fault> {
    let awaits = login(tx).await?.awaits;
    Ok(awaits.filter(|a| a.since.plus(PASSWORD_WAIT_TTL) > now))
}

/// Asks for a password on a key. A token that was shown there is used up.
///
/// # Errors
/// [`Fault`].
pub async fn await_password(tx: &mut Tx, awaits: Awaits) -> Result<(), Fault> {
    if auth_key(tx).await?.is_some() {
        let login = Login {
            awaits: Some(awaits),
            token: None,
        };
        tx.put(keys::login(), &login);
    }
    Ok(())
}

/// Binds a temporary key to a permanent one, in the temporary key's partition. A key that is bound stays
/// with the permanent key that it is bound to.
///
/// # Errors
/// [`Fault`].
pub async fn bind(tx: &mut Tx, permanent: AuthKeyId) -> Result<(), Fault> {
    if let Some(mut key) = auth_key(tx).await? {
        key.bound_to.get_or_insert(permanent);
        tx.put(keys::subject(), &key);
    }
    Ok(())
}

/// Destroys a temporary key that was bound to `permanent`; any other stays.
///
/// # Errors
/// [`Fault`].
pub async fn unbind(tx: &mut Tx, permanent: AuthKeyId) -> Result<(), Fault> {
    if auth_key(tx)
        .await?
        .is_some_and(|key| key.bound_to == Some(permanent))
    {
        tx.delete(keys::subject());
        tx.delete(keys::login());
    }
    Ok(())
}

/// A key, if there is one.
///
/// # Errors
/// [`Fault`].
pub async fn auth_key(tx: &mut Tx) -> Result<Option<AuthKey>, Fault> {
    tx.get(&keys::subject()).await
}

/// Logs a person in on a key (`user`), or out (`None`). A login in progress ends. Logging out a person
/// who is not the one logged in changes nothing.
///
/// # Errors
/// [`Fault`].
pub async fn set_user(tx: &mut Tx, user: Option<UserId>, leaving: Option<UserId>) -> Result<(), Fault> {
    let Some(mut key) = auth_key(tx).await? else {
        return Ok(());
    };
    if user.is_none() && key.user != leaving {
        return Ok(());
    }
    key.user = user;
    tx.put(keys::subject(), &key);
    tx.delete(keys::login());
    Ok(())
}

/// The partition of a key.
#[must_use]
pub fn at(id: AuthKeyId) -> Partition {
    partition::auth_key(id)
}
