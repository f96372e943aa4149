//! Passkeys: keys on a person's devices that log them in. They lie in their owner's box; the id of each is
//! claimed in a partition of its own, which says whose it is.

use serde::{Deserialize, Serialize};

use crate::auth_keys::Awaits;
use crate::ids::{AuthKeyId, Time, UserId};
use crate::keys::{self, partition};
use crate::limits::{PASSKEY_CHALLENGE_TTL, PASSKEYS_MAX};
use crate::outbox::Effect;
use crate::sessions::{self, Session};
use crate::tx::{Fault, Tx};
use crate::updates::{self, Event};
use crate::webauthn::{Credential, PublicKey};
use crate::{password, usernames};

/// What an authenticator is asked to sign, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// Random.
    pub bytes: [u8; 32],
    expires: Time,
}

impl Challenge {
    /// A challenge that can be answered from now on for [`PASSKEY_CHALLENGE_TTL`] seconds.
    #[must_use]
    pub fn new(bytes: [u8; 32], now: Time) -> Self {
        let expires = now.plus(PASSKEY_CHALLENGE_TTL);
        Self { bytes, expires }
    }

    /// Whether it may still be answered.
    #[must_use]
    pub fn is_open(&self, now: Time) -> bool {
        self.expires > now
    }
}

/// One passkey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkey {
    /// Its name, which the authenticator chose.
    pub id: Vec<u8>,
    /// Checks its signatures.
    pub key: PublicKey,
    /// How often it was used, by its own count; many always say 0.
    pub counter: u32,
    /// A name for its owner.
    pub label: String,
    /// When it was made.
    pub created: Time,
    /// When somebody logged in with it last.
    pub used: Option<Time>,
}

impl Passkey {
    /// Whether a count may follow the one that is known: it grows, unless it is never kept. One that does not
    /// is of a copy of the authenticator (Web Authentication Level 3, section 6.1.1).
    #[must_use]
    pub fn counts_on(&self, counter: u32) -> bool {
        counter > self.counter || (counter == 0 && self.counter == 0)
    }
}

/// The passkeys of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkeys {
    /// What authenticators know the person by; empty until one is asked for a passkey.
    pub handle: String,
    /// All of them, oldest first.
    pub all: Vec<Passkey>,
    /// The login that asked for one more, and what its authenticator is to sign; never while there can be none.
    pub asked: Option<(AuthKeyId, Challenge)>,
}

impl Passkeys {
    /// Whether there can be no more.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.all.len() >= PASSKEYS_MAX
    }

    /// The passkey with this id.
    #[must_use]
    pub fn find(&self, id: &[u8]) -> Option<&Passkey> {
        self.all.iter().find(|passkey| passkey.id == id)
    }

    /// The challenge that a login may answer now.
    #[must_use]
    pub fn asked_by(&self, key: AuthKeyId, now: Time) -> Option<&Challenge> {
        let (by, challenge) = self.asked.as_ref()?;
        (*by == key && challenge.is_open(now)).then_some(challenge)
    }
}

/// A person's passkeys.
///
/// # Errors
/// [`Fault`]; so for everything here.
pub async fn passkeys(tx: &mut Tx) -> Result<Passkeys, Fault> {
    Ok(tx.get(&keys::passkeys()).await?.unwrap_or_default())
}

/// Adds a passkey to its owner's and claims its id; the challenge that it answered is used up.
pub fn add(
    tx: &mut Tx,
    now: Time,
    owner: UserId,
    mut passkeys: Passkeys,
    new: Credential,
    label: String,
) -> Passkey {
    let passkey = Passkey {
        id: new.id,
        key: new.key,
        counter: new.counter,
        label,
        created: now,
        used: None,
    };
    passkeys.asked = None;
    passkeys.all.push(passkey.clone());
    tx.put(keys::passkeys(), &passkeys);
    tx.send(partition::passkey(&passkey.id), &Effect::Claim(owner));
    passkey
}

/// Removes a passkey and gives up its id. False when there is none with this id.
///
/// # Errors
/// [`Fault`].
pub async fn remove(tx: &mut Tx, owner: UserId, id: &[u8]) -> Result<bool, Fault> {
    let mut passkeys = passkeys(tx).await?;
    let Some(place) = passkeys.all.iter().position(|passkey| passkey.id == id) else {
        return Ok(false);
    };
    passkeys.all.remove(place);
    tx.put(keys::passkeys(), &passkeys);
    tx.send(partition::passkey(id), &Effect::Release(owner));
    Ok(true)
}

/// Claims the id of a passkey in its partition, unless somebody has it.
///
/// # Errors
/// [`Fault`].
pub async fn claim(tx: &mut Tx, owner: UserId) -> Result<(), Fault> {
    if usernames::owner(tx).await?.is_none() {
        tx.put(keys::claim(), &usernames::Claim { owner });
    }
    Ok(())
}

/// The challenge that a key was given to log in with, while it may be answered.
///
/// # Errors
/// [`Fault`].
pub async fn challenge(tx: &mut Tx, now: Time) -> Result<Option<Challenge>, Fault> {
    let kept: Option<Challenge> = tx.get(&keys::passkey_challenge()).await?;
    Ok(kept.filter(|challenge| challenge.is_open(now)))
}

/// A login that was proved with a passkey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proved {
    /// Which passkey.
    pub id: Vec<u8>,
    /// How often it was used, by its own count.
    pub counter: u32,
    /// The login.
    pub session: Session,
    /// Somebody else who is logged in on the key until then.
    pub before: Option<UserId>,
}

/// Makes a login that was proved, or asks for the password on its key, if there is one. Nothing happens when
/// the passkey is gone by now or was used since: its owner's box has the last word.
///
/// # Errors
/// [`Fault`].
pub async fn log_in(tx: &mut Tx, now: Time, owner: UserId, proved: Proved) -> Result<(), Fault> {
    let mut passkeys = passkeys(tx).await?;
    let passkey = passkeys.all.iter_mut().find(|p| p.id == proved.id);
    let Some(passkey) = passkey.filter(|p| p.counts_on(proved.counter)) else {
        return Ok(());
    };
    (passkey.counter, passkey.used) = (proved.counter, Some(now));
    tx.put(keys::passkeys(), &passkeys);
    let key = partition::auth_key(proved.session.key);
    if password::password(tx).await?.lock.is_some() {
        let awaits = Awaits {
            user: owner,
            since: now,
            by_token: false,
        };
        tx.send(key, &Effect::AwaitPassword(awaits));
        return Ok(());
    }
    sessions::admit(tx, now, owner, &proved.session).await?;
    updates::append(tx, now, Event::NewLogin(proved.session.key)).await?;
    if let Some(before) = proved.before {
        tx.send(partition::user(before), &Effect::LoggedOut(proved.session.key));
    }
    tx.send(key, &Effect::Authorize(owner));
    Ok(())
}
