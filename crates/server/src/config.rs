//! What an operator can set: one table, from which the struct, the errors and `havre.example.toml` come.
//!
//! A value is looked for on the command line, then in the environment (`HAVRE_<KEY>`), then in the file,
//! and is else the default. All four are texts that one parser reads, so that a refusal always names the
//! key, the value, where it stood, and what is allowed.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result, anyhow, bail};

/// What the table says about one setting.
#[derive(Debug)]
pub struct Setting {
    /// Key in the file; in capitals after `HAVRE_` the name in the environment.
    pub key: &'static str,
    /// Doc comment, line by line.
    pub doc: &'static [&'static str],
    /// Used when nobody says otherwise.
    pub default: &'static str,
    /// Ends the sentence "allowed is …".
    pub allowed: &'static str,
}

impl Setting {
    /// Name of the environment variable.
    pub fn variable(&self) -> String {
        format!("HAVRE_{}", self.key.to_ascii_uppercase())
    }
}

macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $key:ident: $type:ty = $default:literal, $allowed:literal, $parse:expr;)+) => {
        /// Everything that can be set, checked.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Settings {
            $($(#[doc = $doc])+ pub $key: $type,)+
        }

        /// The table of settings, in the order of the example file.
        pub const SETTINGS: &[Setting] = &[$(Setting {
            key: stringify!($key), doc: &[$($doc),+], default: $default, allowed: $allowed,
        }),+];

        impl Settings {
            fn parse(layers: &Layers) -> Result<Self> {
                Ok(Self { $($key: layers.parsed(stringify!($key), $parse)?,)+ })
            }
        }
    };
}

