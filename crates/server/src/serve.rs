//! A server from its settings to its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use async_trait::async_trait;
use havre_api::dispatch::{self, Api, Parts, PasskeyDomain};
use havre_domain::invitations::Ticket;
use havre_metrics::Metrics;
use havre_mtproto::handshake::Identity;
use havre_store::Store;
use havre_store::blob::Blobs;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::admin::server::Desk;
use crate::config::{CodeProvider, CodeProviders, LogFormat, Settings};
use crate::data::DataFolder;
use crate::env::System;
use crate::keys::ServerKey;
use crate::lanes::{self, Lane};
use crate::limits::{self, Limits};
use crate::net::admission::Admission;
use crate::net::gateway::{Gateway, Sides};
use crate::net::tcp;
use crate::watch::http::{self, Watched};
use crate::watch::observer::Observer;
use crate::watch::process;
use crate::watch::store::WatchedStore;
use crate::{admin, env, files, mail, net, store};

/// How long connections may take to go when the server stops.
const FAREWELL: Duration = Duration::from_secs(5);

/// Runs a server until it is told to stop.
pub fn serve(settings: &Settings) -> Result<()> {
    start_log(settings.log.0, settings.log_format);
    raise_file_limit();
    let folder = DataFolder::create(&settings.data)?;
    let key = ServerKey::open_or_create(folder.path())?;
    let newcomers = lanes::newcomers()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime
        .context("the runtime cannot start")?
        .block_on(run(settings, &folder, &key, newcomers.handle()))
}

async fn run(settings: &Settings, folder: &DataFolder, key: &ServerKey, newcomers: &Handle) -> Result<()> {
    let listener = net::bind(settings.listen).await?;
    let monitoring = match settings.metrics_listen {
        Some(address) => Some(http::bind(address).await?),
        None => None,
    };
    // Port 0 asks the system for any free one; clients must be told which.
    let settings = &Settings {
        listen: listener.local_addr().context("the port is unknown")?,
        ..settings.clone()
    };
    let metrics = Arc::<Metrics>::default();
    process::started(&metrics);
    let opened = store::open(settings, folder).await?;
    let watched = Arc::new(WatchedStore::new(opened.store, Arc::clone(&metrics)));
    let system = System::new(Handle::current(), env::exchange(settings)?);
    let system = Arc::new(system.with_mail(mail::exchange(settings)?));
    let files = files::open(folder)?;
    let api = open_api(settings, Arc::clone(&system), watched, files, metrics).await?;
    tokio::spawn(files::sweep(Arc::clone(&api)));
    let gateway = open_gateway(settings, key, Arc::clone(&api), newcomers)?;
    let observer = Arc::new(Observer::new(Arc::clone(&gateway), opened.batches));
    let monitored = monitor(monitoring, &observer)?;
    let limits = Limits::new(settings.clone(), Arc::clone(&api), gateway.admission.clone());
    let desk = Arc::new(Office {
        api,
        observer,
        system,
        limits,
    });
    tokio::spawn(admin::server::run(admin::server::bind(folder)?, desk));
    let house = Arc::clone(&gateway);
    tokio::spawn(async move { house.keep_house().await });
    let (stop, stopping) = watch::channel(false);
    tokio::spawn(tcp::accept(listener, Arc::clone(&gateway), stopping));
    // Whoever reads the greeting may tell the server to stop: signals are heard before it is printed.
    let stopped = stopped()?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), store = ?settings.store, "the server is ready");
    print!("{}", greeting(settings, key, monitored));
    let end = tokio::select! {
        () = stopped => Ok(()),
        cause = opened.failed => Err(anyhow!("the store has failed: {cause}")),
    };
    tracing::info!(connections = gateway.admission.len(), "the server stops");
    let _ = stop.send(true);
    let _ = tokio::time::timeout(FAREWELL, emptied(&gateway.admission)).await;
    end
}

/// Begins to watch; serves monitoring, if that is wanted, and says where.
fn monitor(listener: Option<TcpListener>, observer: &Arc<Observer>) -> Result<Option<SocketAddr>> {
    let pace = Arc::clone(observer);
    tokio::spawn(async move { pace.keep_pace().await });
    let Some(listener) = listener else { return Ok(None) };
    let bound = listener.local_addr().context("the port is unknown")?;
    let watched: Arc<dyn Watched> = Arc::clone(observer) as Arc<_>;
    tokio::spawn(http::run(listener, watched));
    Ok(Some(bound))
}

