//! The command line: what can be typed, and one sentence on standard error when it cannot be done.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};
use havre_domain::limits::INVITATION_DAYS_MAX;

use crate::config::{Settings, StoreEngine};
use crate::data::DataFolder;
use crate::keys::{self, ServerKey};
use crate::rekey::{Target, rekey_file};
use crate::{admin, serve, store};

/// A messaging server for every Telegram client.
///
/// `havre serve` needs no configuration: it makes a data folder, a key, and says how a client is pointed
/// at it.
#[derive(Debug, Parser)]
#[command(name = "havre", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server until it is stopped.
    Serve {
        #[command(flatten)]
        place: Place,
        /// Address and port on which clients are served [default: 127.0.0.1:4430].
        #[arg(long, value_name = "ADDR:PORT")]
        listen: Option<String>,
    },
    /// Show the server's public key, which its clients carry.
    Keys {
        #[command(flatten)]
        place: Place,
        /// Print the key alone, as PKCS#1 PEM.
        #[arg(long)]
        pem: bool,
    },
    /// Make a copy of an official app that talks to this server: a program of Telegram Desktop or TDLib.
    Rekey {
        /// The program; it stays as it is.
        original: PathBuf,
        /// Where the copy goes.
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
        /// IPv4 address at which the app reaches the server.
        #[arg(long)]
        host: Ipv4Addr,
        /// Port at which the app reaches the server [default: the one that the server gives its clients].
        #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
        port: Option<u16>,
        /// Replace a file that is there already.
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Print the login code that waits for a phone number at the running server.
    Code {
        /// The number, with its country code.
        phone: String,
        #[command(flatten)]
        place: Place,
    },
    /// Make an invitation at the running server: a number and a code with which one person signs up without
    /// a telephone.
    Invite {
        /// Days after which it ends.
        #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=i64::from(INVITATION_DAYS_MAX)))]
        days: u32,
        #[command(flatten)]
        place: Place,
    },
    /// Show how the running server is: who is connected, how much is done, how the store fares.
    Status {
        #[command(flatten)]
        place: Place,
    },
    /// Show the limits of the running server that can be set, or set one of them until it stops.
    Limits {
        /// What to set, as in `codes_per_address=20`.
        #[arg(value_name = "KEY=VALUE")]
        limit: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Verify a data folder on which no server is running.
    Check {
        #[command(flatten)]
        place: Place,
    },
}

/// Where the settings come from. What stands here wins over HAVRE_* variables, these over the file.
#[derive(Debug, Args)]
struct Place {
    /// Folder of everything the server keeps [default: ./havre-data].
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
    /// Settings file; havre.example.toml shows every setting.
    #[arg(long, value_name = "FILE", env = "HAVRE_CONFIG")]
    config: Option<PathBuf>,
    /// Any setting by its name in the file; may be repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl Place {
    fn settings(self, listen: Option<String>) -> Result<Settings> {
        let mut typed = Vec::new();
        for pair in &self.set {
            let pair = pair
                .split_once('=')
                .with_context(|| format!("--set {pair} is not KEY=VALUE"))?;
            typed.push((pair.0.trim().to_owned(), pair.1.trim().to_owned()));
        }
        typed.extend(self.data.map(|text| ("data".to_owned(), text)));
        typed.extend(listen.map(|text| ("listen".to_owned(), text)));
        // A variable that is not Unicode cannot be a setting, and must not stop the server.
        let environment = std::env::vars_os()
            .filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)));
        Settings::load(typed, environment, self.config.as_deref())
    }
}

/// Does what the command line says.
pub fn main() -> ExitCode {
    // Nobody else on the machine has business with anything that a server writes.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("havre: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Serve { place, listen } => serve::serve(&place.settings(listen)?),
        Command::Keys { place, pem } => show_key(&place.settings(None)?, pem),
        Command::Rekey {
            original,
            output,
            host,
            port,
            force,
            place,
        } => {
            let target = target(&place.settings(None)?, host, port)?;
            make_copy(&original, &output, &target, force)
        }
        Command::Code { phone, place } => show_code(&place.settings(None)?, &phone),
        Command::Invite { days, place } => invite(&place.settings(None)?, days),
        Command::Limits { limit, place } => limits(&place.settings(None)?, limit.as_deref()),
        Command::Status { place } => show_status(&place.settings(None)?),
        Command::Check { place } => check(&place.settings(None)?),
    }
}

/// The key of a data folder in which a server has run before.
fn held_key(settings: &Settings) -> Result<ServerKey> {
    ServerKey::open(&settings.data)?.with_context(|| {
        format!(
            "{} holds no key yet; the first `havre serve` makes one",
            settings.data.display()
        )
    })
}

fn target(settings: &Settings, host: Ipv4Addr, port: Option<u16>) -> Result<Target> {
    let port = port.unwrap_or(settings.public_address().port());
    if port == 0 {
        bail!("the system chooses the server's port; say which with --port");
    }
    Ok(Target {
        key_pem: held_key(settings)?.public_pem(),
        host,
        port,
    })
}

fn make_copy(original: &Path, output: &Path, target: &Target, force: bool) -> Result<()> {
    let changes = rekey_file(original, output, target, force)?;
    println!(
        "{}: {} public keys, {} IPv4 and {} IPv6 addresses and {} ports lead to {}:{}; all else is as it was",
        output.display(),
        changes.keys,
        changes.ipv4,
        changes.ipv6,
        changes.ports,
        target.host,
        target.port
    );
    Ok(())
}

fn show_key(settings: &Settings, pem: bool) -> Result<()> {
    let key = held_key(settings)?;
    if !pem {
        println!("file: {}", settings.data.join(keys::FILE_NAME).display());
        println!("fingerprint: {:016x}", key.fingerprint());
        println!(
            "fingerprint as a signed number: {}",
            key.fingerprint().cast_signed()
        );
    }
    print!("{}", key.public_pem());
    Ok(())
}

fn show_code(settings: &Settings, phone: &str) -> Result<()> {
    let code = admin::client::ask(&settings.data, &format!("code {phone}"))?;
    println!("{code}");
    Ok(())
}

fn invite(settings: &Settings, days: u32) -> Result<()> {
    println!(
        "{}",
        admin::client::ask(&settings.data, &format!("invite {days}"))?
    );
    Ok(())
}

fn limits(settings: &Settings, set: Option<&str>) -> Result<()> {
    let request = set.map_or("limits".to_owned(), |set| format!("limit {set}"));
    println!("{}", admin::client::ask(&settings.data, &request)?);
    Ok(())
}

fn show_status(settings: &Settings) -> Result<()> {
    println!("{}", admin::client::ask(&settings.data, "status")?);
    Ok(())
}

fn check(settings: &Settings) -> Result<()> {
    let folder = DataFolder::open(&settings.data)?;
    let Some(key) = ServerKey::open(folder.path())? else {
        bail!("{} holds no key", folder.path().display());
    };
    println!("key: sound, fingerprint {:016x}", key.fingerprint());
    if settings.store == StoreEngine::Embedded {
        check_store(&folder)?;
    }
    Ok(())
}

fn check_store(folder: &DataFolder) -> Result<()> {
    let report = store::check(folder)?;
    for problem in &report.problems {
        println!("store: {problem}");
    }
    if report.problem_count > 0 {
        bail!(
            "the store has {} problems: restore a backup",
            report.problem_count
        );
    }
    println!(
        "store: sound, {} partitions with {} entries ({} bytes), {} undelivered effects",
        report.partitions, report.entries, report.bytes, report.effects
    );
    Ok(())
}
