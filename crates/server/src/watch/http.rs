//! `/metrics`, `/health` and `/ready`, on an address of their own: for monitoring, not for the internet.
//!
//! One request for each connection, and everything about it is bounded: whoever dawdles here holds one of a
//! few places for a few seconds, and takes nothing from those whom the server is for.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use async_trait::async_trait;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Most connections at once; more are closed as soon as they come.
const CONNECTIONS_MAX: usize = 16;
/// Longest head of a request, bytes. hyper takes no smaller bound.
const HEAD_LEN_MAX: usize = 8 << 10;
/// Most header lines of a request.
const HEADERS_MAX: usize = 32;
/// How long the head of a request may take to come.
const HEAD_PATIENCE: Duration = Duration::from_secs(5);
/// How long a connection may last, from accept to close.
const CONNECTION_PATIENCE: Duration = Duration::from_secs(15);
/// How long accepting rests after the system refused.
const ACCEPT_REST: Duration = Duration::from_secs(1);

/// The media type of OpenMetrics.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";

/// What can be asked.
#[async_trait]
pub trait Watched: Send + Sync + 'static {
    /// All metrics in the text format of OpenMetrics.
    fn metrics(&self) -> String;
    /// Whether clients can be served now; else why not, in a sentence for the operator.
    async fn ready(&self) -> Result<(), String>;
}

/// Opens the port.
pub async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("{address} (metrics_listen) cannot be listened on"))
}

/// Answers until it is dropped.
pub async fn run(listener: TcpListener, watched: Arc<dyn Watched>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                    continue;
                };
                let served = serve(stream, Arc::clone(&watched));
                tokio::spawn(async move {
                    // Whatever ends a connection here is of no interest: monitoring asks again.
                    let _ = tokio::time::timeout(CONNECTION_PATIENCE, served).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection to metrics_listen cannot be accepted");
                tokio::time::sleep(ACCEPT_REST).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, watched: Arc<dyn Watched>) -> hyper::Result<()> {
    let service = service_fn(move |request: Request<Incoming>| {
        let watched = Arc::clone(&watched);
        async move { Ok::<_, Infallible>(answer(&request, &*watched).await) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .max_buf_size(HEAD_LEN_MAX)
        .max_headers(HEADERS_MAX)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await
}

async fn answer<B>(request: &Request<B>, watched: &dyn Watched) -> Response<Full<Bytes>> {
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        let mut refused = page(StatusCode::METHOD_NOT_ALLOWED, PLAIN, "only GET\n".into());
        refused
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refused;
    }
    match request.uri().path() {
        "/metrics" => page(StatusCode::OK, OPEN_METRICS, watched.metrics()),
        // That this is said is what it says: the process runs and its event loop answers.
        "/health" => page(StatusCode::OK, PLAIN, "well\n".into()),
        "/ready" => match watched.ready().await {
            Ok(()) => page(StatusCode::OK, PLAIN, "ready\n".into()),
            Err(reason) => page(StatusCode::SERVICE_UNAVAILABLE, PLAIN, reason + "\n"),
        },
        _ => page(StatusCode::NOT_FOUND, PLAIN, "/metrics, /health, /ready\n".into()),
    }
}

fn page(status: StatusCode, kind: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut page = Response::new(Full::new(text.into()));
    *page.status_mut() = status;
    let headers = page.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    /// Ready or not, as told.
    struct Told(Result<(), String>);

    #[async_trait]
    impl Watched for Told {
        fn metrics(&self) -> String {
            "# EOF\n".to_owned()
        }

        async fn ready(&self) -> Result<(), String> {
            self.0.clone()
        }
    }

    async fn start(ready: Result<(), String>) -> SocketAddr {
        let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(run(listener, Arc::new(Told(ready))));
        address
    }

    /// Everything that is answered to these bytes until the server closes.
    async fn said(address: SocketAddr, bytes: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // Whoever is refused may be cut off while writing.
        let _ = stream.write_all(bytes.as_bytes()).await;
        let mut text = Vec::new();
        let _ = stream.read_to_end(&mut text).await;
        String::from_utf8(text).unwrap()
    }

    async fn get(address: SocketAddr, path: &str) -> String {
        said(address, &format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")).await
    }

    #[tokio::test]
    async fn each_path_says_its_own() {
        let address = start(Ok(())).await;
        let metrics = get(address, "/metrics").await;
        assert!(
            metrics.starts_with("HTTP/1.1 200") && metrics.ends_with("# EOF\n"),
            "{metrics}"
        );
        assert!(metrics.contains("content-type: application/openmetrics-text; version=1.0.0"));
        assert!(get(address, "/health?x").await.ends_with("well\n"));
        assert!(get(address, "/ready").await.starts_with("HTTP/1.1 200"));
        assert!(get(address, "/").await.starts_with("HTTP/1.1 404"));
        let posted = said(
            address,
            "POST /metrics HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n",
        )
        .await;
        assert!(posted.starts_with("HTTP/1.1 405"), "{posted}");
    }

    #[tokio::test]
    async fn who_is_not_ready_says_why_and_is_well_all_the_same() {
        let address = start(Err("the store does not answer".into())).await;
        let ready = get(address, "/ready").await;
        assert!(ready.starts_with("HTTP/1.1 503"), "{ready}");
        assert!(ready.ends_with("\r\n\r\nthe store does not answer\n"), "{ready}");
        assert!(get(address, "/health").await.starts_with("HTTP/1.1 200"));
    }

    #[tokio::test]
    async fn a_head_that_is_too_long_is_refused() {
        let address = start(Ok(())).await;
        let long = format!("GET /metrics HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(HEAD_LEN_MAX));
        assert!(!said(address, &long).await.contains("200 OK"));
        let many = format!(
            "GET /metrics HTTP/1.1\r\n{}\r\n",
            "x: y\r\n".repeat(HEADERS_MAX + 1)
        );
        assert!(!said(address, &many).await.contains("200 OK"));
    }

    /// As many as there are places send a byte now and then and never end: each is cut off when the head had
    /// its time, and then others are served.
    #[tokio::test]
    async fn who_dawdles_holds_a_place_for_so_long_only() {
        let address = start(Ok(())).await;
        let begun = Instant::now();
        let mut dawdlers = Vec::new();
        for _ in 0..CONNECTIONS_MAX {
            let stream = TcpStream::connect(address).await.unwrap();
            dawdlers.push(tokio::spawn(dawdle(stream)));
        }
        assert_eq!(get(address, "/health").await, "", "the places are bounded");
        for dawdler in dawdlers {
            dawdler.await.unwrap();
        }
        let lasted = begun.elapsed();
        assert!(
            lasted > HEAD_PATIENCE / 2 && lasted < HEAD_PATIENCE * 2,
            "{lasted:?}"
        );
        assert!(get(address, "/health").await.contains("200 OK"));
    }

    /// Returns once it is cut off.
    async fn dawdle(mut stream: TcpStream) {
        let mut answer = [0; 1024];
        for byte in b"GET /metrics HTTP/1.1\r\nx: "
            .iter()
            .chain(std::iter::repeat(&b'y'))
        {
            let _ = stream.write_all(&[*byte]).await;
            let pause = tokio::time::sleep(Duration::from_millis(100));
            tokio::select! {
                () = pause => {}
                read = stream.read(&mut answer) => if read.unwrap_or(0) == 0 { return },
            }
        }
    }
}