settings! {
    /// Folder of everything the server keeps: its key, the store, the files.
    data: PathBuf = "./havre-data", "a path", |text| (!text.is_empty()).then(|| PathBuf::from(text));
    /// Address and port on which clients are served.
    listen: SocketAddr = "127.0.0.1:4430", "an IP address with a port, such as 0.0.0.0:4430", parse;
    /// Address and port that clients are told to dial, where it differs from `listen`: the public side of
    /// a router or load balancer. Needed when `listen` names every address of the machine (0.0.0.0).
    advertise: Option<SocketAddr> = "", "an IP address with a port, or nothing", optional;
    /// What is logged to standard error. Texts, names, phone numbers, codes and addresses of people never are.
    log: LogLevel = "info", "one of off, error, warn, info, debug, trace", parse;
    /// How the log is written: lines of text for people, or one JSON object a line for machines.
    log_format: LogFormat = "text", "one of text, json", parse;
    /// Address and port of `/metrics`, `/health` and `/ready`, for monitoring; nothing is without. They ask
    /// for no password: a private address.
    metrics_listen: Option<SocketAddr> = "", "an IP address with a port, such as 127.0.0.1:9430, or nothing", optional;
    /// How login codes reach people, the preferred way first. `console` prints them to standard output and
    /// gives them to `havre code PHONE`: for a server whose people can ask its operator. `webhook` posts them
    /// to a program of yours, `smtp` sends them as e-mails, `smpp` as text messages: see docs/codes.md.
    codes: CodeProviders = "console",
        "one or several of console, webhook, smtp, smpp with commas between, such as webhook,smpp", parse;
    /// Most codes a second that the console takes; people beyond wait for their turn.
    console_rate: u32 = "1000", "a whole number from 1 to 1000000", |text| within(text, 1..=1_000_000);
    /// Address that the webhook posts to.
    webhook_url: Option<Secret> = "", "a URL, such as https://example.org/codes, or nothing", optional;
    /// What the webhook's requests are signed with, at least 16 bytes.
    webhook_secret: Option<Secret> = "", "a text that only you and the receiver know, or nothing", optional;
    /// Most login codes a second by the webhook.
    webhook_rate: u32 = "20", "a whole number from 1 to 100000", |text| within(text, 1..=100_000);
    /// Numbers that the webhook is for, by how they begin.
    webhook_countries: Prefixes = "", "prefixes of digits, such as 49 1246, or nothing for all numbers", parse;
    /// The mail server that login codes go through. With it and `smtp_from`, people can log in by e-mail address,
    /// whatever `codes` says.
    smtp_url: Option<Secret> = "",
        "a URL, such as smtps://havre:password@mail.example.org, or nothing", optional;
    /// Who login codes by e-mail come from.
    smtp_from: String = "", "an address, such as Havre <havre@example.org>", parse;
    /// Where login codes by e-mail go, with the digits of the phone number in the place of `{number}`.
    smtp_to: String = "", "an address, such as {number}@sms.example.org", parse;
    /// Most login codes a second by e-mail.
    smtp_rate: u32 = "5", "a whole number from 1 to 100000", |text| within(text, 1..=100_000);
    /// Numbers that e-mail is for, by how they begin.
    smtp_countries: Prefixes = "", "prefixes of digits, such as 49 1246, or nothing for all numbers", parse;
    /// The message centre (SMSC) that text messages go through.
    smpp_host: String = "", "host:port, or smpps://host:port for TLS", parse;
    /// The name of your account there.
    smpp_system_id: String = "", "a text of up to 15 letters", parse;
    /// The password of your account there.
    smpp_password: Option<Secret> = "", "a text of up to 8 letters, or nothing", optional;
    /// The sender that people see on text messages; without one, the message centre chooses.
    smpp_from: String = "", "a number, a name of up to 11 letters, or nothing", parse;
    /// Most login codes a second by text message.
    smpp_rate: u32 = "10", "a whole number from 1 to 100000", |text| within(text, 1..=100_000);
    /// Numbers that text messages are for, by how they begin.
    smpp_countries: Prefixes = "", "prefixes of digits, such as 49 1246, or nothing for all numbers", parse;
    /// Whether whoever signs up with a telephone number has to verify an e-mail address before a code goes to the
    /// number; needs `smtp_url` and `smtp_from`. Not every client can do it.
    email_at_sign_up: bool = "false", "true or false", parse;
    /// Digits in a login code.
    code_len: u8 = "5", "a whole number from 4 to 8", |text| within(text, 4..=8);
    /// Most login codes within an hour that one address (IPv6: one /64 network) may ask for; 0 is without
    /// limit.
    codes_per_address: u32 = "300", "a whole number from 0 to 1000000", |text| within(text, 0..=1_000_000);
    /// Most login codes within an hour to numbers that differ in their last four digits only; 0 is without
    /// limit.
    codes_per_range: u32 = "500", "a whole number from 0 to 1000000", |text| within(text, 0..=1_000_000);
    /// Most login codes within an hour to numbers that begin so, the longest that fits: `44=500 4487=10`. With
    /// 0 none is sent: numbers of satellite and international services, for which each message costs much,
    /// are left out unless you say otherwise.
    codes_per_prefix: PrefixLimits = "870=0 878=0 881=0 882=0 883=0 979=0",
        "prefixes of digits with a number of codes each, such as 44=500 881=0", parse;
    /// The domain that passkeys belong to, such as that of your web client; without one nobody can have any.
    /// Passkeys that were made for another domain are of no use afterwards.
    passkey_rp_id: String = "", "a domain in lower case, such as chat.example.org, or nothing",
        |text| (text.is_empty() || is_domain(text)).then(|| text.to_owned());
    /// Pages and apps that may ask for passkeys besides `https://` and that domain.
    passkey_origins: Words = "",
        "origins with spaces between, such as https://web.example.org android:apk-key-hash:…, or nothing", parse;
    /// Invitations that each member may give out, by writing `/invite` to the service account. `havre invite`
    /// makes any number of them.
    invitations_per_member: u32 = "0", "a whole number from 0 to 1000000", |text| within(text, 0..=1_000_000);
    /// Messages that one person may send, forward and edit within a minute, at once or spread; who wants
    /// more is told how long to wait. 0 is without limit.
    sends_per_minute: u32 = "600", "a whole number from 0 to 1000000", |text| within(text, 0..=1_000_000);
    /// Where everything but files is stored: `embedded` in the data folder, `postgres` in a database.
    store: StoreEngine = "embedded", "one of embedded, postgres", parse;
    /// The database of `store = "postgres"`.
    postgres_url: Option<Secret> = "", "a URL, such as postgres://havre@127.0.0.1/havre", optional;
    /// Most connections at once. More are closed as soon as they come.
    connections_max: usize = "100000", "a whole number from 1 to 10000000", |text| within(text, 1..=10_000_000);
    /// Most connections at once from one address (IPv6: from one /64 network).
    connections_per_ip_max: usize = "4096", "a whole number from 1 to 10000000", |text| within(text, 1..=10_000_000);
    /// Most connections at once of people who are not logged in. More are told to come back later.
    newcomers_max: usize = "20000", "a whole number from 1 to 10000000", |text| within(text, 1..=10_000_000);
    /// Most bytes of packets that are not whole yet, for all connections together. One address may hold a
    /// quarter of them; a connection that would hold more than is left is closed.
    buffered_bytes_max: usize = "268435456", "a whole number from 16777216 to 1099511627776",
        |text| within(text, 16 << 20..=1 << 40);
    /// Threads that make keys with new clients; 0 is one for each core. They run at lower priority, so
    /// that a crowd of arrivals does not slow down the people inside.
    handshake_threads: usize = "0", "a whole number from 0 to 1024", |text| within(text, 0..=1024);
    /// Most handshake steps that wait for such a thread. More are told to come back later.
    handshake_queue_len: usize = "1024", "a whole number from 1 to 1000000", |text| within(text, 1..=1_000_000);
}

