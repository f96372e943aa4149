//! What a way of delivery takes, and how it says what became of it.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

/// One code for one number.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Whom it is for: the digits of an E.164 number, without `+`.
    pub number: String,
    /// The code alone, for providers that word the message themselves.
    pub code: String,
    /// The whole message, code included, as a person reads it.
    pub text: String,
}

/// Numbers and codes never reach a log, so they do not reach what is made for logs either.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Message(..)")
    }
}

/// Why a code was not delivered, by what the sender can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// This number never works with this provider: do not try it again here.
    Refused,
    /// Too much at once: lower the rate, and try again.
    Slower {
        /// How long the provider wants to be left alone, where it says so.
        retry_after: Option<Duration>,
    },
    /// No connection, no answer, or a fault of the provider's own: try another.
    Down,
}

impl Failure {
    /// One word for an operator.
    pub fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Slower { .. } => "slower",
            Self::Down => "down",
        }
    }
}

/// A way by which codes reach people.
#[async_trait]
pub trait Provider: Send + Sync {
    /// What an operator calls it.
    fn name(&self) -> &str;

    /// Delivers one message, as far as the provider can tell. Several calls may run at once. Giving up on
    /// the call, by dropping it, must do no harm.
    ///
    /// # Errors
    /// When the message was not delivered, by what can be done about it.
    async fn deliver(&self, message: &Message) -> Result<(), Failure>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_number_nor_code_is_shown_for_logs() {
        let message = Message {
            number: "15550000001".into(),
            code: "31415".into(),
            text: "Your code is 31415".into(),
        };
        let shown = format!("{message:?} {message:#?}");
        assert!(!shown.contains("1555") && !shown.contains("31415"), "{shown}");
    }
}
