//! Codes by text message, through a message centre that speaks SMPP 3.4.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rusmpp::CommandStatus;
use rusmpp::pdus::{BindTransmitter, SubmitSm};
use rusmpp::types::{COctetString, OctetString};
use rusmpp::values::{InterfaceVersion, Npi, Ton};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

use crate::circuit::pause;
use crate::provider::{Failure, Message, Provider};
use crate::smpp::link::{Duplex, Link, Unbound};

pub mod link;
pub mod text;

/// How long connecting and binding may take.
pub const BIND_MAX: Duration = Duration::from_secs(10);
/// How long the answer to a message may take.
pub const ANSWER_MAX: Duration = Duration::from_secs(10);
/// How often a sign of life is asked for. A connection without one until the next time is given up.
pub const BEAT: Duration = Duration::from_secs(30);
/// Messages at most that the message centre has not answered yet.
pub const WINDOW: usize = 10;

const PORT: u16 = 2775;
const TLS_PORT: u16 = 3550;

/// What is wrong with the settings of SMPP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// The message centre cannot be told from the host.
    #[error("the host of a message centre is smpps://host[:port] for TLS, or host[:port] without")]
    Host,
    /// No message centre knows such an account.
    #[error("the system id of a message centre has 1 to 15 ASCII characters")]
    SystemId,
    /// No message centre knows such a password.
    #[error("the password of a message centre has at most 8 ASCII characters")]
    Password,
    /// Nobody can be the sender.
    #[error("the sender of text messages is a number, or a name of up to 11 ASCII characters")]
    From,
}

/// What an operator has agreed with the message centre.
#[derive(Clone, Copy)]
pub struct Account<'a> {
    /// `smpps://host[:port]` for TLS, `host[:port]` without.
    pub host: &'a str,
    /// The name of the account.
    pub system_id: &'a str,
    /// Its password.
    pub password: &'a str,
    /// The sender that people see: a number, a name, or nothing for what the message centre thinks best.
    pub from: &'a str,
}

/// Submits every message over one connection, which is made when it is needed and kept.
pub struct Smpp {
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    bind: BindTransmitter,
    from: (Ton, Npi, COctetString<1, 21>),
    slot: Mutex<Slot>,
    window: Semaphore,
    answer_max: Duration,
    beat: Duration,
}

/// The connection, or when to try to make one again.
struct Slot {
    link: Option<Link>,
    failures: u32,
    rests_until: Instant,
}

impl Smpp {
    /// Uses `account`, with `tls` where its host says so.
    ///
    /// # Errors
    /// When a part of the account cannot be.
    pub fn new(account: Account<'_>, tls: ClientConfig) -> Result<Self, Unusable> {
        let (host, port, name) = parse_host(account.host).ok_or(Unusable::Host)?;
        let system_id = COctetString::from_str(account.system_id).map_err(|_| Unusable::SystemId)?;
        if account.system_id.is_empty() {
            return Err(Unusable::SystemId);
        }
        let bind = BindTransmitter::builder()
            .system_id(system_id)
            .password(COctetString::from_str(account.password).map_err(|_| Unusable::Password)?)
            .interface_version(InterfaceVersion::Smpp3_4)
            .build();
        Ok(Self {
            host,
            port,
            tls: name.map(|name| (TlsConnector::from(Arc::new(tls)), name)),
            bind,
            from: sender(account.from).ok_or(Unusable::From)?,
            slot: Mutex::new(Slot {
                link: None,
                failures: 0,
                rests_until: Instant::now(),
            }),
            window: Semaphore::new(WINDOW),
            answer_max: ANSWER_MAX,
            beat: BEAT,
        })
    }

    /// Waits so long for an answer instead of [`ANSWER_MAX`], and asks for a sign of life so often instead of
    /// every [`BEAT`].
    #[must_use]
    pub fn with_times(self, answer_max: Duration, beat: Duration) -> Self {
        Self {
            answer_max,
            beat,
            ..self
        }
    }

    /// The connection, made if there is none; `None` when there cannot be one now.
    async fn link(&self) -> Option<Link> {
        let mut slot = self.slot.lock().await;
        slot.link = slot.link.take().filter(Link::is_open);
        if slot.link.is_none() && slot.rests_until <= Instant::now() {
            slot.link = self.bind().await;
            // The exchange adds jitter when it chooses whom to ask.
            slot.rests_until = Instant::now() + pause(slot.failures, 0.0);
            slot.failures = if slot.link.is_some() {
                0
            } else {
                slot.failures.saturating_add(1)
            };
        }
        slot.link.clone()
    }

