//! Contacts and blocked people of a person.

use havre_store::Order;
use serde::{Deserialize, Serialize};

use crate::ids::UserId;
use crate::keys;
use crate::limits::CONTACTS_MAX;
use crate::tx::{Fault, Tx};

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
