//! A client over a socket: `havre_mtproto`'s client role, driven by a task of its own.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use havre_mtproto::client::{ClientConfig, ClientConnection, KeyRequest, Output};
use havre_mtproto::crypto::{AuthKey, RsaKey};
use havre_mtproto::time::Millis;
use havre_mtproto::transport::Framing;
use havre_tl::{CANONICAL_LAYER, Deserialize, RemoteCall, Serialize as _, enums, functions, types};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::process::Desk;

/// Bytes read at once; they live on the stack of the thread that reads, so that an idle client is small.
const READ_LEN: usize = 16 << 10;

/// A client that is idle sends a ping so often, as those of people do, and asks the server to close when the next
/// does not come.
const PING_EVERY: Duration = Duration::from_secs(60);
/// After which time the server is to close, seconds.
const CLOSE_AFTER: i32 = 75;

/// Where a server is and how it proves itself.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Its address.
    pub address: SocketAddr,
    /// Its public key.
    pub key: Arc<RsaKey>,
}

/// What a client keeps between connections.
#[derive(Clone)]
pub struct Credentials {
    key: AuthKey,
    salt: i64,
}

/// Why a call has no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CallError {
    /// The server refused.
    #[error("{code} {text}")]
    Refused {
        /// `error_code`.
        code: i32,
        /// `error_message`.
        text: String,
    },
    /// The connection ended first: the call may have been carried out or not.
    #[error("the connection ended")]
    Lost,
    /// The answer is not of the method's type.
    #[error("an answer of another type: {0}")]
    Malformed(#[from] havre_tl::DecodeError),
    /// The answer is of another kind than this client can use.
    #[error("not the answer that was waited for: {0}")]
    Unexpected(String),
}

type Answer = Result<Vec<u8>, CallError>;

struct Request {
    body: Vec<u8>,
    answer: oneshot::Sender<Answer>,
}

/// A connection and its session. Dropping it closes the connection.
pub struct Client {
    requests: UnboundedSender<Request>,
    pushes: Option<UnboundedReceiver<enums::Updates>>,
    credentials: Credentials,
}

impl Client {
    /// Connects and makes a key.
    ///
    /// # Errors
    /// When the server does not answer, or as it should not.
    pub async fn connect(endpoint: &Endpoint) -> Result<Self> {
        let stream = dial(endpoint).await?;
        let link = ClientConnection::new(now(), config(endpoint), seed()?);
        let (made, key) = oneshot::channel();
        let (requests, pushes) = start(stream, link, Some(made));
        let credentials = key.await.context("the connection ended before there was a key")?;
        Ok(Self {
            requests,
            pushes: Some(pushes),
            credentials,
        })
    }

