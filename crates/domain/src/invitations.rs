//! Invitations: a number that no network serves, and a code that somebody passes on by hand. Whoever enters
//! the code signs up with that number, and no message had to be sent.
//!
//! The numbers begin with +424, a country code that the ITU has assigned to nobody (List of Recommendation
//! ITU-T E.164 assigned country codes), so they are nobody's telephone.

use serde::{Deserialize, Serialize};

use crate::ids::{Time, UserId};
use crate::keys::{self, partition};
use crate::limits::{INVITATION_CODE_LEN, INVITATION_DAYS, INVITATION_TRIES_MAX};
use crate::outbox::Effect;
use crate::phones::{self, Phone};
use crate::tx::{Fault, Tx};
use crate::world::World;

/// How the numbers begin.
pub const PREFIX: &str = "424";

/// Random digits after [`PREFIX`]: too many numbers to come across one that is invited.
const NUMBER_LEN: usize = 10;
/// Seconds.
const DAY: i64 = 24 * 3600;

/// An invitation that waits for somebody; kept with its number.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// The code that signs up.
    pub code: String,
    /// When it ends.
    pub expires: Time,
    /// Wrong codes so far, over all attempts.
    pub tries: u32,
}

impl std::fmt::Debug for Invitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Invitation")
            .field("expires", &self.expires)
            .field("tries", &self.tries)
            .finish_non_exhaustive()
    }
}

impl Invitation {
    /// The invitation that a ticket is for.
    #[must_use]
    pub fn new(ticket: &Ticket, now: Time, days: u32) -> Self {
        Self {
            code: ticket.code.clone(),
            expires: now.plus(i64::from(days) * DAY),
            tries: 0,
        }
    }

    /// Whether its code may be entered now.
    #[must_use]
    pub fn is_open(&self, now: Time) -> bool {
        self.expires > now && self.tries < INVITATION_TRIES_MAX
    }
}

/// What is passed on to who is invited.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Digits only.
    pub number: String,
    /// [`INVITATION_CODE_LEN`] digits.
    pub code: String,
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ticket").finish_non_exhaustive()
    }
}

/// Whether a number (digits only) is one of those that are given with an invitation.
#[must_use]
pub fn is_invited(digits: &str) -> bool {
    digits.starts_with(PREFIX)
}

/// The invitation that waits at a number, while its code may be entered.
///
/// # Errors
/// [`Fault`]; so for everything here.
pub async fn open(tx: &mut Tx, now: Time) -> Result<Option<Invitation>, Fault> {
    let kept: Option<Invitation> = tx.get(&keys::invitation()).await?;
    Ok(kept.filter(|invitation| invitation.is_open(now)))
}

/// Counts a wrong code.
///
/// # Errors
/// [`Fault`].
pub async fn note_wrong(tx: &mut Tx) -> Result<(), Fault> {
    if let Some(mut invitation) = tx.get::<Invitation>(&keys::invitation()).await? {
        invitation.tries += 1;
        tx.put(keys::invitation(), &invitation);
    }
    Ok(())
}

/// Draws a ticket with a number that nobody has and nobody is invited with.
///
/// # Errors
/// [`Fault`].
pub async fn draw(world: &mut World) -> Result<Ticket, Fault> {
    loop {
        let number = format!("{PREFIX}{}", world.random_digits(NUMBER_LEN));
        let tx = world.view(partition::phone(&number));
        let taken = phones::phone(tx).await? != Phone::default()
            || tx.get::<Invitation>(&keys::invitation()).await?.is_some();
        if !taken {
            let code = world.random_digits(INVITATION_CODE_LEN);
            return Ok(Ticket { number, code });
        }
    }
}

/// Makes an invitation in its number's partition, in place of one that was there. A number that has an owner
/// keeps no invitation.
///
/// # Errors
/// [`Fault`].
pub async fn keep(tx: &mut Tx, invitation: &Invitation) -> Result<(), Fault> {
    if phones::phone(tx).await?.owner.is_none() {
        tx.put(keys::invitation(), invitation);
    }
    Ok(())
}

/// Lets a person invite somebody: counted in their own box, and the number's partition follows. Answers with
/// the ticket and how many they have given out with it; nothing when it would be more than `most`.
///
/// # Errors
/// [`Fault`].
pub async fn give(world: &mut World, giver: UserId, most: u32) -> Result<Option<(Ticket, u32)>, Fault> {
    let given: Option<u32> = world.user(giver)?.get(&keys::invitations_given()).await?;
    let given = given.unwrap_or(0).saturating_add(1);
    if given > most {
        return Ok(None);
    }
    let ticket = draw(world).await?;
    let invitation = Invitation::new(&ticket, world.now, INVITATION_DAYS);
    let tx = world.user(giver)?;
    tx.put(keys::invitations_given(), &given);
    tx.send(partition::phone(&ticket.number), &Effect::Invitation(invitation));
    Ok(Some((ticket, given)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_ends_by_age_and_by_wrong_codes() {
        let fresh = Invitation {
            code: "12345678".into(),
            expires: Time(100),
            tries: 0,
        };
        assert!(fresh.is_open(Time(99)));
        assert!(!fresh.is_open(Time(100)));
        let guessed = Invitation {
            tries: INVITATION_TRIES_MAX,
            ..fresh.clone()
        };
        assert!(!guessed.is_open(Time(99)));
        assert!(!format!("{fresh:?}").contains("12345678"));
    }
}
