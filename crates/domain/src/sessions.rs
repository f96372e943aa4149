//! A person's logins, one for each permanent key.

use havre_store::Order;
use serde::{Deserialize, Serialize};

use crate::auth_keys::Client;
use crate::ids::{AuthKeyId, Time};
use crate::keys;
use crate::limits::SESSIONS_MAX;
use crate::tx::{Fault, Tx};

/// One login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The key that it is on.
    pub key: AuthKeyId,
    /// Names it to the person's other sessions; random, never 0.
    pub hash: i64,
    /// What the client said of itself.
    pub client: Client,
    /// Logged in.
    pub created: Time,
    /// Last used, to the nearest [`crate::limits::ACTIVE_GRAIN`].
    pub active: Time,
    /// Address of the last connection, for the person's own list of sessions.
    pub address: String,
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
