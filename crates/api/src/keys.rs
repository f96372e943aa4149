//! Authorization keys: making, looking up, and what is kept in memory of those in use.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use havre_domain::auth_keys::{self, AuthKey, Client};
use havre_domain::ids::{AuthKeyId, Time, UserId};
use havre_domain::keys;
use havre_domain::tx::Fault;

use crate::dispatch::Api;

/// What a call needs to know of the key it came under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyState {
    /// The permanent key: itself, or the one that a temporary key is bound to.
    pub permanent: AuthKeyId,
    /// A temporary key that is not bound yet.
    pub unbound: bool,
    /// Who is logged in.
    pub user: Option<UserId>,
    /// What the client said of itself.
    pub client: Option<Client>,
}

/// Most keys whose state is kept in memory; beyond it the memory is emptied, as the store knows them all.
const CACHED_MAX: usize = 100_000;

/// States of keys in use.
#[derive(Default)]
pub struct KeyCache(Mutex<Cached>);

#[derive(Default)]
struct Cached {
    /// Of permanent keys, and of temporary ones that are not bound.
    states: HashMap<AuthKeyId, KeyState>,
    /// What temporary keys are bound to.
    bound: HashMap<AuthKeyId, AuthKeyId>,
}

impl KeyCache {
    fn cached(&self) -> MutexGuard<'_, Cached> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets a key, and with it the state of the temporary keys that are bound to it.
    pub fn forget(&self, key: AuthKeyId) {
        let mut cached = self.cached();
        cached.states.remove(&key);
        cached.bound.remove(&key);
    }

    fn state(&self, key: AuthKeyId) -> Option<KeyState> {
        let cached = self.cached();
        let permanent = cached.bound.get(&key).unwrap_or(&key);
        cached.states.get(permanent).cloned()
    }

    fn keep(&self, key: AuthKeyId, state: KeyState) {
        let mut cached = self.cached();
        if cached.states.len() + cached.bound.len() >= CACHED_MAX {
            *cached = Cached::default();
        }
        if state.permanent != key {
            cached.bound.insert(key, state.permanent);
        }
        cached.states.insert(state.permanent, state);
    }
}

/// How keeping a new key went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is durable.
    Kept,
    /// Another key has this id.
    Taken,
}

impl Api {
    /// The secret of a key, and when it ends if it is a temporary one; if there is such a key and it has not
    /// expired.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot answer: then nothing may be said of the key (TR-8).
    pub async fn key_secret(&self, id: AuthKeyId) -> Result<Option<(Vec<u8>, Option<Time>)>, Fault> {
        let key = self.stored_key(id).await?;
        Ok(key.map(|key| (key.secret, key.expires)))
    }

    async fn stored_key(&self, id: AuthKeyId) -> Result<Option<AuthKey>, Fault> {
        let mut world = self.world();
        let now = world.now;
        let key = auth_keys::auth_key(world.view(auth_keys::at(id))).await?;
        Ok(key.filter(|key| key.expires.is_none_or(|at| at > now)))
    }

    /// Keeps a new key (HS-12). `expires` is given for temporary ones.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn keep_key(&self, id: AuthKeyId, secret: &[u8], expires: Option<Time>) -> Result<Kept, Fault> {
        loop {
            let mut world = self.world();
            let now = world.now;
            let tx = world.subject(auth_keys::at(id))?;
            if let Some(known) = auth_keys::auth_key(tx).await? {
                return Ok(if known.secret == secret {
                    Kept::Kept
                } else {
                    Kept::Taken
                });
            }
            let key = AuthKey {
                secret: secret.to_vec(),
                created: now,
                expires,
                bound_to: None,
                bound_by: Vec::new(),
                user: None,
                client: None,
            };
            tx.put(keys::subject(), &key);
            match world.commit().await {
                Err(Fault::Conflict) => {}
                done => return done.map(|_| Kept::Kept),
            }
        }
    }

    /// Destroys a key (SV-12): whoever is logged in on it is logged out. False when there was none.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn destroy_key(&self, id: AuthKeyId) -> Result<bool, Fault> {
        loop {
            let mut world = self.world();
            let tx = world.subject(auth_keys::at(id))?;
            if auth_keys::auth_key(tx).await?.is_none() {
                return Ok(false);
            }
            tx.delete(keys::subject());
            tx.delete(keys::login());
            tx.delete(keys::passkey_challenge());
            match world.commit().await {
                Err(Fault::Conflict) => {}
                done => {
                    self.key_cache.forget(id);
                    return done.map(|_| true);
                }
            }
        }
    }

    /// The state of a key that packets came under; nothing when there is no such key any more.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn key_state(&self, id: AuthKeyId) -> Result<Option<KeyState>, Fault> {
        if let Some(state) = self.key_cache.state(id) {
            return Ok(Some(state));
        }
        let Some(key) = self.stored_key(id).await? else {
            return Ok(None);
        };
        let state = match (key.bound_to, key.expires) {
            (Some(permanent), _) => {
                let Some(key) = self.stored_key(permanent).await? else {
                    return Ok(None);
                };
                KeyState {
                    permanent,
                    unbound: false,
                    user: key.user,
                    client: key.client,
                }
            }
            (None, expires) => KeyState {
                permanent: id,
                unbound: expires.is_some(),
                user: key.user,
                client: key.client,
            },
        };
        self.key_cache.keep(id, state.clone());
        Ok(Some(state))
    }

    /// Whether somebody is logged in on a key. What the store does not answer counts as not.
    pub async fn is_inside(&self, id: AuthKeyId) -> bool {
        let state = self.key_state(id).await;
        state.is_ok_and(|state| state.is_some_and(|state| state.user.is_some()))
    }

    /// Keeps what a client said of itself with its permanent key (RP-3).
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn keep_client(&self, permanent: AuthKeyId, client: &Client) -> Result<(), Fault> {
        loop {
            let mut world = self.world();
            let tx = world.subject(auth_keys::at(permanent))?;
            let Some(mut key) = auth_keys::auth_key(tx).await? else {
                return Ok(());
            };
            key.client = Some(client.clone());
            tx.put(keys::subject(), &key);
            match world.commit().await {
                Err(Fault::Conflict) => {}
                done => {
                    self.key_cache.forget(permanent);
                    return done.map(drop);
                }
            }
        }
    }
}
