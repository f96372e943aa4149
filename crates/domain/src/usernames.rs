//! Usernames: a claim partition says who owns a name; the owner's profile repeats it.

use serde::{Deserialize, Serialize};

use crate::ids::{Time, UserId};
use crate::keys::{self, partition};
use crate::outbox::Effect;
use crate::tx::{Fault, Tx};
use crate::updates::{self, Event};
use crate::{acquaintances, channels, users};

/// Who owns a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The owner.
    pub owner: UserId,
}

/// Whether a name may be a username: 5 to 32 of `a-z`, `0-9` and `_`, starting with a letter, not
/// ending with `_` (core.telegram.org/method/account.checkUsername).
#[must_use]
pub fn is_valid(name: &str) -> bool {
    (5..=32).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && !name.ends_with('_')
}

/// The owner of a name.
///
/// # Errors
/// [`Fault`]; so for everything here.
pub async fn owner(tx: &mut Tx) -> Result<Option<UserId>, Fault> {
    Ok(tx.get::<Claim>(&keys::claim()).await?.map(|claim| claim.owner))
}

/// Claims a free name in its partition and tells the owner-to-be's box. False when somebody else has it.
///
/// # Errors
/// [`Fault`].
pub async fn claim(tx: &mut Tx, user: UserId, name: &str) -> Result<bool, Fault> {
    if channels::claimed(tx).await?.is_some() {
        return Ok(false);
    }
    match owner(tx).await? {
        Some(owner) if owner != user => return Ok(false),
        Some(_) => {}
        None => tx.put(keys::claim(), &Claim { owner: user }),
    }
    tx.send(partition::user(user), &Effect::Username(Some(name.to_owned())));
    Ok(true)
}

/// Gives a name up, if it is this person's.
///
/// # Errors
/// [`Fault`].
pub async fn release(tx: &mut Tx, user: UserId) -> Result<(), Fault> {
    if owner(tx).await? == Some(user) {
        tx.delete(keys::claim());
    }
    Ok(())
}

/// Puts a claimed name into the profile and lets the old one go.
///
/// # Errors
/// [`Fault`].
pub async fn adopt(tx: &mut Tx, user: UserId, now: Time, name: Option<String>) -> Result<(), Fault> {
    let mut profile = users::own_profile(tx, user).await?;
    let changed_name = |old: &String| name.as_ref().is_none_or(|new| !new.eq_ignore_ascii_case(old));
    if let Some(old) = profile.username.take().filter(changed_name) {
        tx.send(
            partition::username(&old.to_ascii_lowercase()),
            &Effect::Release(user),
        );
    }
    profile.username = name;
    tx.put(keys::profile(), &profile);
    acquaintances::tell(tx, user).await?;
    updates::append(tx, now, Event::User(user)).await.map(drop)
}