fn parse<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

#[expect(clippy::option_option, reason = "outer: is it allowed; inner: is it set")]
fn optional<T: FromStr>(text: &str) -> Option<Option<T>> {
    if text.is_empty() {
        Some(None)
    } else {
        text.parse().ok().map(Some)
    }
}

fn within<T: FromStr + PartialOrd>(text: &str, range: RangeInclusive<T>) -> Option<T> {
    text.parse().ok().filter(|value| range.contains(value))
}

/// Codes per hour for numbers that begin so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrefixLimits(pub Vec<(String, u32)>);

impl FromStr for PrefixLimits {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let limit = |word: &str| {
            let (prefix, count) = word.split_once('=')?;
            Some((prefix.to_owned(), parse(count)?)).filter(|_| is_prefix(prefix))
        };
        let limits: Option<Vec<_>> = text.split_whitespace().map(limit).collect();
        limits.map(Self).ok_or(())
    }
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLevel(pub tracing_subscriber::filter::LevelFilter);

impl FromStr for LogLevel {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        const NAMES: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
        let name = NAMES.contains(&text).then_some(text).ok_or(())?;
        name.parse().map(Self).map_err(|_| ())
    }
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

impl FromStr for LogFormat {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(()),
        }
    }
}

/// A way in which login codes reach people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeProvider {
    /// Printed by the server, and given out by `havre code`.
    Console,
    /// Posted to a program of the operator's.
    Webhook,
    /// Sent as e-mails.
    Smtp,
    /// Sent as text messages.
    Smpp,
}

impl CodeProvider {
    /// What the settings call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Webhook => "webhook",
            Self::Smtp => "smtp",
            Self::Smpp => "smpp",
        }
    }
}

/// The ways in which login codes reach people, the preferred one first; at least one, none twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeProviders(pub Vec<CodeProvider>);

impl FromStr for CodeProviders {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        use CodeProvider::{Console, Smpp, Smtp, Webhook};
        let mut providers = Vec::new();
        for name in text.split(',').map(str::trim) {
            let all = [Console, Webhook, Smtp, Smpp];
            let provider = all
                .into_iter()
                .find(|provider| provider.name() == name)
                .ok_or(())?;
            if providers.contains(&provider) {
                return Err(());
            }
            providers.push(provider);
        }
        Ok(Self(providers))
    }
}

impl fmt::Display for CodeProviders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|provider| provider.name()).collect();
        f.write_str(&names.join(", "))
    }
}

/// How phone numbers begin; none at all stands for every number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefixes(pub Vec<String>);

impl FromStr for Prefixes {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let prefix = |word: &str| is_prefix(word).then(|| word.to_owned());
        let prefixes: Option<Vec<_>> = text.split_whitespace().map(prefix).collect();
        prefixes.map(Self).ok_or(())
    }
}

/// Words with spaces between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words(pub Vec<String>);

impl FromStr for Words {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.split_whitespace().map(str::to_owned).collect()))
    }
}

/// A name of a host as DNS has it, in lower case; `localhost` is one.
fn is_domain(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(fits);
    text.len() <= 253 && text.split('.').all(label)
}

fn is_prefix(word: &str) -> bool {
    (1..=15).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// What nobody but the operator may see: it is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Where everything but files is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreEngine {
    /// In the data folder.
    Embedded,
    /// In a PostgreSQL-wire database.
    Postgres,
}

impl FromStr for StoreEngine {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "embedded" => Ok(Self::Embedded),
            "postgres" => Ok(Self::Postgres),
            _ => Err(()),
        }
    }
}

