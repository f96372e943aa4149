//! Two-step verification: the password that a login asks for after the code. The server keeps what SRP
//! needs to check a password, never the password.

use serde::{Deserialize, Serialize};

use crate::ids::{AuthKeyId, Time};
use crate::keys;
use crate::limits::{PASSWORD_TRIES_MAX, PASSWORD_TRIES_PER_KEY, PASSWORD_WINDOW};
use crate::tx::{Fault, Tx};

/// Two-step verification of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Password {
    /// The password, while there is one.
    pub lock: Option<Lock>,
    /// Counts changes, so that a proof of the one before is told apart from a wrong one.
    pub version: u16,
    /// Wrong passwords within [`PASSWORD_WINDOW`], oldest first.
    tries: Vec<(AuthKeyId, Time)>,
}

/// What checks a password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// First salt: the server's part, then the client's.
    pub salt1: Vec<u8>,
    /// Second salt.
    pub salt2: Vec<u8>,
    /// g^x, 256 bytes big-endian.
    pub verifier: Vec<u8>,
    /// What reminds its owner of it; anybody who has the code sees it.
    pub hint: String,
}

impl std::fmt::Debug for Lock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lock").finish_non_exhaustive()
    }
}

/// A person's two-step verification.
///
/// # Errors
/// [`Fault`].
pub async fn password(tx: &mut Tx) -> Result<Password, Fault> {
    Ok(tx.get(&keys::password()).await?.unwrap_or_default())
}

impl Password {
    /// Sets, changes or (`None`) removes the password.
    pub fn change(&mut self, lock: Option<Lock>) {
        self.lock = lock;
        self.version = self.version.wrapping_add(1);
        self.tries.clear();
    }

    /// Whether a password may be tried from a key now.
    ///
    /// # Errors
    /// Seconds to wait, when too many were wrong.
    pub fn may_try(&self, now: Time, key: AuthKeyId) -> Result<(), i64> {
        let live = || self.tries.iter().filter(|(_, at)| at.plus(PASSWORD_WINDOW) > now);
        let wait = |nth_last: usize, of: Vec<Time>| {
            let place = of.len().checked_sub(nth_last)?;
            Some(of.get(place)?.plus(PASSWORD_WINDOW).0 - now.0)
        };
        let of_key = live().filter(|(k, _)| *k == key).map(|(_, at)| *at).collect();
        let of_all = live().map(|(_, at)| *at).collect();
        match wait(PASSWORD_TRIES_PER_KEY, of_key).max(wait(PASSWORD_TRIES_MAX, of_all)) {
            Some(seconds) => Err(seconds),
            None => Ok(()),
        }
    }

    /// Counts a wrong password.
    pub fn note_wrong(&mut self, now: Time, key: AuthKeyId) {
        self.tries.retain(|(_, at)| at.plus(PASSWORD_WINDOW) > now);
        self.tries.push((key, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_passwords_are_counted_by_key_and_by_account() {
        let mut password = Password::default();
        let (a, b) = (AuthKeyId(1), AuthKeyId(2));
        for _ in 0..PASSWORD_TRIES_PER_KEY {
            assert_eq!(password.may_try(Time(10), a), Ok(()));
            password.note_wrong(Time(10), a);
        }
        assert_eq!(password.may_try(Time(20), a), Err(PASSWORD_WINDOW - 10));
        assert_eq!(password.may_try(Time(20), b), Ok(()));
        for key in 3.. {
            if password.tries.len() == PASSWORD_TRIES_MAX {
                break;
            }
            password.note_wrong(Time(11), AuthKeyId(key));
        }
        assert!(password.may_try(Time(20), b).is_err());
        assert_eq!(password.may_try(Time(11 + PASSWORD_WINDOW), a), Ok(()));
    }
}