/// Connections write what they are writing and go; calls in progress end or are lost, which a client
/// that was not answered expects.
async fn emptied(admission: &Admission) {
    while !admission.is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn open_gateway(
    settings: &Settings,
    key: &ServerKey,
    api: Arc<Api>,
    newcomers: &Handle,
) -> Result<Arc<Gateway>> {
    let identity = Identity {
        keys: Arc::new([key.rsa()?]),
        dc_id: havre_api::DC_ID,
    };
    let handshakes = Lane::start(
        "handshake",
        settings.handshake_threads,
        settings.handshake_queue_len,
    )?;
    let admission = Admission::new(limits::bounds(settings));
    let sides = Sides {
        inside: Handle::current(),
        newcomers: newcomers.clone(),
        places: Arc::new(Semaphore::new(settings.newcomers_max)),
    };
    Ok(Gateway::new(api, identity, handshakes, admission, sides))
}

async fn open_api(
    settings: &Settings,
    env: Arc<System>,
    store: Arc<dyn Store>,
    files: Blobs,
    metrics: Arc<Metrics>,
) -> Result<Arc<Api>> {
    let address = settings.public_address();
    let told = dispatch::Settings {
        host: address.ip().to_string(),
        port: address.port(),
        code_len: usize::from(settings.code_len),
        sends_per_minute: settings.sends_per_minute,
        invitations_per_member: settings.invitations_per_member,
        email_at_sign_up: settings.email_at_sign_up,
        passkeys: passkeys(settings),
        tolls: limits::tolls(settings),
    };
    let parts = Parts {
        store,
        files,
        env,
        settings: told,
        metrics,
    };
    Api::open(parts).await.context("what is stored cannot be served")
}

/// Whom passkeys are for.
fn passkeys(settings: &Settings) -> Option<PasskeyDomain> {
    let rp_id = settings.passkey_rp_id.clone();
    let origins = settings.passkey_origins.0.clone();
    (!rp_id.is_empty()).then_some(PasskeyDomain { rp_id, origins })
}

/// Answers the operator from what is stored, and what is seen.
struct Office {
    api: Arc<Api>,
    observer: Arc<Observer>,
    system: Arc<System>,
    limits: Limits,
}

#[async_trait]
impl Desk for Office {
    async fn code(&self, phone: &str) -> Result<Option<String>> {
        Ok(self.api.pending_code(phone).await?)
    }

    async fn invite(&self, days: u32) -> Result<Ticket> {
        Ok(self.api.invite(days).await?)
    }

    fn status(&self) -> String {
        [self.observer.status(), self.system.providers()].join("\n")
    }

    fn limits(&self) -> String {
        self.limits.list()
    }

    fn set_limit(&self, key: &str, value: &str) -> Result<String> {
        self.limits.set(key, value)
    }
}

/// How a client is pointed at this server.
fn greeting(settings: &Settings, key: &ServerKey, monitored: Option<SocketAddr>) -> String {
    let (address, fingerprint) = (settings.public_address(), key.fingerprint());
    let metrics = monitored.map_or(String::new(), |at| {
        format!("Metrics are at http://{at}/metrics\n")
    });
    format!(
        "Havre listens on {listen}; its data is in {data}\n\
         Point a client at it:\n\
         \x20 address      {ip}, port {port}\n\
         \x20 data centre  {dc_id}\n\
         \x20 fingerprint  {fingerprint:016x} (signed: {signed})\n\
         \x20 public key   (also: havre keys --pem)\n\
         {pem}\
         {metrics}\
         Login codes {codes}; havre code PHONE prints one alone.\n",
        listen = settings.listen,
        data = settings.data.display(),
        ip = address.ip(),
        port = address.port(),
        dc_id = havre_api::DC_ID,
        signed = fingerprint.cast_signed(),
        pem = key.public_pem(),
        codes = whither(&settings.codes),
    )
}

/// Where login codes go, as the end of a sentence.
fn whither(codes: &CodeProviders) -> String {
    if codes.0 == [CodeProvider::Console] {
        "are printed here".to_owned()
    } else {
        format!("go out by {codes}")
    }
}

/// Logs go to standard error, so that the greeting and the login codes have standard output to themselves.
///
/// Libraries are heard when something is wrong, such as the engine failing in the background; their finer
/// messages may show what is stored.
fn start_log(level: LevelFilter, format: LogFormat) {
    let heard = Targets::new()
        .with_target("havre", level)
        .with_default(level.min(LevelFilter::WARN));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let printed = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    // A second server in one process, as in tests, keeps the log of the first.
    let _ = tracing_subscriber::registry()
        .with(printed.with_filter(heard))
        .try_init();
}

/// A connection is a file; the usual soft limit of 1024 is for programs that still use `select`.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            ..limit
        },
    );
    if let Err(error) = raised {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

/// Hears from now on, and resolves, when the operator stops the server.
fn stopped() -> Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt()).context("signals cannot be heard")?;
    let mut terminate = signal(SignalKind::terminate()).context("signals cannot be heard")?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