    /// Connects with a key that was made before: a new session.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn resume(endpoint: &Endpoint, credentials: Credentials) -> Result<Self> {
        let stream = dial(endpoint).await?;
        let key = credentials.key.clone();
        let link = ClientConnection::resume(now(), config(endpoint), key, credentials.salt, seed()?);
        let (requests, pushes) = start(stream, link, None);
        Ok(Self {
            requests,
            pushes: Some(pushes),
            credentials,
        })
    }

    /// What [`Self::resume`] needs.
    #[must_use]
    pub fn credentials(&self) -> Credentials {
        self.credentials.clone()
    }

    /// What the server says unasked, in order. There is one such stream; it is given out once.
    pub fn take_pushes(&mut self) -> Option<UnboundedReceiver<enums::Updates>> {
        self.pushes.take()
    }

    /// Says what this client is (`invokeWithLayer`, `initConnection`). Comes before other calls.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn introduce(&self) -> Result<(), CallError> {
        let init = functions::InitConnection {
            api_id: 1,
            device_model: "Load".into(),
            app_version: env!("CARGO_PKG_VERSION").into(),
            system_version: "1".into(),
            lang_code: "en".into(),
            query: functions::help::GetConfig {}.to_bytes(),
            ..Default::default()
        };
        let query = functions::InvokeWithLayer {
            layer: CANONICAL_LAYER,
            query: init.to_bytes(),
        };
        self.call_raw(query.to_bytes()).await.map(drop)
    }

    /// Whether the connection has ended.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.requests.is_closed()
    }

    /// Calls a method and waits for its answer.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call<F: RemoteCall>(&self, request: F) -> Result<F::Return, CallError> {
        let body = self.call_raw(request.to_bytes()).await?;
        Ok(F::Return::from_bytes(&body)?)
    }

    async fn call_raw(&self, body: Vec<u8>) -> Answer {
        let (answer, answered) = oneshot::channel();
        let request = Request { body, answer };
        self.requests.send(request).map_err(|_| CallError::Lost)?;
        answered.await.unwrap_or(Err(CallError::Lost))
    }

    /// Asks for a login code and returns the name of the attempt.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn ask_code(&self, phone: &str) -> Result<String, CallError> {
        let sent = self.call(functions::auth::SendCode {
            phone_number: phone.into(),
            api_id: 1,
            api_hash: "load".into(),
            ..Default::default()
        });
        match sent.await? {
            enums::auth::SentCode::SentCode(sent) => Ok(sent.phone_code_hash),
            other => Err(CallError::Unexpected(format!("{other:?}"))),
        }
    }

    /// Makes an account for a number, with the code that the server's operator would read out, and
    /// returns its user id.
    ///
    /// # Errors
    /// When any step is refused.
    pub async fn sign_up(&self, desk: &Desk, phone: &str, first_name: &str) -> Result<i64> {
        self.introduce().await?;
        let attempt = self.ask_code(phone).await?;
        self.enter_code(&desk.code(phone).await?, phone, attempt, first_name)
            .await
    }

    /// Makes an account with the code of an attempt, and returns its user id.
    ///
    /// # Errors
    /// When any step is refused.
    pub async fn enter_code(
        &self,
        code: &str,
        phone: &str,
        attempt: String,
        first_name: &str,
    ) -> Result<i64> {
        let sign_in = self.call(functions::auth::SignIn {
            phone_number: phone.into(),
            phone_code_hash: attempt.clone(),
            phone_code: Some(code.into()),
            ..Default::default()
        });
        let enums::auth::Authorization::AuthorizationSignUpRequired(_) = sign_in.await? else {
            bail!("{phone} has an account already");
        };
        let signed_up = self.call(functions::auth::SignUp {
            phone_number: phone.into(),
            phone_code_hash: attempt,
            first_name: first_name.into(),
            ..Default::default()
        });
        match signed_up.await? {
            enums::auth::Authorization::Authorization(types::auth::Authorization {
                user: enums::User::User(user),
                ..
            }) => Ok(user.id),
            other => bail!("no sign-up: {other:?}"),
        }
    }

    /// Finds somebody by number, and names them as this client may.
    ///
    /// # Errors
    /// When they are not found.
    pub async fn peer_of(&self, phone: &str) -> Result<enums::InputPeer> {
        let phones = [phone.to_owned()];
        let Some(&(user_id, access_hash)) = self.find(&phones).await?.first() else {
            bail!("{phone} was not found");
        };
        let peer = types::InputPeerUser { user_id, access_hash };
        Ok(peer.into())
    }

    /// Finds people by number (`contacts.importContacts`, at most 500 at once): the id and access hash of each
    /// that there is, in any order.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn find(&self, phones: &[String]) -> Result<Vec<(i64, i64)>, CallError> {
        let contact = |(n, phone): (i64, &String)| types::InputPhoneContact {
            client_id: n,
            phone: phone.clone(),
            first_name: phone.clone(),
            ..Default::default()
        };
        let contacts = (0..).zip(phones).map(|one| contact(one).into()).collect();
        let found = self.call(functions::contacts::ImportContacts { contacts });
        let enums::contacts::ImportedContacts::ImportedContacts(found) = found.await?;
        let ids = found.users.into_iter().filter_map(|user| match user {
            enums::User::User(user) => Some((user.id, user.access_hash.unwrap_or_default())),
            enums::User::UserEmpty(_) => None,
        });
        Ok(ids.collect())
    }
}

