//! The answering side.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use async_trait::async_trait;
use havre_domain::invitations::Ticket;
use havre_domain::limits::INVITATION_DAYS_MAX;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};

use super::{LEN_MAX, SOCKET_NAME};
use crate::data::DataFolder;

/// What an operator may ask of a running server.
#[async_trait]
pub trait Desk: Send + Sync + 'static {
    /// The login code that waits for a phone number, however it is spelled.
    async fn code(&self, phone: &str) -> Result<Option<String>>;
    /// The number and the code of a new invitation that lasts so many days.
    async fn invite(&self, days: u32) -> Result<Ticket>;
    /// How the server is, on one screen.
    fn status(&self) -> String;
    /// The limits that can be set, one a line.
    fn limits(&self) -> String;
    /// Sets one; says what holds now.
    fn set_limit(&self, key: &str, value: &str) -> Result<String>;
}

/// An operator's tool asks at once; whoever does not is cut off.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens the socket. One that is already there is from a server that died: the folder is ours.
pub fn bind(folder: &DataFolder) -> Result<UnixListener> {
    let path = folder.path().join(SOCKET_NAME);
    bind_private(&path).with_context(|| format!("the admin socket {} cannot be opened", path.display()))
}

fn bind_private(path: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Answers until it is dropped.
pub async fn run(listener: UnixListener, desk: Arc<dyn Desk>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let desk = Arc::clone(&desk);
                tokio::spawn(tokio::time::timeout(PATIENCE, async move {
                    serve(stream, &*desk).await
                }));
            }
            Err(error) => {
                tracing::warn!(%error, "the admin socket does not accept");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

async fn serve(mut stream: UnixStream, desk: &dyn Desk) -> io::Result<()> {
    let (read, mut write) = stream.split();
    let mut request = String::new();
    BufReader::new(read.take(LEN_MAX)).read_line(&mut request).await?;
    let line = match answer(request.trim(), desk).await {
        Ok(text) => format!("ok {text}\n"),
        Err(sentence) => format!("error {sentence}\n"),
    };
    write.write_all(line.as_bytes()).await
}

async fn answer(request: &str, desk: &dyn Desk) -> Result<String, String> {
    match request.split_once(' ') {
        Some(("code", phone)) => code(phone, desk).await,
        Some(("invite", days)) => invite(days, desk).await,
        Some(("limit", what)) => set_limit(what, desk),
        None if request == "limits" => Ok(desk.limits()),
        None if request == "status" => Ok(desk.status()),
        _ => Err(format!("there is no request {request:?}")),
    }
}

async fn code(phone: &str, desk: &dyn Desk) -> Result<String, String> {
    match desk.code(phone).await {
        Ok(Some(code)) => Ok(code),
        Ok(None) => Err(format!("no login code is waiting for {phone}")),
        Err(error) => Err(format!("the server cannot look: {error:#}").replace('\n', " ")),
    }
}

fn set_limit(what: &str, desk: &dyn Desk) -> Result<String, String> {
    let (key, value) = what.split_once('=').ok_or("a limit is set by KEY=VALUE")?;
    let set = desk.set_limit(key.trim(), value.trim());
    set.map_err(|error| format!("{error:#}").replace('\n', " "))
}

async fn invite(days: &str, desk: &dyn Desk) -> Result<String, String> {
    let days = days
        .parse()
        .ok()
        .filter(|days| (1..=INVITATION_DAYS_MAX).contains(days));
    let days = days.ok_or(format!(
        "an invitation lasts from 1 to {INVITATION_DAYS_MAX} days"
    ))?;
    match desk.invite(days).await {
        Ok(ticket) => Ok(format!("number +{}, code {}", ticket.number, ticket.code)),
        Err(error) => Err(format!("the server cannot invite: {error:#}").replace('\n', " ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::client;

    /// Knows one number.
    struct OneCode;

    #[async_trait]
    impl Desk for OneCode {
        async fn code(&self, phone: &str) -> Result<Option<String>> {
            Ok((phone == "1555").then(|| "54321".to_owned()))
        }

        async fn invite(&self, days: u32) -> Result<Ticket> {
            Ok(Ticket {
                number: "4245550000000".to_owned(),
                code: format!("{days:08}"),
            })
        }

        fn status(&self) -> String {
            "well\nand quiet".to_owned()
        }

        fn limits(&self) -> String {
            "rope = 3".to_owned()
        }

        fn set_limit(&self, key: &str, value: &str) -> Result<String> {
            anyhow::ensure!(key == "rope", "no limit");
            Ok(format!("rope is {value}"))
        }
    }

    fn start(folder: &DataFolder) -> tokio::runtime::Runtime {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(async { bind(folder) }).unwrap();
        runtime.spawn(run(listener, Arc::new(OneCode)));
        runtime
    }

    #[test]
    fn a_code_is_asked_for_over_the_socket() {
        let parent = tempfile::tempdir().unwrap();
        let folder = DataFolder::create(parent.path()).unwrap();
        let _runtime = start(&folder);
        let ask = |request| client::ask(folder.path(), request).map_err(|error| format!("{error:#}"));
        assert_eq!(
            ask("code 1666"),
            Err("no login code is waiting for 1666".to_owned())
        );
        assert_eq!(ask("code 1555").as_deref(), Ok("54321"));
        assert_eq!(ask("status").as_deref(), Ok("well\nand quiet"));
        assert_eq!(
            ask("invite 7").as_deref(),
            Ok("number +4245550000000, code 00000007")
        );
        assert_eq!(ask("limits").as_deref(), Ok("rope = 3"));
        assert_eq!(ask("limit rope = 4 5").as_deref(), Ok("rope is 4 5"));
        assert_eq!(ask("limit chain=1"), Err("no limit".to_owned()));
        assert!(ask("limit rope").unwrap_err().contains("KEY=VALUE"));
        for request in ["invite 0", "invite 366", "invite x"] {
            assert!(ask(request).unwrap_err().contains("from 1 to 365"));
        }
        assert!(ask("x").unwrap_err().starts_with("there is no request"));
    }

    #[test]
    fn a_stale_socket_is_replaced_and_the_new_one_private() {
        let parent = tempfile::tempdir().unwrap();
        let folder = DataFolder::create(parent.path()).unwrap();
        let path = folder.path().join(SOCKET_NAME);
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let refused = format!("{:#}", client::ask(folder.path(), "code 1").unwrap_err());
        assert!(refused.starts_with("no server is running"), "{refused}");
        let _runtime = start(&folder);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(client::ask(folder.path(), "code 1").is_err());
    }
}
