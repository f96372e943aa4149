//! Phone numbers: a claim partition says who owns a number, and holds the login code that is pending.

use serde::{Deserialize, Serialize};

use crate::ids::{Time, UserId};
use crate::keys;
use crate::tx::{Fault, Tx};

/// One phone number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone {
    /// Whose it is.
    pub owner: Option<UserId>,
    /// The code that was sent last.
    pub code: Option<Code>,
    /// When codes were sent within the last [`crate::limits::CODE_WINDOW`].
    pub sent: Vec<Time>,
}

/// A login code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// Names this attempt to the client.
    pub hash: String,
    /// The digits.
    pub digits: String,
    /// When it was sent.
    pub sent: Time,
    /// Wrong codes so far.
    pub tries: u32,
    /// It went to the person's other sessions, not through a provider.
    pub in_app: bool,
    /// It was entered right, and sign-up may follow.
    pub verified: bool,
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Code")
            .field("sent", &self.sent)
            .field("tries", &self.tries)
            .finish_non_exhaustive()
    }
}

/// The number's record; an empty one when it was never seen.
///
/// # Errors
/// [`Fault`].
pub async fn phone(tx: &mut Tx) -> Result<Phone, Fault> {
    Ok(tx.get(&keys::claim()).await?.unwrap_or_default())
}

/// The digits of a number as people write it; nothing when it cannot be one (7 to 15 digits, E.164).
#[must_use]
pub fn digits(written: &str) -> Option<String> {
    let ok = |c: char| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')' | '.');
    let digits: String = written.chars().filter(char::is_ascii_digit).collect();
    (written.chars().all(ok) && (7..=15).contains(&digits.len())).then_some(digits)
}
