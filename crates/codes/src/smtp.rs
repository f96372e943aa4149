//! Codes by e-mail, to a person or to a gateway that turns e-mails into text messages.

use std::time::Duration;

use async_trait::async_trait;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::Error;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message as Email, Tokio1Executor};

use crate::provider::{Failure, Message, Provider};

/// How long a delivery may take, from the connection to the last answer.
pub const ANSWER_MAX: Duration = Duration::from_secs(20);
/// Stands for the number in the address that codes are sent to.
pub const NUMBER: &str = "{number}";

const SUBJECT: &str = "Login code";

/// What is wrong with the settings of the e-mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// The server cannot be told from the URL.
    #[error("the URL of a mail server is smtps://[user:password@]host[:port] or smtp://host[:port]")]
    Url,
    /// A password would be readable on its way.
    #[error("a password is sent to a mail server over TLS only: by smtps://, or smtp:// with ?tls=required")]
    Plain,
    /// Nobody can be the sender.
    #[error("the sender of e-mails is an address, such as Havre <havre@example.org>")]
    From,
    /// Nobody can be the receiver.
    #[error("the receiver of e-mails is an address with {NUMBER} in it, such as {NUMBER}@sms.example.org")]
    To,
}

/// Hands every message to one mail server.
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: String,
    answer_max: Duration,
}

impl Smtp {
    /// Sends through the server at `url`, as `from`, to the address that `to` becomes with the digits of the
    /// number in the place of [`NUMBER`].
    ///
    /// # Errors
    /// When one of the three cannot be used.
    pub fn new(url: &str, from: &str, to: &str) -> Result<Self, Unusable> {
        if url.contains('@') && !url.starts_with("smtps:") && !url.contains("tls=required") {
            return Err(Unusable::Plain);
        }
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(|_| Unusable::Url)?;
        if !to.contains(NUMBER) || receiver(to, "15550000001").is_none() {
            return Err(Unusable::To);
        }
        Ok(Self {
            transport: transport.timeout(Some(ANSWER_MAX)).build(),
            from: from.parse().map_err(|_| Unusable::From)?,
            to: to.to_owned(),
            answer_max: ANSWER_MAX,
        })
    }

    /// Waits so long for a delivery instead of [`ANSWER_MAX`].
    #[must_use]
    pub fn with_answer_max(self, answer_max: Duration) -> Self {
        Self { answer_max, ..self }
    }

    /// Sends `code` to somebody who logs in by the e-mail address `to`.
    ///
    /// # Errors
    /// When it was not sent, by what can be done about it; an address that cannot exist is refused.
    pub async fn email(&self, to: &str, code: &str) -> Result<(), Failure> {
        let to = to.parse().map_err(|_| Failure::Refused)?;
        self.send(to, format!("Your login code is {code}.")).await
    }

    async fn send(&self, to: Address, text: String) -> Result<(), Failure> {
        let email = Email::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(SUBJECT)
            .header(ContentType::TEXT_PLAIN)
            .body(text)
            .map_err(|_| Failure::Refused)?;
        match tokio::time::timeout(self.answer_max, self.transport.send(email)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(failure(&error)),
            Err(_) => Err(Failure::Down),
        }
    }
}

fn receiver(template: &str, number: &str) -> Option<Address> {
    template.replace(NUMBER, number).parse().ok()
}

#[async_trait]
impl Provider for Smtp {
    fn name(&self) -> &'static str {
        "smtp"
    }

    async fn deliver(&self, message: &Message) -> Result<(), Failure> {
        let to = receiver(&self.to, &message.number).ok_or(Failure::Refused)?;
        self.send(to, message.text.clone()).await
    }
}

/// What an answer of the server means (RFC 5321, section 4.2.3). 450 speaks of one mailbox, so it is no
/// reason to make others wait; other answers of the fours do, and of the fives only 550 and up speak of the
/// receiver.
fn failure(error: &Error) -> Failure {
    match error.status().map(u16::from) {
        Some(450 | 550..=559) => Failure::Refused,
        Some(400..=499) => Failure::Slower { retry_after: None },
        _ => Failure::Down,
    }
}
