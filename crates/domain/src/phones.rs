//! Phone numbers: a claim partition says who owns a number, and holds the login code that is pending.

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::ids::{MessageId, Time, UserId};
use crate::keys::{self, partition};
use crate::limits::{CODE_TRIES_MAX, CODE_TTL, CODE_WINDOW, CODES_PER_WINDOW};
use crate::privacy;
use crate::tx::{Fault, Tx};
use crate::waiting_room::Place;
use crate::world::World;

/// One phone number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone {
    /// Whose it is.
    pub owner: Option<UserId>,
    /// The code that was sent last.
    pub code: Option<Code>,
    /// When codes were sent within the last [`CODE_WINDOW`].
    pub sent: Vec<Time>,
    /// Codes sent as messages so far; names each of those messages.
    pub messages: MessageId,
    /// A place in the queue for codes.
    pub place: Option<Place>,
}

/// A login code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// Names this attempt to the client.
    pub hash: String,
    /// The digits.
    pub digits: String,
    /// When it was sent; from when it was entered right, that instant.
    pub sent: Time,
    /// Wrong codes so far.
    pub tries: u32,
    /// How it reaches who asked for it.
    pub way: Way,
    /// It was entered right, and sign-up may follow.
    pub verified: bool,
}

/// How a login code reaches people. Kept as a number: new ones go to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Way {
    /// Through a provider, to the number.
    Provider,
    /// As a message to the person's other sessions.
    App,
    /// By hand: it is the code of the number's invitation.
    Invitation,
    /// To the person's e-mail address.
    Email,
    /// Not at all: an e-mail address has to be verified first, and then another code takes its place.
    EmailFirst,
}

impl Way {
    /// Whether a code that went this way can be asked for by another one.
    #[must_use]
    pub fn has_next(self) -> bool {
        !matches!(self, Self::Email | Self::EmailFirst)
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Code")
            .field("sent", &self.sent)
            .field("tries", &self.tries)
            .finish_non_exhaustive()
    }
}

/// Why a code does not open a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is no such attempt, or it is over.
    Expired,
    /// Wrong digits; the try was counted.
    Wrong,
}

impl Phone {
    /// Counts one more code. Gives the seconds to wait when there were too many.
    ///
    /// # Errors
    /// Seconds until the next code may be sent.
    pub fn meter(&mut self, now: Time) -> Result<(), i64> {
        self.may_send(now)?;
        self.sent.retain(|at| at.plus(CODE_WINDOW) > now);
        self.sent.push(now);
        Ok(())
    }

    /// Whether one more code may be sent.
    ///
    /// # Errors
    /// As for [`Self::meter`].
    pub fn may_send(&self, now: Time) -> Result<(), i64> {
        let mut lately = self.sent.iter().filter(|at| at.plus(CODE_WINDOW) > now);
        match (lately.next(), lately.count() + 1) {
            (Some(first), CODES_PER_WINDOW..) => Err(first.plus(CODE_WINDOW).0 - now.0),
            _ => Ok(()),
        }
    }

    /// The pending code of this attempt, while it lives.
    pub fn pending(&mut self, now: Time, hash: &str) -> Option<&mut Code> {
        self.code
            .as_mut()
            .filter(|code| code.hash == hash && code.sent.plus(CODE_TTL) > now)
    }

    /// Enters a code. A right one is marked so and may be used to sign up for as long as a code lives.
    ///
    /// # Errors
    /// [`Refused`]; the record has changed and must be kept then too.
    pub fn enter(&mut self, now: Time, hash: &str, digits: &str) -> Result<(), Refused> {
        let code = self.pending(now, hash).ok_or(Refused::Expired)?;
        if code.digits.as_bytes().ct_eq(digits.as_bytes()).into() {
            if !code.verified {
                code.verified = true;
                code.sent = now;
            }
            return Ok(());
        }
        code.tries += 1;
        if code.tries >= CODE_TRIES_MAX {
            self.code = None;
        }
        Err(Refused::Wrong)
    }
}

/// The number's record; an empty one when it was never seen.
///
/// # Errors
/// [`Fault`].
pub async fn phone(tx: &mut Tx) -> Result<Phone, Fault> {
    Ok(tx.get(&keys::claim()).await?.unwrap_or_default())
}

/// Who has a number as people write it, as far as they let `viewer` find them by it.
///
/// # Errors
/// [`Fault`].
pub async fn find(world: &mut World, viewer: UserId, written: &str) -> Result<Option<UserId>, Fault> {
    let Some(digits) = digits(written) else {
        return Ok(None);
    };
    let Some(owner) = phone(world.view(partition::phone(&digits))).await?.owner else {
        return Ok(None);
    };
    let findable = privacy::allows(world, owner, privacy::ADDED_BY_PHONE, viewer).await?;
    Ok(Some(owner).filter(|_| findable))
}

/// The digits of a number as people write it; nothing when it cannot be one (7 to 15 digits, E.164).
#[must_use]
pub fn digits(written: &str) -> Option<String> {
    let ok = |c: char| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')' | '.');
    let digits: String = written.chars().filter(char::is_ascii_digit).collect();
    (written.chars().all(ok) && (7..=15).contains(&digits.len())).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_code() -> Phone {
        let code = Code {
            hash: "h".into(),
            digits: "12345".into(),
            sent: Time(100),
            tries: 0,
            way: Way::Provider,
            verified: false,
        };
        Phone {
            code: Some(code),
            ..Phone::default()
        }
    }

    /// Earlier versions kept whether a code went to an app.
    #[test]
    fn codes_that_earlier_versions_kept_are_read() {
        let kept = |in_app: bool| crate::record::encode(&("h", "12345", Time(100), 0_u32, in_app, false));
        let read = |in_app| crate::record::decode::<Code>(&kept(in_app)).map(|code| code.way);
        assert!(matches!(read(false), Ok(Way::Provider)));
        assert!(matches!(read(true), Ok(Way::App)));
    }

    #[test]
    fn a_code_dies_after_too_many_wrong_tries() {
        let mut phone = with_code();
        for _ in 0..CODE_TRIES_MAX {
            assert_eq!(phone.enter(Time(101), "h", "00000"), Err(Refused::Wrong));
        }
        assert_eq!(phone.enter(Time(101), "h", "12345"), Err(Refused::Expired));
    }

    #[test]
    fn a_code_dies_of_age_and_belongs_to_its_attempt() {
        let mut phone = with_code();
        assert_eq!(phone.enter(Time(101), "other", "12345"), Err(Refused::Expired));
        assert_eq!(
            phone.enter(Time(100 + CODE_TTL), "h", "12345"),
            Err(Refused::Expired)
        );
        assert_eq!(phone.enter(Time(101), "h", "12345"), Ok(()));
    }

    #[test]
    fn the_wait_for_another_code_is_the_true_one() {
        let mut phone = Phone::default();
        for i in 0..CODES_PER_WINDOW {
            assert_eq!(phone.meter(Time(1000 + i as i64)), Ok(()));
        }
        assert_eq!(phone.meter(Time(1500)), Err(CODE_WINDOW - 500));
        assert_eq!(phone.meter(Time(1000 + CODE_WINDOW)), Ok(()));
    }
}
