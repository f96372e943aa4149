//! Contacts and blocked people of a person.

use havre_store::Order;
use serde::{Deserialize, Serialize};

use crate::ids::{Peer, Time, UserId};
use crate::keys;
use crate::limits::{BLOCKED_MAX, CONTACTS_MAX, NAME_LEN_MAX};
use crate::tx::{Fault, Tx};
use crate::updates::{self, Event};

/// Somebody in a person's contacts, under the name that the person gave them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Who.
    pub user: UserId,
    /// First name given.
    pub first_name: String,
    /// Last name given.
    pub last_name: String,
    /// The number that they were added by, digits only; empty when added without one.
    pub phone: String,
    /// Added on.
    pub date: i32,
}

impl Contact {
    /// A contact under a name cut to [`NAME_LEN_MAX`] characters.
    #[must_use]
    pub fn new(user: UserId, (first_name, last_name): (&str, &str), phone: String, now: Time) -> Self {
        let short = |name: &str| name.trim().chars().take(NAME_LEN_MAX).collect();
        Self {
            user,
            first_name: short(first_name),
            last_name: short(last_name),
            phone,
            date: now.date(),
        }
    }
}

/// Somebody blocked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    /// Since.
    pub date: i32,
}

/// A contact.
///
/// # Errors
/// [`Fault`]; so for everything here.
pub async fn contact(tx: &mut Tx, user: UserId) -> Result<Option<Contact>, Fault> {
    tx.get(&keys::contact(user)).await
}

/// All contacts, by id.
///
/// # Errors
/// [`Fault`].
pub async fn all(tx: &mut Tx) -> Result<Vec<Contact>, Fault> {
    let records = tx
        .records(&keys::contacts(), Order::Ascending, CONTACTS_MAX)
        .await?;
    Ok(records.into_iter().map(|(_, contact)| contact).collect())
}

/// Whether somebody is blocked.
///
/// # Errors
/// [`Fault`].
pub async fn is_blocked(tx: &mut Tx, user: UserId) -> Result<bool, Fault> {
    Ok(tx.get::<Blocked>(&keys::blocked(user)).await?.is_some())
}

/// Adds a contact or gives it another name. The bar above the conversation has nothing to offer any more.
///
/// # Errors
/// [`Fault`].
pub async fn add(tx: &mut Tx, now: Time, new: &Contact) -> Result<(), Fault> {
    let user = new.user;
    let old = contact(tx, user).await?;
    let same = |old: &Contact| {
        Contact {
            date: old.date,
            ..new.clone()
        } == *old
    };
    if old.as_ref().is_some_and(same) {
        return Ok(());
    }
    tx.put(keys::contact(user), new);
    updates::append(tx, now, Event::User(user)).await?;
    updates::append(tx, now, Event::PeerSettings(Peer::User(user)))
        .await
        .map(drop)
}

/// Takes somebody off the contacts. False when they were none.
///
/// # Errors
/// [`Fault`].
pub async fn remove(tx: &mut Tx, now: Time, user: UserId) -> Result<bool, Fault> {
    if contact(tx, user).await?.is_none() {
        return Ok(false);
    }
    tx.delete(keys::contact(user));
    updates::append(tx, now, Event::User(user)).await?;
    updates::append(tx, now, Event::PeerSettings(Peer::User(user))).await?;
    Ok(true)
}

/// Blocks or unblocks somebody. False when nothing changed.
///
/// # Errors
/// [`Fault`].
pub async fn set_blocked(tx: &mut Tx, now: Time, user: UserId, blocked: bool) -> Result<bool, Fault> {
    if is_blocked(tx, user).await? == blocked {
        return Ok(false);
    }
    if blocked {
        tx.put(keys::blocked(user), &Blocked { date: now.date() });
    } else {
        tx.delete(keys::blocked(user));
    }
    updates::append(tx, now, Event::Blocked(user, blocked)).await?;
    Ok(true)
}

/// Everybody who is blocked and since when, the newest first.
///
/// # Errors
/// [`Fault`].
pub async fn all_blocked(tx: &mut Tx) -> Result<Vec<(UserId, Blocked)>, Fault> {
    let records = tx
        .records::<Blocked>(&keys::all_blocked(), Order::Ascending, BLOCKED_MAX)
        .await?;
    let mut all = Vec::with_capacity(records.len());
    for (key, blocked) in records {
        let user = keys::user_of(&key).ok_or_else(|| Fault::Corrupt("key of somebody blocked".into()))?;
        all.push((user, blocked));
    }
    all.sort_by_key(|(user, blocked)| (std::cmp::Reverse(blocked.date), *user));
    Ok(all)
}

/// The hash of a list that clients keep and ask anew by (core.telegram.org/api/offsets, "hash generation").
#[must_use]
pub fn hash(numbers: impl IntoIterator<Item = i64>) -> i64 {
    let mixed = numbers.into_iter().fold(0_u64, |mut hash, n| {
        hash ^= hash >> 21;
        hash ^= hash << 35;
        hash ^= hash >> 4;
        hash.wrapping_add(n.cast_unsigned())
    });
    mixed.cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_is_the_documented_one() {
        assert_eq!(hash([]), 0);
        assert_eq!(hash([5]), 5);
        let mixed: u64 = 5 ^ (5 << 35);
        assert_eq!(hash([5, 7]), ((mixed ^ (mixed >> 4)) + 7).cast_signed());
    }

    #[test]
    fn names_are_trimmed_and_cut() {
        let long = "x".repeat(NAME_LEN_MAX + 1);
        let contact = Contact::new(UserId(1), (" Bob ", &long), String::new(), Time(1));
        assert_eq!(contact.first_name, "Bob");
        assert_eq!(contact.last_name.len(), NAME_LEN_MAX);
    }
}