impl Settings {
    /// Reads the settings: `typed` are key and text from the command line, `file` the file to read if any,
    /// `environment` the variables of the process.
    pub fn load(
        typed: impl IntoIterator<Item = (String, String)>,
        environment: impl IntoIterator<Item = (String, String)>,
        file: Option<&Path>,
    ) -> Result<Self> {
        let mut layers = Layers::default();
        if let Some(path) = file {
            layers.read_file(path)?;
        }
        layers.read_environment(environment);
        for (key, text) in typed {
            layers.set(&key, text, Source::CommandLine)?;
        }
        let settings = Self::parse(&layers)?;
        settings.check()?;
        Ok(settings)
    }

    /// The address that clients are told to dial.
    pub fn public_address(&self) -> SocketAddr {
        self.advertise.unwrap_or(self.listen)
    }

    /// The settings that a way of codes cannot do without, and whether they are set.
    fn needed(&self, provider: CodeProvider) -> Vec<(&'static str, bool)> {
        match provider {
            CodeProvider::Console => Vec::new(),
            CodeProvider::Webhook => vec![
                ("webhook_url", self.webhook_url.is_some()),
                ("webhook_secret", self.webhook_secret.is_some()),
            ],
            CodeProvider::Smtp => vec![
                ("smtp_url", self.smtp_url.is_some()),
                ("smtp_from", !self.smtp_from.is_empty()),
                ("smtp_to", !self.smtp_to.is_empty()),
            ],
            CodeProvider::Smpp => vec![
                ("smpp_host", !self.smpp_host.is_empty()),
                ("smpp_system_id", !self.smpp_system_id.is_empty()),
            ],
        }
    }

    /// What no single setting can tell.
    fn check(&self) -> Result<()> {
        for provider in &self.codes.0 {
            let needed = self.needed(*provider);
            if let Some((key, _)) = needed.iter().find(|(_, set)| !set) {
                bail!("codes = \"{}\" needs {key}", self.codes);
            }
        }
        if self.email_at_sign_up && (self.smtp_url.is_none() || self.smtp_from.is_empty()) {
            bail!("email_at_sign_up = true needs smtp_url and smtp_from");
        }
        if self.store == StoreEngine::Postgres && self.postgres_url.is_none() {
            bail!("store = \"postgres\" needs postgres_url, the URL of the database");
        }
        if self.public_address().ip().is_unspecified() {
            bail!(
                "listen = \"{}\" is every address of this machine, which no client can dial: \
                 set advertise to the address and port that clients reach",
                self.listen
            );
        }
        Ok(())
    }
}

/// The text of `havre.example.toml`.
pub fn example_file() -> String {
    let mut text = String::from(
        "# Settings of a Havre server. Every line shows a default: take the # away to change it.\n\
         # The same can be said by environment (HAVRE_<KEY>) and on the command line (--set key=value);\n\
         # the command line wins over the environment, the environment over this file.\n",
    );
    for setting in SETTINGS {
        text.push('\n');
        for line in setting.doc {
            let _ = writeln!(text, "#{line}");
        }
        let _ = writeln!(
            text,
            "# Allowed: {}. Environment: {}",
            setting.allowed,
            setting.variable()
        );
        let _ = writeln!(text, "#{} = {}", setting.key, toml_literal(setting.default));
    }
    text
}

fn toml_literal(text: &str) -> String {
    if text.parse::<i64>().is_ok() {
        text.to_owned()
    } else {
        format!("{text:?}")
    }
}

/// Where a text stood.
#[derive(Clone, Debug)]
enum Source {
    CommandLine,
    Environment(String),
    File(PathBuf),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine => f.write_str("on the command line"),
            Self::Environment(variable) => write!(f, "in the environment variable {variable}"),
            Self::File(path) => write!(f, "in {}", path.display()),
        }
    }
}

