//! Those who know a person: told when their name or status changes.

use havre_store::Order;

use crate::contacts::{self, Blocked};
use crate::ids::{Peer, SERVICE_USER, UserId};
use crate::keys::{self, partition};
use crate::limits::ACQUAINTANCES_MAX;
use crate::outbox::Effect;
use crate::tx::{Fault, Tx};

/// People who are told when the owner's name or status changes: contacts, and who the owner talks with in
/// private, newest first; not those who are blocked. At most [`ACQUAINTANCES_MAX`].
///
/// # Errors
/// [`Fault`].
pub async fn acquaintances(tx: &mut Tx, owner: UserId) -> Result<Vec<UserId>, Fault> {
    let talks = tx
        .range(&keys::folder(0), Order::Descending, ACQUAINTANCES_MAX)
        .await?;
    let talked_with = talks.iter().filter_map(|(key, _)| match keys::peer_of(key) {
        Some(Peer::User(user)) => Some(user),
        _ => None,
    });
    let mut people: Vec<UserId> = talked_with.collect();
    for contact in contacts::all(tx).await? {
        if !people.contains(&contact.user) {
            people.push(contact.user);
        }
    }
    people.retain(|user| *user != owner && *user != SERVICE_USER);
    people.truncate(ACQUAINTANCES_MAX);
    let blocked: Vec<_> = people.iter().map(|user| keys::blocked(*user)).collect();
    let blocked = tx.get_many::<Blocked>(&blocked).await?;
    Ok(people
        .into_iter()
        .zip(blocked)
        .filter_map(|(user, blocked)| blocked.is_none().then_some(user))
        .collect())
}

/// Tells those who know a person that their name changed.
///
/// # Errors
/// [`Fault`].
pub async fn tell(tx: &mut Tx, user: UserId) -> Result<(), Fault> {
    for other in acquaintances(tx, user).await? {
        tx.send(partition::user(other), &Effect::UserChanged(user));
    }
    Ok(())
}