    async fn bind(&self) -> Option<Link> {
        let bound = async {
            let stream = self.connect().await.map_err(|_| Unbound::Broken)?;
            Link::bind(stream, self.bind.clone(), self.beat).await
        };
        match timeout(BIND_MAX, bound).await.unwrap_or(Err(Unbound::Broken)) {
            Ok(link) => Some(link),
            Err(cause) => {
                tracing::warn!(?cause, "login codes: the message centre cannot be bound");
                None
            }
        }
    }

    async fn connect(&self) -> std::io::Result<Box<dyn Duplex>> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        Ok(match &self.tls {
            None => Box::new(stream),
            Some((connector, name)) => Box::new(connector.connect(name.clone(), stream).await?),
        })
    }

    fn submission(&self, message: &Message) -> Option<SubmitSm> {
        let (ton, npi, from) = self.from.clone();
        let (coding, text) = text::encode(message);
        let submission = SubmitSm::builder()
            .source_addr_ton(ton)
            .source_addr_npi(npi)
            .source_addr(from)
            .dest_addr_ton(Ton::International)
            .dest_addr_npi(Npi::Isdn)
            .destination_addr(COctetString::from_str(&message.number).ok()?)
            .data_coding(coding)
            .short_message(OctetString::from_vec(text).ok()?);
        Some(submission.build())
    }
}

/// Host, port, and with TLS the name that the certificate has to have.
fn parse_host(text: &str) -> Option<(String, u16, Option<ServerName<'static>>)> {
    let (tls, text) = match text.strip_prefix("smpps://") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (text, if tls { TLS_PORT } else { PORT }),
    };
    // An IPv6 address stands in brackets.
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    let name = ServerName::try_from(host.to_owned()).ok()?;
    Some((host.to_owned(), port, tls.then_some(name)))
}

/// How a sender is told: a number that people can call, a short number of one country, or a name.
fn sender(from: &str) -> Option<(Ton, Npi, COctetString<1, 21>)> {
    let digits = from.bytes().all(|byte| byte.is_ascii_digit());
    let (ton, npi) = match from.len() {
        0 => (Ton::Unknown, Npi::Unknown),
        1..=6 if digits => (Ton::NetworkSpecific, Npi::Unknown),
        7..=15 if digits => (Ton::International, Npi::Isdn),
        1..=11 if !digits => (Ton::Alphanumeric, Npi::Unknown),
        _ => return None,
    };
    Some((ton, npi, COctetString::from_str(from).ok()?))
}

#[async_trait]
impl Provider for Smpp {
    fn name(&self) -> &'static str {
        "smpp"
    }

    async fn deliver(&self, message: &Message) -> Result<(), Failure> {
        let submission = self.submission(message).ok_or(Failure::Refused)?;
        // The semaphore is never closed.
        let _turn = self.window.acquire().await.map_err(|_| Failure::Down)?;
        let link = self.link().await.ok_or(Failure::Down)?;
        match timeout(self.answer_max, link.submit(submission)).await {
            Ok(Some(status)) => outcome(status),
            Ok(None) | Err(_) => Err(Failure::Down),
        }
    }
}

/// What an answer means (SMPP 3.4, section 5.1.3).
fn outcome(status: CommandStatus) -> Result<(), Failure> {
    match status {
        CommandStatus::EsmeRok => Ok(()),
        CommandStatus::EsmeRthrottled | CommandStatus::EsmeRmsgqful => {
            Err(Failure::Slower { retry_after: None })
        }
        CommandStatus::EsmeRinvdstadr => Err(Failure::Refused),
        _ => Err(Failure::Down),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_and_addresses_with_and_without_port() {
        let host = |text| parse_host(text).map(|(host, port, name)| (host, port, name.is_some()));
        let expected = |host: &str, port, tls| Some((host.to_owned(), port, tls));
        assert_eq!(host("sms.example.org"), expected("sms.example.org", PORT, false));
        assert_eq!(host("192.0.2.1:99"), expected("192.0.2.1", 99, false));
        assert_eq!(
            host("smpps://sms.example.org"),
            expected("sms.example.org", TLS_PORT, true)
        );
        assert_eq!(
            host("smpps://[2001:db8::1]:99"),
            expected("2001:db8::1", 99, true)
        );
        assert_eq!(host("sms.example.org:65536"), None);
    }
}
