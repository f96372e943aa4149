//! A person: profile, photos, last seen.

use serde::{Deserialize, Serialize};

use crate::ids::{FileId, Time, UserId};
use crate::keys;
use crate::tx::{Fault, Tx};

/// What a person says of themselves and what the server knows of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Digits only; empty for bots and deleted people.
    pub phone: String,
    /// First name.
    pub first_name: String,
    /// Last name, may be empty.
    pub last_name: String,
    /// Without `@`, as written by its owner.
    pub username: Option<String>,
    /// About.
    pub about: String,
    /// The current photo: its number under [`keys::photo`] and its file.
    pub photo: Option<(i64, FileId)>,
    /// Signed up.
    pub created: Time,
    /// Last seen; in the future while online.
    pub online_until: Time,
    /// Deleted: nothing but the id is left.
    pub deleted: bool,
}

/// A profile photo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Photo {
    /// TL of the canonical layer (`photo`).
    pub photo: Vec<u8>,
    /// When it was set.
    pub date: i32,
}

/// A person's profile, if they exist.
///
/// # Errors
/// [`Fault`].
pub async fn profile(tx: &mut Tx) -> Result<Option<Profile>, Fault> {
    tx.get(&keys::profile()).await
}

/// A person's profile that must exist: the owner of a login.
///
/// # Errors
/// [`Fault::Corrupt`] when there is none.
pub async fn own_profile(tx: &mut Tx, user: UserId) -> Result<Profile, Fault> {
    profile(tx)
        .await?
        .ok_or_else(|| Fault::Corrupt(format!("no profile of user {}", user.0)))
}
