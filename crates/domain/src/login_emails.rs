//! Log-in by e-mail: an address that a person verified, to which login codes go instead of to the telephone.
//! An address is nobody else's business: it is shown to others as a pattern, and what is made for logs does
//! not hold it.

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::ids::Time;
use crate::keys;
use crate::limits::{CODE_TRIES_MAX, CODE_TTL, EMAIL_LEN_MAX, EMAIL_LOCAL_LEN_MAX, EMAIL_RESET_WAIT};
use crate::phones::Refused;
use crate::tx::{Fault, Tx};

/// An e-mail address.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address(String);

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Address(..)")
    }
}

impl Address {
    /// An address as people write it; nothing for what cannot be one: a local part of the characters that
    /// need no quotes (RFC 5322, section 3.2.3), and a domain with a dot.
    #[must_use]
    pub fn parse(written: &str) -> Option<Self> {
        let written = written.trim();
        let (local, domain) = written.rsplit_once('@')?;
        let is_atom = |atom: &str| !atom.is_empty() && atom.bytes().all(is_atext);
        let is_label = |label: &str| {
            let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            (1..=63).contains(&label.len()) && label.bytes().all(inner)
        };
        let fits = written.len() <= EMAIL_LEN_MAX && local.len() <= EMAIL_LOCAL_LEN_MAX;
        let is_local = local.split('.').all(is_atom);
        let is_domain = domain.contains('.') && domain.split('.').all(is_label);
        (fits && is_local && is_domain).then(|| Self(format!("{local}@{}", domain.to_ascii_lowercase())))
    }

    /// The address itself, for its owner and for the mail server.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What its owner knows it by and nobody else learns it from: `a***@e***.org`.
    #[must_use]
    pub fn pattern(&self) -> String {
        let (local, domain) = self.0.split_once('@').unwrap_or_default();
        let (host, top) = domain.rsplit_once('.').unwrap_or_default();
        let first = |text: &str| text.chars().next().map(String::from).unwrap_or_default();
        format!("{}***@{}***.{top}", first(local), first(host))
    }
}

fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

/// The address that a person's login codes go to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginEmail {
    /// The address.
    pub address: Address,
    /// When it may be given up, after somebody who cannot read its mail asked for that.
    pub reset_at: Option<Time>,
}

/// What becomes of the address that a person's login codes go to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// It is this one from now on.
    Set(Address),
    /// Its owner reads it: nobody gives it up.
    Keep,
    /// It is given up, if that was asked for long ago.
    Reset,
}

/// The address that a person's login codes go to.
///
/// # Errors
/// [`Fault`]; so for everything here.
pub async fn login_email(tx: &mut Tx) -> Result<Option<LoginEmail>, Fault> {
    tx.get(&keys::login_email()).await
}

/// Changes it.
///
/// # Errors
/// [`Fault`].
pub async fn change(tx: &mut Tx, now: Time, change: Change) -> Result<(), Fault> {
    let kept = login_email(tx).await?;
    match (change, kept) {
        (Change::Set(address), _) => {
            let reset_at = None;
            tx.put(keys::login_email(), &LoginEmail { address, reset_at });
        }
        (Change::Keep, Some(mut kept)) if kept.reset_at.is_some() => {
            kept.reset_at = None;
            tx.put(keys::login_email(), &kept);
        }
        (Change::Reset, Some(kept)) if kept.may_reset(now) => tx.delete(keys::login_email()),
        _ => {}
    }
    Ok(())
}

impl LoginEmail {
    /// Asks for it to be given up. False when that was asked for already.
    pub fn ask_reset(&mut self, now: Time) -> bool {
        let asked = self.reset_at.is_some();
        self.reset_at.get_or_insert(now.plus(EMAIL_RESET_WAIT));
        !asked
    }

    /// Whether the wait is over after which it may be given up.
    #[must_use]
    pub fn may_reset(&self, now: Time) -> bool {
        self.reset_at.is_some_and(|at| at <= now)
    }
}

/// A code that was sent to an address to see whether it is read.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// The attempt to log in that it belongs to; empty for somebody who is logged in.
    pub attempt: String,
    /// The address.
    pub address: Address,
    /// The digits.
    pub code: String,
    /// When it was sent.
    pub sent: Time,
    /// Wrong codes so far.
    pub tries: u32,
    /// It was entered right.
    pub proved: bool,
}

impl std::fmt::Debug for Verification {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verification")
            .field("sent", &self.sent)
            .field("tries", &self.tries)
            .finish_non_exhaustive()
    }
}

impl Verification {
    /// Enters a code.
    ///
    /// # Errors
    /// [`Refused`]; a wrong one was counted, and the record must be kept then too.
    pub fn enter(&mut self, now: Time, digits: &str) -> Result<(), Refused> {
        if self.sent.plus(CODE_TTL) <= now || self.tries >= CODE_TRIES_MAX {
            return Err(Refused::Expired);
        }
        if self.code.as_bytes().ct_eq(digits.as_bytes()).into() {
            self.proved = true;
            return Ok(());
        }
        self.tries += 1;
        Err(Refused::Wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_what_is_none() {
        let written = |text: &str| Address::parse(text).map(|address| address.0);
        assert_eq!(
            written(" Alice.B+x@Example.ORG "),
            Some("Alice.B+x@example.org".into())
        );
        for text in [
            "",
            "alice",
            "@example.org",
            "alice@",
            "alice@example",
            "a lice@example.org",
            "a@b@example.org",
            "alice@example..org",
            ".a@example.org",
            "a@exa_mple.org",
            "a\r\nb@example.org",
            "\"a\"@example.org",
            "<a@example.org>",
            "a@[127.0.0.1]",
        ] {
            assert_eq!(written(text), None, "{text:?}");
        }
        let long = |n: usize| format!("{}@{}", "a".repeat(n), vec!["b".repeat(61); 3].join(".") + ".org");
        assert!(written(&long(64)).is_some());
        assert!(written(&long(65)).is_none());
    }

    #[test]
    fn a_pattern_gives_little_away() {
        let pattern = |text| Address::parse(text).map(|address| address.pattern());
        assert_eq!(
            pattern("alice@mail.example.org").as_deref(),
            Some("a***@m***.org")
        );
        assert_eq!(pattern("b@c.de").as_deref(), Some("b***@c***.de"));
        let address = Address::parse("alice@example.org");
        assert!(!format!("{address:?}").contains("alice"));
    }

    #[test]
    fn a_verification_dies_of_age_and_of_wrong_codes() {
        let fresh = Verification {
            attempt: String::new(),
            address: Address("alice@example.org".into()),
            code: "12345".into(),
            sent: Time(100),
            tries: 0,
            proved: false,
        };
        assert_eq!(
            fresh.clone().enter(Time(100 + CODE_TTL), "12345"),
            Err(Refused::Expired)
        );
        let mut guessed = fresh.clone();
        for _ in 0..CODE_TRIES_MAX {
            assert_eq!(guessed.enter(Time(101), "00000"), Err(Refused::Wrong));
        }
        assert_eq!(guessed.enter(Time(101), "12345"), Err(Refused::Expired));
        let shown = format!("{fresh:?}");
        assert!(!shown.contains("12345") && !shown.contains("alice"), "{shown}");
    }
}
