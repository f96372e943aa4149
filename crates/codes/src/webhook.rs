//! Codes for an operator's own program, by HTTP: `docs/codes.md` says what it is sent and how it answers.

use std::error::Error;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use aws_lc_rs::hmac;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use hyper::http::uri::Scheme;
use hyper::{Request, StatusCode, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;

use crate::provider::{Failure, Message, Provider};

/// How long the whole of a request may take, from the connection to the end of the answer.
pub const ANSWER_MAX: Duration = Duration::from_secs(10);
/// How much of an answer's body is read, in bytes. A connection whose answer is longer is closed.
pub const ANSWER_LEN_MAX: usize = 16 << 10;
/// Shorter secrets are refused, in bytes.
pub const SECRET_LEN_MIN: usize = 16;

/// What is wrong with the settings of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// The address is not one that can be posted to.
    #[error("a webhook's address begins with https:// or http:// and names a host, without a password")]
    Url,
    /// The secret could be guessed.
    #[error("a webhook's secret has at least {SECRET_LEN_MIN} bytes")]
    Secret,
}

/// Posts every message to one address.
pub struct Webhook {
    url: Uri,
    key: hmac::Key,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    answer_max: Duration,
}

impl Webhook {
    /// Posts to `url`, with signatures under `secret`, over connections by `tls` where the URL says `https`.
    ///
    /// # Errors
    /// When one of the two cannot be used.
    pub fn new(url: &str, secret: &str, tls: ClientConfig) -> Result<Self, Unusable> {
        let url: Uri = url.parse().map_err(|_| Unusable::Url)?;
        let known = [Some(&Scheme::HTTP), Some(&Scheme::HTTPS)].contains(&url.scheme());
        let host = url.authority().map_or("", |authority| authority.as_str());
        if !known || host.is_empty() || host.contains('@') {
            return Err(Unusable::Url);
        }
        if secret.len() < SECRET_LEN_MIN {
            return Err(Unusable::Secret);
        }
        Ok(Self {
            url,
            key: hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
            client: client(tls),
            answer_max: ANSWER_MAX,
        })
    }

    /// Waits so long for an answer instead of [`ANSWER_MAX`].
    #[must_use]
    pub fn with_answer_max(self, answer_max: Duration) -> Self {
        Self { answer_max, ..self }
    }

    fn request(&self, message: &Message) -> Option<Request<Full<Bytes>>> {
        let body = serde_json::json!({
            "number": message.number,
            "code": message.code,
            "text": message.text,
        });
        let body = body.to_string();
        let timestamp = unix_time();
        Request::post(&self.url)
            .header(CONTENT_TYPE, "application/json")
            .header("Havre-Timestamp", timestamp)
            .header("Havre-Signature", self.signature(timestamp, &body))
            .body(Full::from(body))
            .ok()
    }

    fn signature(&self, timestamp: u64, body: &str) -> String {
        let tag = hmac::sign(&self.key, format!("{timestamp}.{body}").as_bytes());
        let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("v1={hex}")
    }

    async fn answer(
        &self,
        message: &Message,
    ) -> Result<(StatusCode, HeaderMap), Box<dyn Error + Send + Sync>> {
        let request = self.request(message).ok_or("the request cannot be written")?;
        let (head, body) = self.client.request(request).await?.into_parts();
        drain(body).await;
        Ok((head.status, head.headers))
    }
}

fn client(tls: ClientConfig) -> Client<HttpsConnector<HttpConnector>, Full<Bytes>> {
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .build();
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_secs(30))
        .build(connector)
}

/// Nothing in the body matters, but a connection whose answer has been read can be used again.
async fn drain(body: Incoming) {
    let _ = Limited::new(body, ANSWER_LEN_MAX).collect().await;
}

fn unix_time() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

#[async_trait]
impl Provider for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    async fn deliver(&self, message: &Message) -> Result<(), Failure> {
        match tokio::time::timeout(self.answer_max, self.answer(message)).await {
            Ok(Ok((status, headers))) => outcome(status, &headers),
            // The error's text may hold the URL, and the URL a password: neither is logged.
            Ok(Err(_)) | Err(_) => Err(Failure::Down),
        }
    }
}

/// What an answer means.
fn outcome(status: StatusCode, headers: &HeaderMap) -> Result<(), Failure> {
    match status {
        StatusCode::TOO_MANY_REQUESTS => Err(Failure::Slower {
            retry_after: retry_after(headers),
        }),
        status if status.is_success() => Ok(()),
        status if status.is_client_error() => Err(Failure::Refused),
        _ => Err(Failure::Down),
    }
}

/// `Retry-After` in seconds; as a date it is not understood.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}
