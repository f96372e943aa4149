//! The answering side.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};

use super::{LINE_LEN_MAX, SOCKET_NAME};
use crate::codes::ConsoleCodes;
use crate::data::DataFolder;

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
pub async fn run(listener: UnixListener, codes: Arc<ConsoleCodes>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let codes = Arc::clone(&codes);
                tokio::spawn(tokio::time::timeout(PATIENCE, async move {
                    serve(stream, &codes).await
                }));
            }
            Err(error) => {
                tracing::warn!(%error, "the admin socket does not accept");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

async fn serve(mut stream: UnixStream, codes: &ConsoleCodes) -> io::Result<()> {
    let (read, mut write) = stream.split();
    let mut request = String::new();
    BufReader::new(read.take(LINE_LEN_MAX))
        .read_line(&mut request)
        .await?;
    let line = match answer(request.trim(), codes) {
        Ok(text) => format!("ok {text}\n"),
        Err(sentence) => format!("error {sentence}\n"),
    };
    write.write_all(line.as_bytes()).await
}

fn answer(request: &str, codes: &ConsoleCodes) -> Result<String, String> {
    match request.split_once(' ') {
        Some(("code", phone)) => codes
            .pending(phone)
            .ok_or_else(|| format!("no login code is waiting for {phone}")),
        _ => Err(format!("there is no request {request:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::client;

    fn start(folder: &DataFolder) -> (tokio::runtime::Runtime, Arc<ConsoleCodes>) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let codes = Arc::new(ConsoleCodes::default());
        let listener = runtime.block_on(async { bind(folder) }).unwrap();
        runtime.spawn(run(listener, Arc::clone(&codes)));
        (runtime, codes)
    }

    #[test]
    fn a_code_is_asked_for_over_the_socket() {
        let parent = tempfile::tempdir().unwrap();
        let folder = DataFolder::create(parent.path()).unwrap();
        let (_runtime, codes) = start(&folder);
        let ask = |request| client::ask(folder.path(), request).map_err(|error| format!("{error:#}"));
        assert_eq!(
            ask("code 1555"),
            Err("no login code is waiting for 1555".to_owned())
        );
        codes.deliver("+1555", "54321");
        assert_eq!(ask("code 1555").as_deref(), Ok("54321"));
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
        let (_runtime, _) = start(&folder);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(client::ask(folder.path(), "code 1").is_err());
    }
}
