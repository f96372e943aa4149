//! Invite links of a basic group or channel. A link lies in its group's partition; its hash is claimed in a
//! partition of its own, which leads to the group.

use havre_store::Order;
use serde::{Deserialize, Serialize};

use crate::ids::{Peer, Time, UserId};
use crate::keys::{self, partition};
use crate::limits::LINKS_MAX;
use crate::outbox::Effect;
use crate::tx::{Fault, Tx};

/// An invite link.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What names it: 16 characters of the URL-safe base-64 alphabet.
    pub hash: String,
    /// Who made it.
    pub admin: UserId,
    /// When.
    pub date: i32,
    /// When it ends, Unix time in seconds.
    pub expire_date: Option<i32>,
    /// How many may join by it.
    pub usage_limit: Option<i32>,
    /// How many joined by it.
    pub usage: i32,
    /// The administrator's primary link.
    pub permanent: bool,
    /// Leads nowhere any more.
    pub revoked: bool,
    /// A label for administrators.
    pub title: Option<String>,
}

impl Link {
    /// Whether somebody may join by it now.
    #[must_use]
    pub fn is_open(&self, now: Time) -> bool {
        !self.revoked
            && self.expire_date.is_none_or(|end| end > now.date())
            && self.usage_limit.is_none_or(|most| self.usage < most)
    }
}

/// A hash from random bytes: 96 bits, so that none can be guessed.
#[must_use]
pub fn hash_of(random: [u8; 16]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    random
        .iter()
        .map(|b| char::from(ALPHABET[usize::from(b & 63)]))
        .collect()
}

/// The hash in a link, or in what is left when a client cut the link already.
#[must_use]
pub fn hash_in(link: &str) -> &str {
    let tail = link.rsplit(['/', '=']).next().unwrap_or(link);
    tail.strip_prefix('+').unwrap_or(tail)
}

/// Whether something may be a hash.
#[must_use]
pub fn is_valid(hash: &str) -> bool {
    hash.len() == 16
        && hash
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// One link of the group.
///
/// # Errors
/// [`Fault`]; so for everything here.
pub async fn link(tx: &mut Tx, hash: &str) -> Result<Option<Link>, Fault> {
    tx.get(&keys::link(hash)).await
}

/// All links of the group, newest first.
///
/// # Errors
/// [`Fault`].
pub async fn all(tx: &mut Tx) -> Result<Vec<Link>, Fault> {
    let records = tx
        .records::<Link>(&keys::links(), Order::Ascending, LINKS_MAX)
        .await?;
    let mut links: Vec<Link> = records.into_iter().map(|(_, link)| link).collect();
    links.sort_by(|a, b| (b.date, &b.hash).cmp(&(a.date, &a.hash)));
    Ok(links)
}

/// The primary link of an administrator.
///
/// # Errors
/// [`Fault`].
pub async fn primary(tx: &mut Tx, admin: UserId) -> Result<Option<Link>, Fault> {
    let links = all(tx).await?;
    Ok(links
        .into_iter()
        .find(|l| l.admin == admin && l.permanent && !l.revoked))
}

/// Adds a link and makes its hash lead to the group or channel.
pub fn open(tx: &mut Tx, to: Peer, link: &Link) {
    save(tx, link);
    let effect = match to {
        Peer::Channel(channel) => Effect::LeadTo(Some(channel)),
        Peer::Chat(chat) => Effect::Invite(Some(chat)),
        // Nobody is invited into a private chat.
        Peer::User(_) => Effect::Invite(None),
    };
    tx.send(partition::invite(&link.hash), &effect);
}

/// Stores a changed link.
pub fn save(tx: &mut Tx, link: &Link) {
    tx.put(keys::link(&link.hash), link);
}

/// Forgets a link and lets its hash go.
pub fn delete(tx: &mut Tx, of: Peer, hash: &str) {
    tx.delete(keys::link(hash));
    let effect = match of {
        Peer::Channel(_) => Effect::LeadTo(None),
        Peer::Chat(_) | Peer::User(_) => Effect::Invite(None),
    };
    tx.send(partition::invite(hash), &effect);
}

/// Revokes every link of somebody who is no administrator any more.
///
/// # Errors
/// [`Fault`].
pub async fn revoke_all(tx: &mut Tx, admin: UserId) -> Result<(), Fault> {
    for mut link in all(tx).await? {
        if link.admin == admin && !link.revoked {
            link.revoked = true;
            save(tx, &link);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_found_in_every_form_of_a_link() {
        let hash = hash_of([9; 16]);
        assert!(is_valid(&hash));
        for link in [
            format!("https://t.me/+{hash}"),
            format!("https://t.me/joinchat/{hash}"),
            format!("tg://join?invite={hash}"),
            hash.clone(),
        ] {
            assert_eq!(hash_in(&link), hash);
        }
    }

    #[test]
    fn a_link_closes_by_time_use_and_revocation() {
        let now = Time(100);
        let link = Link {
            expire_date: Some(101),
            usage_limit: Some(2),
            usage: 1,
            ..Link::default()
        };
        assert!(link.is_open(now));
        assert!(!link.is_open(Time(101)));
        assert!(
            !Link {
                usage: 2,
                ..link.clone()
            }
            .is_open(now)
        );
        assert!(
            !Link {
                revoked: true,
                ..link
            }
            .is_open(now)
        );
    }
}
