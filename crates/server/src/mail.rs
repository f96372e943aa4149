//! Login codes to the e-mail addresses that people gave: through the mail server of the settings, whether or not
//! codes for telephone numbers go through it too.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use havre_codes::exchange::{Exchange, Line};
use havre_codes::provider::{Failure, Message, Provider};
use havre_codes::route::Countries;
use havre_codes::smtp::Smtp;
use havre_codes::switchboard::Terms;

use crate::config::Settings;
use crate::env::{MAILS_MAX, entropy};

/// A receiver that nothing is sent to, for who has no gateway for telephone numbers.
const NO_GATEWAY: &str = "{number}@example.invalid";

/// In the place of a number stands an address.
struct Letters(Smtp);

#[async_trait]
impl Provider for Letters {
    fn name(&self) -> &'static str {
        "e-mail"
    }

    async fn deliver(&self, message: &Message) -> Result<(), Failure> {
        self.0.email(&message.number, &message.code).await
    }
}

/// The exchange for e-mails, where the settings name a mail server and a sender. Needs a tokio runtime.
pub fn exchange(settings: &Settings) -> Result<Option<Exchange>> {
    let Some(url) = &settings.smtp_url else {
        return Ok(None);
    };
    if settings.smtp_from.is_empty() {
        return Ok(None);
    }
    let gateway = Some(settings.smtp_to.as_str()).filter(|to| !to.is_empty());
    let smtp = Smtp::new(&url.0, &settings.smtp_from, gateway.unwrap_or(NO_GATEWAY));
    let line = Line {
        provider: Arc::new(Letters(smtp.context("smtp_url cannot be used")?)),
        terms: Terms {
            countries: Countries::default(),
            rate_max: f64::from(settings.smtp_rate),
            in_flight_max: MAILS_MAX,
        },
    };
    Ok(Some(Exchange::start(vec![line], entropy())))
}

#[cfg(test)]
mod tests {
    use havre_api::dispatch::Env as _;
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::runtime::Handle;

    use super::*;
    use crate::env::System;

    fn opened(typed: &[(&str, &str)]) -> Result<Option<Exchange>> {
        let typed = typed
            .iter()
            .map(|(key, text)| ((*key).to_owned(), (*text).to_owned()));
        exchange(&Settings::load(typed, [], None).unwrap())
    }

    /// Takes one e-mail; gives all lines that came.
    async fn take(socket: TcpStream) -> Vec<String> {
        let (read, mut write) = socket.into_split();
        let (mut lines, mut seen, mut in_text) = (BufReader::new(read).lines(), Vec::new(), false);
        write.write_all(b"220 mail\r\n").await.unwrap();
        while let Ok(Some(line)) = lines.next_line().await {
            let answer = match line.as_str() {
                "." => "250 taken\r\n",
                _ if in_text => "",
                "DATA" => "354 go on\r\n",
                "QUIT" => break,
                _ => "250 fine\r\n",
            };
            in_text = (in_text || line == "DATA") && line != ".";
            write.write_all(answer.as_bytes()).await.unwrap();
            let end = line == ".";
            seen.push(line);
            if end {
                break;
            }
        }
        seen
    }

    #[tokio::test]
    async fn a_code_goes_to_the_address_and_nowhere_else() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let mail = opened(&[("smtp_url", &url), ("smtp_from", "havre@example.org")]);
        let codes = Exchange::start(Vec::new(), [0; 32]);
        let system = System::new(Handle::current(), codes).with_mail(mail.unwrap());
        assert!(system.has_mail());
        system.send_mail("alice@example.net", "31415");
        let (socket, _) = listener.accept().await.unwrap();
        let seen = take(socket).await;
        assert!(
            seen.contains(&"RCPT TO:<alice@example.net>".to_owned()),
            "{seen:#?}"
        );
        assert!(seen.iter().any(|line| line.contains("31415")), "{seen:#?}");
    }

    #[tokio::test]
    async fn without_a_mail_server_or_a_sender_there_is_none() {
        assert!(opened(&[]).unwrap().is_none());
        assert!(opened(&[("smtp_url", "smtp://127.0.0.1:25")]).unwrap().is_none());
        let refused = opened(&[
            ("smtp_url", "smtp://a:hush-hush@b"),
            ("smtp_from", "a@example.org"),
        ]);
        let refused = format!("{:#}", refused.unwrap_err());
        assert!(
            refused.contains("smtp_url cannot be used") && !refused.contains("hush-hush"),
            "{refused}"
        );
        let codes = Exchange::start(Vec::new(), [0; 32]);
        let system = System::new(Handle::current(), codes);
        assert!(!system.has_mail());
        system.send_mail("alice@example.net", "31415");
    }
}