async fn dial(endpoint: &Endpoint) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(endpoint.address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn config(endpoint: &Endpoint) -> ClientConfig {
    ClientConfig {
        framing: Framing::Abridged,
        obfuscated: false,
        server_key: Arc::clone(&endpoint.key),
        key_request: KeyRequest::default(),
    }
}

fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn seed() -> Result<[u8; 32]> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    Ok(seed)
}

fn start(
    stream: TcpStream,
    link: ClientConnection,
    made: Option<oneshot::Sender<Credentials>>,
) -> (UnboundedSender<Request>, UnboundedReceiver<enums::Updates>) {
    let (requests, asked) = mpsc::unbounded_channel();
    let (pushed, pushes) = mpsc::unbounded_channel();
    let driver = Driver {
        stream,
        link,
        made,
        pushed,
        open: HashMap::new(),
        ping_at: Instant::now() + PING_EVERY,
    };
    tokio::spawn(driver.run(asked));
    (requests, pushes)
}

/// The end of a connection, for whatever reason: open calls are lost.
struct Ended;

impl From<io::Error> for Ended {
    fn from(_: io::Error) -> Self {
        Self
    }
}

struct Driver {
    stream: TcpStream,
    link: ClientConnection,
    made: Option<oneshot::Sender<Credentials>>,
    pushed: UnboundedSender<enums::Updates>,
    open: HashMap<i64, oneshot::Sender<Answer>>,
    ping_at: Instant,
}

impl Driver {
    async fn run(mut self, mut asked: UnboundedReceiver<Request>) {
        while self.settle().await.is_ok() && self.turn(&mut asked).await.is_ok() {}
    }

    async fn turn(&mut self, asked: &mut UnboundedReceiver<Request>) -> Result<(), Ended> {
        let wait = self.link.timeout().map(|at| at.0.saturating_sub(now().0));
        let wait = wait.map(|ms| Duration::from_millis(u64::try_from(ms).unwrap_or(0)));
        tokio::select! {
            readable = self.stream.readable() => { readable?; self.read() }
            request = asked.recv() => {
                let Request { body, answer } = request.ok_or(Ended)?;
                self.open.insert(self.link.call(now(), body), answer);
                Ok(())
            }
            () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {
                self.link.handle_timeout(now());
                Ok(())
            }
            () = tokio::time::sleep_until(self.ping_at), if self.made.is_none() => {
                self.ping_at = Instant::now() + PING_EVERY;
                self.link.ping(now(), 0, Some(CLOSE_AFTER));
                Ok(())
            }
        }
    }

    fn read(&mut self) -> Result<(), Ended> {
        let mut buffer = [0; READ_LEN];
        match self.stream.try_read(&mut buffer) {
            Ok(0) => Err(Ended),
            Ok(len) => {
                self.link.receive(now(), &buffer[..len]);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn settle(&mut self) -> Result<(), Ended> {
        while let Some(output) = self.link.poll() {
            match output {
                Output::Write(bytes) => self.stream.write_all(&bytes).await?,
                Output::KeyMade { key, salt, .. } => {
                    if let Some(made) = self.made.take() {
                        // Whoever waited may have given up.
                        let _ = made.send(Credentials { key, salt });
                    }
                }
                Output::Result { msg_id, body } => self.answer(msg_id, Ok(body)),
                Output::Error { msg_id, code, text } => {
                    self.answer(msg_id, Err(CallError::Refused { code, text }));
                }
                Output::Push { body, .. } => {
                    if let Ok(updates) = enums::Updates::from_bytes(&body) {
                        // Nobody has to listen.
                        let _ = self.pushed.send(updates);
                    }
                }
                Output::Service { .. } | Output::NewSession { .. } | Output::BadMessage { .. } => {}
                Output::Closed(_) => return Err(Ended),
            }
        }
        Ok(())
    }

    fn answer(&mut self, msg_id: i64, answer: Answer) {
        if let Some(open) = self.open.remove(&msg_id) {
            // Whoever waited may have given up.
            let _ = open.send(answer);
        }
    }
}