/// The texts found so far; a later one replaces an earlier one.
#[derive(Debug, Default)]
struct Layers(BTreeMap<&'static str, (String, Source)>);

impl Layers {
    fn set(&mut self, key: &str, text: String, source: Source) -> Result<()> {
        let Some(setting) = SETTINGS.iter().find(|setting| setting.key == key) else {
            let known = SETTINGS
                .iter()
                .map(|setting| setting.key)
                .collect::<Vec<_>>()
                .join(", ");
            bail!("there is no setting {key:?} ({source}); the settings are {known}");
        };
        self.0.insert(setting.key, (text, source));
        Ok(())
    }

    fn read_file(&mut self, path: &Path) -> Result<()> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("the settings file {} cannot be read", path.display()))?;
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            // The error as a whole would quote the line, which may hold a secret.
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map_or(1, |before| before.matches('\n').count() + 1);
            let (path, cause) = (path.display(), error.message());
            anyhow!("the settings file {path} is not TOML: line {line}: {cause}")
        })?;
        for (key, value) in table {
            self.set(&key, value_text(value), Source::File(path.to_owned()))?;
        }
        Ok(())
    }

    /// Variables that name no setting are left alone: container platforms make names such as
    /// `HAVRE_SERVICE_HOST` of their own.
    fn read_environment(&mut self, environment: impl IntoIterator<Item = (String, String)>) {
        for (variable, text) in environment {
            if let Some(setting) = SETTINGS.iter().find(|setting| setting.variable() == variable) {
                self.0.insert(setting.key, (text, Source::Environment(variable)));
            }
        }
    }

    fn parsed<T>(&self, key: &'static str, parse: impl Fn(&str) -> Option<T>) -> Result<T> {
        let setting = SETTINGS.iter().find(|setting| setting.key == key);
        let setting = setting.expect("the struct and the table are made from one list");
        match self.0.get(key) {
            None => Ok(parse(setting.default).expect("a test parses every default")),
            Some((text, source)) => parse(text).with_context(|| {
                format!(
                    "{key} = {text:?} ({source}) is not allowed; allowed is {}",
                    setting.allowed
                )
            }),
        }
    }
}

