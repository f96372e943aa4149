//! A person's logins, one for each permanent key.

use havre_store::Order;
use serde::{Deserialize, Serialize};

use crate::auth_keys::Client;
use crate::ids::{AuthKeyId, Time, UserId};
use crate::keys::{self, partition};
use crate::limits::{ACTIVE_GRAIN, DEVICES_MAX, GRANT_TTL, GRANTS_MAX, SESSIONS_MAX};
use crate::outbox::Effect;
use crate::tx::{Fault, Tx};
use crate::updates::{self, Event};

/// One login.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The key that it is on.
    pub key: AuthKeyId,
    /// Names it to the person's other sessions; random, never 0.
    pub hash: i64,
    /// What the client said of itself.
    pub client: Client,
    /// Logged in.
    pub created: Time,
    /// Last used, to the nearest [`ACTIVE_GRAIN`].
    pub active: Time,
    /// Address of the last connection, for the person's own list of sessions.
    pub address: String,
    /// The login that this one was taken over from, for connections of the same app: it ends with it and
    /// is not shown beside it.
    pub parent: Option<AuthKeyId>,
    /// Where pushes go while the app is not connected.
    pub devices: Vec<Device>,
}

/// An address of a push service (core.telegram.org/method/account.registerDevice).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Which service: 1 APNs, 2 FCM, 4 `UnifiedPush`, 9 VoIP, 10 web push, 13 Huawei, and more.
    pub token_type: i32,
    /// The address.
    pub token: String,
    /// Key that pushes are encrypted with; empty for none.
    pub secret: Vec<u8>,
    /// Nothing is pushed for muted conversations.
    pub no_muted: bool,
    /// The address belongs to the service's testing side.
    pub sandbox: bool,
    /// Other accounts on the same device.
    pub other_users: Vec<UserId>,
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device")
            .field("token_type", &self.token_type)
            .finish_non_exhaustive()
    }
}

/// The login on a key.
///
/// # Errors
/// [`Fault`]; so for everything here.
pub async fn session(tx: &mut Tx, key: AuthKeyId) -> Result<Option<Session>, Fault> {
    tx.get(&keys::session(key)).await
}

/// All logins.
///
/// # Errors
/// [`Fault`].
pub async fn all(tx: &mut Tx) -> Result<Vec<Session>, Fault> {
    let records = tx
        .records(&keys::sessions(), Order::Ascending, SESSIONS_MAX)
        .await?;
    Ok(records.into_iter().map(|(_, session)| session).collect())
}

/// Adds a login.
pub fn add(tx: &mut Tx, session: &Session) {
    tx.put(keys::session(session.key), session);
}

/// Adds a login; when there are too many, the one that was used least recently ends.
///
/// # Errors
/// [`Fault`].
pub async fn admit(tx: &mut Tx, now: Time, owner: UserId, session: &Session) -> Result<(), Fault> {
    let others = all(tx).await?;
    let full = others.len() >= SESSIONS_MAX && others.iter().all(|s| s.key != session.key);
    if let Some(oldest) = others.iter().min_by_key(|s| s.active).filter(|_| full) {
        end(tx, now, owner, oldest.key).await?;
    }
    add(tx, session);
    Ok(())
}

/// Ends the login on a key, and those that were taken over from it. False when there is none.
///
/// # Errors
/// [`Fault`].
pub async fn end(tx: &mut Tx, now: Time, owner: UserId, key: AuthKeyId) -> Result<bool, Fault> {
    let gone: Vec<AuthKeyId> = all(tx)
        .await?
        .into_iter()
        .filter(|s| s.key == key || s.parent == Some(key))
        .map(|s| s.key)
        .collect();
    for &key in &gone {
        tx.delete(keys::session(key));
        tx.send(partition::auth_key(key), &Effect::Revoke(owner));
        updates::append(tx, now, Event::LoggedOut(key)).await?;
    }
    Ok(!gone.is_empty())
}

/// Notes that a login is in use, at most once every [`ACTIVE_GRAIN`] seconds. True when it was noted.
///
/// # Errors
/// [`Fault`].
pub async fn touch(
    tx: &mut Tx,
    now: Time,
    key: AuthKeyId,
    client: &Client,
    address: &str,
) -> Result<bool, Fault> {
    let Some(mut session) = session(tx, key).await? else {
        return Ok(false);
    };
    if !session.is_stale(now) {
        return Ok(false);
    }
    session.active = now;
    session.client = client.clone();
    address.clone_into(&mut session.address);
    add(tx, &session);
    Ok(true)
}

impl Session {
    /// Whether its last use should be noted anew.
    #[must_use]
    pub fn is_stale(&self, now: Time) -> bool {
        self.active.plus(ACTIVE_GRAIN) <= now
    }

    /// Adds an address of a push service, or replaces it; the oldest goes when there are too many.
    pub fn register(&mut self, device: Device) {
        self.unregister(device.token_type, &device.token);
        if self.devices.len() >= DEVICES_MAX {
            self.devices.remove(0);
        }
        self.devices.push(device);
    }

    /// Removes an address of a push service. True when it was there.
    pub fn unregister(&mut self, token_type: i32, token: &str) -> bool {
        let before = self.devices.len();
        self.devices
            .retain(|d| d.token_type != token_type || d.token != token);
        self.devices.len() != before
    }
}

/// A login that may be taken over once, by who knows the bytes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Grant {
    bytes: [u8; 32],
    from: AuthKeyId,
    expires: Time,
}

/// Logins that may be taken over to another key.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants(Vec<Grant>);

/// Lets the login on a key be taken over, once and for a short time, by who shows these bytes.
///
/// # Errors
/// [`Fault`].
pub async fn grant(tx: &mut Tx, now: Time, from: AuthKeyId, bytes: [u8; 32]) -> Result<(), Fault> {
    let mut grants: Grants = tx.get(&keys::grants()).await?.unwrap_or_default();
    grants.0.retain(|g| g.expires > now);
    if grants.0.len() >= GRANTS_MAX {
        grants.0.remove(0);
    }
    let expires = now.plus(GRANT_TTL);
    grants.0.push(Grant { bytes, from, expires });
    tx.put(keys::grants(), &grants);
    Ok(())
}

/// Uses up a grant. Answers with the key of the login that it came from, if that login still is.
///
/// # Errors
/// [`Fault`].
pub async fn take_grant(tx: &mut Tx, now: Time, bytes: &[u8]) -> Result<Option<AuthKeyId>, Fault> {
    let mut grants: Grants = tx.get(&keys::grants()).await?.unwrap_or_default();
    let known = |g: &Grant| g.expires > now && bool::from(subtle::ConstantTimeEq::ct_eq(&g.bytes[..], bytes));
    let Some(place) = grants.0.iter().position(known) else {
        return Ok(None);
    };
    let grant = grants.0.remove(place);
    tx.put(keys::grants(), &grants);
    Ok(session(tx, grant.from).await?.map(|s| s.parent.unwrap_or(s.key)))
}
