//! The real `havre` in a process of its own, as an operator starts it.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use havre_mtproto::crypto::RsaKey;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::client::Endpoint;

/// The line that ends the greeting of a server that is ready.
const READY: &str = "Login codes are printed here";

/// Clock ticks of `/proc/PID/stat`; the kernel tells every program the same, whatever its own.
const TICKS_PER_SECOND: u64 = 100;

/// A server that runs until it is killed or dropped.
pub struct Server {
    process: Child,
    data: PathBuf,
    endpoint: Endpoint,
}

impl Server {
    /// Starts a server on a data folder and waits until it is ready. What it logs is appended to `log`.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(havre: &Path, data: &Path, listen: SocketAddr, log: &Path) -> Result<Self> {
        Self::start_with(havre, data, listen, log, &[])
    }

    /// As [`Self::start`], with settings (`key=value`).
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_with(
        havre: &Path,
        data: &Path,
        listen: SocketAddr,
        log: &Path,
        settings: &[&str],
    ) -> Result<Self> {
        let log = File::options().create(true).append(true).open(log)?;
        let mut process = Command::new(havre)
            .arg("serve")
            .arg("--data")
            .arg(data)
            .args(["--listen", &listen.to_string()])
            // All load comes from one address, and from few people.
            .args(["--set", "connections_per_ip_max=1000000"])
            .args(["--set", "sends_per_minute=0"])
            .args(["--set", "codes_per_address=0", "--set", "codes_per_range=0"])
            .args(settings.iter().flat_map(|setting| ["--set", setting]))
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} cannot be started", havre.display()))?;
        match greeted(&mut process, listen) {
            Ok(endpoint) => Ok(Self {
                process,
                data: data.to_owned(),
                endpoint,
            }),
            Err(error) => {
                // It may have ended by itself; what it said about that is in the log.
                let _ = process.kill();
                let _ = process.wait();
                Err(error)
            }
        }
    }

    /// Where its clients go.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The id of its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Ends it as a power cut would: no signal that it could handle (SIGKILL).
    ///
    /// # Errors
    /// When there is no such process any more.
    pub fn kill(mut self) -> Result<()> {
        if let Some(status) = self.process.try_wait()? {
            bail!("the server ended by itself: {status}");
        }
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    /// The login code that waits for a number.
    ///
    /// # Errors
    /// When none waits.
    pub async fn code(&self, phone: &str) -> Result<String> {
        self.desk().code(phone).await
    }

    /// Where its operator asks.
    #[must_use]
    pub fn desk(&self) -> Desk {
        Desk(self.data.clone())
    }
}

/// Where the operator of a server asks: its data folder.
#[derive(Clone, Debug)]
pub struct Desk(pub PathBuf);

impl Desk {
    /// The login code that waits for a number.
    ///
    /// # Errors
    /// When none waits.
    pub async fn code(&self, phone: &str) -> Result<String> {
        let mut socket = UnixStream::connect(self.0.join("admin.sock")).await?;
        socket.write_all(format!("code {phone}\n").as_bytes()).await?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await?;
        let code = answer.trim().strip_prefix("ok ");
        code.map(str::to_owned)
            .with_context(|| format!("the server gives no code: {answer}"))
    }
}

impl Server {
    /// Processor time that it has used.
    ///
    /// # Errors
    /// When it runs no more.
    pub fn cpu(&self) -> Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid()))?;
        // The second field is the program's name in brackets, and may hold blanks.
        let fields = stat.rsplit_once(')').context("an unknown form of stat")?.1;
        let times = fields.split_whitespace().skip(11).take(2);
        let ticks: u64 = times.map(str::parse::<u64>).sum::<Result<u64, _>>()?;
        Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
    }

    /// Memory that it holds, bytes.
    ///
    /// # Errors
    /// When it runs no more.
    pub fn resident(&self) -> Result<u64> {
        self.memory("status", "VmRSS:")
    }

    /// Memory that it holds, bytes; of what it shares with other processes, its share.
    ///
    /// # Errors
    /// When it runs no more.
    pub fn proportional(&self) -> Result<u64> {
        self.memory("smaps_rollup", "Pss:")
    }

    fn memory(&self, file: &str, name: &str) -> Result<u64> {
        let text = fs::read_to_string(format!("/proc/{}/{file}", self.pid()))?;
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let kilobytes = line.and_then(|line| line.split_whitespace().next());
        let kilobytes = kilobytes.with_context(|| format!("an unknown form of {file}"))?;
        Ok(kilobytes.parse::<u64>()? * 1024)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Either it runs and is ours to end, or it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Reads the greeting, which says the public key.
fn greeted(process: &mut Child, address: SocketAddr) -> Result<Endpoint> {
    let output = process.stdout.take().context("the output is piped")?;
    let mut output = BufReader::new(output);
    let mut greeting = String::new();
    while !greeting.contains(READY) {
        if output.read_line(&mut greeting)? == 0 {
            bail!("the server ended before it was ready: {greeting}");
        }
    }
    drain(output);
    let begin = greeting.find("-----BEGIN").context("the greeting shows no key")?;
    let pem = pem::parse(&greeting[begin..])?;
    Ok(Endpoint {
        address,
        key: Arc::new(RsaKey::from_public_der(pem.contents())?),
    })
}

/// A server must not wait for somebody to read its console.
fn drain(output: BufReader<ChildStdout>) {
    std::thread::spawn(move || output.lines().map_while(Result::ok).for_each(drop));
}
