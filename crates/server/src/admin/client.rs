//! The asking side, for the subcommands of `havre`.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{LEN_MAX, SOCKET_NAME};

/// A server that is alive answers at once; a stopped process must not hold up a script.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks the server on a data folder, and returns the text of its answer.
pub fn ask(data: &Path, request: &str) -> Result<String> {
    let answer = exchange(&connect(data)?, request).context("the running server does not answer")?;
    match answer.trim_end().split_once(' ') {
        Some(("ok", text)) => Ok(text.to_owned()),
        Some(("error", sentence)) => bail!("{sentence}"),
        _ => bail!("the running server answered {answer:?}: is it another version?"),
    }
}

fn connect(data: &Path) -> Result<UnixStream> {
    match UnixStream::connect(data.join(SOCKET_NAME)) {
        Ok(stream) => Ok(stream),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
            bail!("no server is running on the data folder {}", data.display())
        }
        Err(error) => Err(error)
            .with_context(|| format!("the server on the data folder {} cannot be asked", data.display())),
    }
}

fn exchange(mut stream: &UnixStream, request: &str) -> std::io::Result<String> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(format!("{request}\n").as_bytes())?;
    let mut answer = String::new();
    stream.take(LEN_MAX).read_to_string(&mut answer)?;
    Ok(answer)
}
