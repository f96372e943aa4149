//! Authorization keys: the secret, the login on it, and what the client said of itself.

use havre_store::Partition;
use serde::{Deserialize, Serialize};

use crate::ids::{AuthKeyId, Time, UserId};
use crate::keys::{self, partition};
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
    /// The temporary key that is bound to this permanent one.
    pub bound_by: Option<AuthKeyId>,
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
    /// The code was right, and this person's password is still asked for.
    pub awaits_password: Option<UserId>,
    /// Wrong passwords so far, and since when.
    pub password_tries: u32,
    /// One step of SRP: id and secret exponent of the server.
    pub srp: Option<(i64, Vec<u8>)>,
    /// QR login: the token shown and when it stops being valid.
    pub token: Option<(Vec<u8>, Time)>,
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