/// A TOML value as the text that the environment would hold. Lists and tables become a text that no
/// setting allows, and so are refused with the sentence of the setting.
fn value_text(value: toml::Value) -> String {
    match value {
        toml::Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(key, text)| ((*key).to_owned(), (*text).to_owned()))
            .collect()
    }

    fn load(typed: &[(&str, &str)], environment: &[(&str, &str)], file: Option<&str>) -> Result<Settings> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("havre.toml");
        std::fs::write(&path, file.unwrap_or_default()).unwrap();
        Settings::load(texts(typed), texts(environment), file.map(|_| path.as_path()))
    }

    fn refusal(typed: &[(&str, &str)], environment: &[(&str, &str)], file: Option<&str>) -> String {
        format!("{:#}", load(typed, environment, file).unwrap_err())
    }

    #[test]
    fn every_default_is_allowed() {
        let settings = load(&[], &[], None).unwrap();
        assert_eq!(settings.listen, settings.public_address());
        assert_eq!((settings.code_len, settings.sends_per_minute), (5, 600));
    }

    #[test]
    fn command_line_wins_over_environment_over_file_over_default() {
        let file = Some("handshake_threads = 3\ncode_len = 6\nconnections_max = 7\n");
        let environment = [
            ("HAVRE_HANDSHAKE_THREADS", "4"),
            ("HAVRE_CODE_LEN", "7"),
            ("HAVRE_SERVICE_HOST", "x"),
        ];
        let settings = load(&[("handshake_threads", "5")], &environment, file).unwrap();
        assert_eq!(
            (
                settings.handshake_threads,
                settings.code_len,
                settings.connections_max
            ),
            (5, 7, 7)
        );
    }

    #[test]
    fn prefixes_have_numbers_of_codes() {
        let of = |text: &str| text.parse::<PrefixLimits>().map(|limits| limits.0);
        assert_eq!(of(""), Ok(vec![]));
        assert_eq!(
            of("44=500  881=0"),
            Ok(vec![("44".into(), 500), ("881".into(), 0)])
        );
        for wrong in [
            "44",
            "44=",
            "=5",
            "+44=5",
            "44=-1",
            "44=5,45=6",
            "1234567890123456=1",
        ] {
            assert_eq!(of(wrong), Err(()), "{wrong}");
        }
    }

    #[test]
    fn a_refusal_names_key_value_place_and_what_is_allowed() {
        let expected = "code_len = \"9\" (in the environment variable HAVRE_CODE_LEN) is not allowed; \
                        allowed is a whole number from 4 to 8";
        assert_eq!(refusal(&[], &[("HAVRE_CODE_LEN", "9")], None), expected);
        assert!(refusal(&[], &[], Some("listen = \"here\"")).starts_with("listen = \"here\" (in /"));
        assert!(refusal(&[], &[], Some("listen = [1]")).contains("is not allowed"));
        assert!(refusal(&[("log", "loud")], &[], None).contains("one of off, error"));
    }

    #[test]
    fn unknown_keys_are_refused_with_the_known_ones() {
        let text = refusal(&[], &[], Some("listne = \"127.0.0.1:1\""));
        assert!(
            text.contains("no setting \"listne\"") && text.contains("listen"),
            "{text}"
        );
        assert!(refusal(&[("x", "1")], &[], None).contains("no setting \"x\" (on the command line)"));
    }

    #[test]
    fn what_only_fails_together_is_refused() {
        assert!(refusal(&[("store", "postgres")], &[], None).contains("postgres_url"));
        assert!(refusal(&[("listen", "0.0.0.0:1")], &[], None).contains("advertise"));
        assert!(
            load(
                &[("listen", "0.0.0.0:1"), ("advertise", "127.0.0.1:1")],
                &[],
                None
            )
            .is_ok()
        );
    }

    #[test]
    fn ways_of_codes_are_a_list_in_order_and_name_what_they_need() {
        let codes = |text: &str| load(&[("codes", text)], &[], None).map(|settings| settings.codes);
        for text in ["", "pigeon", "console,", "console,console", "console webhook"] {
            assert!(codes(text).is_err(), "{text:?}");
        }
        assert!(refusal(&[("codes", "webhook")], &[], None).contains("needs webhook_url"));
        assert!(refusal(&[("email_at_sign_up", "true")], &[], None).contains("needs smtp_url and smtp_from"));
        assert!(refusal(&[("codes", "console, smtp")], &[], None).contains("needs smtp_url"));
        let typed = [
            ("codes", "smpp, console"),
            ("smpp_host", "h"),
            ("smpp_system_id", "i"),
        ];
        let settings = load(&typed, &[], None).unwrap();
        assert_eq!(settings.codes.0, [CodeProvider::Smpp, CodeProvider::Console]);
        assert_eq!(settings.codes.to_string(), "smpp, console");
        assert!(refusal(&[("smpp_countries", "49 +1")], &[], None).contains("prefixes of digits"));
        let served = load(&[("smpp_countries", "49 1246")], &[], None).unwrap();
        assert_eq!(served.smpp_countries.0, ["49", "1246"]);
    }

    #[test]
    fn passkeys_are_for_a_domain() {
        for text in [
            "https://chat.example.org",
            "chat.example.org:443",
            "Chat.example.org",
            "chat..org",
            ".",
        ] {
            let refused = refusal(&[("passkey_rp_id", text)], &[], None);
            assert!(refused.contains("a domain in lower case"), "{text}: {refused}");
        }
        for text in ["localhost", "chat.example.org", "xn--bcher-kva.example"] {
            assert_eq!(
                load(&[("passkey_rp_id", text)], &[], None).unwrap().passkey_rp_id,
                text
            );
        }
        let origins = load(&[("passkey_origins", "https://a.example  android:x")], &[], None).unwrap();
        assert_eq!(origins.passkey_origins.0, ["https://a.example", "android:x"]);
    }

    #[test]
    fn secrets_are_not_printed() {
        let typed = [
            ("webhook_secret", "hush-hush"),
            ("smtp_url", "smtps://a:hush-hush@b"),
            ("smpp_password", "hush-hush"),
            ("webhook_url", "https://b/hush-hush"),
        ];
        let shown = format!("{:?}", load(&typed, &[], None).unwrap());
        assert!(!shown.contains("hush-hush"), "{shown}");
        let broken = refusal(&[], &[], Some("code_len = 5\nsmpp_password = hush-hush\n"));
        assert!(broken.contains("is not TOML: line 2"), "{broken}");
        assert!(!broken.contains("hush-hush"), "{broken}");
    }

    #[test]
    fn the_example_file_is_fresh_and_says_the_defaults() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../havre.example.toml");
        let example = example_file();
        if std::env::var_os("HAVRE_REGENERATE").is_some() {
            std::fs::write(&path, &example).unwrap();
        }
        let stored = std::fs::read_to_string(&path).unwrap();
        assert_eq!(stored, example, "run: make regenerate");

        let uncommented: String = example
            .lines()
            .map(|line| {
                line.strip_prefix('#')
                    .filter(|rest| !rest.starts_with(' '))
                    .unwrap_or(line)
            })
            .fold(String::new(), |text, line| text + line + "\n");
        assert_eq!(
            load(&[], &[], Some(&uncommented)).unwrap(),
            load(&[], &[], None).unwrap()
        );
    }
}
