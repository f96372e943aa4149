//! A server with people in it, for tests: every call goes through the API's one door.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use havre_api::dispatch::{Api, Call, Parts, Reply, Settings};
use havre_api::error::RpcError;
use havre_api::live::{Outlet, SessionRef};
use havre_domain::auth_keys::{self, AuthKey};
use havre_domain::ids::{AuthKeyId, Time, UserId};
use havre_domain::keys;
use havre_domain::outbox::Effect;
use havre_domain::sessions::Session;
use havre_domain::users::Profile;
use havre_store::Store;
use havre_store::blob::Blobs;
use havre_store::engine::memory::Memory;
use havre_tl::layers::{Layer, client as wire};
use havre_tl::{Deserialize, RemoteCall, Serialize as _, enums, functions};
use object_store::memory::InMemory;

use crate::env::SimEnv;

/// A server in memory.
#[derive(Clone)]
pub struct Town(Rc<Inner>);

struct Inner {
    env: Arc<SimEnv>,
    store: Arc<dyn Store>,
    files: Blobs,
    settings: Settings,
    api: RefCell<Arc<Api>>,
    mail: Arc<Mail>,
    keys: Cell<i64>,
}

/// Pushes that wait to be looked at.
#[derive(Default)]
struct Mail(Mutex<BTreeMap<SessionRef, Vec<Vec<u8>>>>);

impl Outlet for Mail {
    fn push(&self, session: SessionRef, body: Vec<u8>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(session)
            .or_default()
            .push(body);
    }
}

impl Town {
    /// An empty town over the memory engine.
    ///
    /// # Panics
    /// Never: the memory engine always answers.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::over(Arc::new(SimEnv::new(seed)), Arc::new(Memory::new()))
    }

    /// A town in which people may send as much as they like.
    ///
    /// # Panics
    /// Never: the memory engine always answers.
    #[must_use]
    pub fn without_flood_limit(seed: u64) -> Self {
        Self::set(seed, |settings| settings.sends_per_minute = 0)
    }

    /// A town whose operator sets something.
    ///
    /// # Panics
    /// Never: the memory engine always answers.
    #[must_use]
    pub fn set(seed: u64, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = settings();
        change(&mut settings);
        Self::with(Arc::new(SimEnv::new(seed)), Arc::new(Memory::new()), settings)
    }

    /// A town over any store.
    ///
    /// # Panics
    /// When the store does not answer.
    #[must_use]
    pub fn over(env: Arc<SimEnv>, store: Arc<dyn Store>) -> Self {
        Self::with(env, store, settings())
    }

    fn with(env: Arc<SimEnv>, store: Arc<dyn Store>, settings: Settings) -> Self {
        let files = Blobs::new(Arc::new(InMemory::new()));
        let api = open(&env, &store, &files, &settings);
        let mail = Arc::new(Mail::default());
        api.set_outlet(mail.clone());
        Self(Rc::new(Inner {
            env,
            store,
            files,
            settings,
            api: RefCell::new(api),
            mail,
            keys: Cell::new(1),
        }))
    }

    /// The outside: clock, codes, tasks.
    #[must_use]
    pub fn env(&self) -> &SimEnv {
        &self.0.env
    }

    /// The API itself.
    #[must_use]
    pub fn api(&self) -> Arc<Api> {
        self.0.api.borrow().clone()
    }

    /// Where everything is kept.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.0.store
    }

    /// The process dies and is started again: what was not durable is gone, and everybody has to connect
    /// anew.
    ///
    /// # Panics
    /// When the store does not answer after the restart.
    pub fn restart(&self) {
        self.0.env.crash();
        let api = open(&self.0.env, &self.0.store, &self.0.files, &self.0.settings);
        api.set_outlet(self.0.mail.clone());
        self.0.api.replace(api);
    }

    /// Lets seconds pass.
    pub fn pass(&self, seconds: u64) {
        self.0.env.pass(Duration::from_secs(seconds));
    }

    /// A client with a key of its own, not logged in.
    ///
    /// # Panics
    /// When the store does not answer.
    #[must_use]
    pub fn client(&self) -> Client {
        let n = self.0.keys.replace(self.0.keys.get() + 1);
        let key = AuthKeyId(1_000_000 + n);
        let kept = self.0.env.run(self.api().keep_key(key, &[7; 256], None));
        kept.expect("a key is kept");
        Client::new(self.clone(), key, n)
    }

    /// Somebody who signed up with this number (digits) and name, and is logged in.
    ///
    /// # Panics
    /// When the store does not answer.
    #[must_use]
    pub fn person(&self, phone: &str, first_name: &str) -> Client {
        let client = self.client();
        let user = self.0.env.run(async {
            let mut world = self.api().world();
            let user = UserId(world.random_id());
            let now = world.now;
            let profile = Profile {
                phone: phone.into(),
                first_name: first_name.into(),
                created: now,
                ..Profile::default()
            };
            let session = session(client.key, now);
            let tx = world
                .subject(keys::partition::phone(phone))
                .expect("the first subject");
            tx.put(
                keys::claim(),
                &havre_domain::phones::Phone {
                    owner: Some(user),
                    ..Default::default()
                },
            );
            tx.send(
                keys::partition::user(user),
                &Effect::SignedUp { profile, session },
            );
            tx.send(keys::partition::auth_key(client.key), &Effect::Authorize(user));
            let committed = world
                .commit()
                .await
                .expect("nobody else writes")
                .expect("something was staged");
            self.api().deliver(committed, None).await;
            user
        });
        client.user.set(Some(user));
        // The first call subscribes the session to pushes.
        let state = client.call(functions::updates::GetState {});
        state.expect("somebody logged in has a state");
        client
    }

    /// One more login of somebody, on a key of its own.
    ///
    /// # Panics
    /// When the store does not answer.
    #[must_use]
    pub fn second_login(&self, of: &Client) -> Client {
        let client = self.client();
        let user = of.user();
        self.0.env.run(async {
            let mut world = self.api().world();
            let session = session(client.key, world.now);
            let tx = world.user(user).expect("the first subject");
            havre_domain::sessions::add(tx, &session);
            tx.send(keys::partition::auth_key(client.key), &Effect::Authorize(user));
            let committed = world
                .commit()
                .await
                .expect("nobody else writes")
                .expect("something was staged");
            self.api().deliver(committed, None).await;
        });
        client.user.set(Some(user));
        let state = client.call(functions::updates::GetState {});
        state.expect("somebody logged in has a state");
        client
    }

    /// The record of a key.
    ///
    /// # Panics
    /// When the store does not answer.
    #[must_use]
    pub fn auth_key(&self, key: AuthKeyId) -> Option<AuthKey> {
        self.0.env.run(async {
            let mut world = self.api().world();
            auth_keys::auth_key(world.view(auth_keys::at(key)))
                .await
                .expect("the store answers")
        })
    }
}

/// What an operator who sets nothing has.
fn settings() -> Settings {
    Settings {
        host: "127.0.0.1".into(),
        port: 4430,
        code_len: 5,
        sends_per_minute: 600,
        invitations_per_member: 0,
        email_at_sign_up: false,
        passkeys: None,
        tolls: havre_domain::toll::Limits::default(),
    }
}

/// A server's API over what is kept.
fn open(env: &Arc<SimEnv>, store: &Arc<dyn Store>, files: &Blobs, settings: &Settings) -> Arc<Api> {
    let (store, files) = (store.clone(), files.clone());
    let parts = Parts {
        store,
        files,
        env: env.clone(),
        settings: settings.clone(),
        metrics: Arc::default(),
    };
    env.run(Api::open(parts))
        .expect("the API opens over a store that answers")
}

fn session(key: AuthKeyId, now: Time) -> Session {
    Session {
        key,
        hash: key.0,
        client: havre_domain::auth_keys::Client::default(),
        created: now,
        active: now,
        address: "127.0.0.1".into(),
        ..Session::default()
    }
}

/// Somebody's app: one session on one key.
pub struct Client {
    town: Town,
    /// Its permanent key.
    pub key: AuthKeyId,
    session: i64,
    layer: Cell<Layer>,
    said_hello: Cell<bool>,
    messages: Cell<i64>,
    user: Cell<Option<UserId>>,
}

impl Client {
    fn new(town: Town, key: AuthKeyId, session: i64) -> Self {
        let layer = Cell::new(Layer::CANONICAL);
        let (said_hello, messages, user) = (Cell::new(false), Cell::new(0), Cell::new(None));
        Self {
            town,
            key,
            session,
            layer,
            said_hello,
            messages,
            user,
        }
    }

    /// Who is logged in.
    ///
    /// # Panics
    /// Before login.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.user.get().expect("nobody is logged in on this client")
    }

    /// Notes who logged in by a call of the test's own.
    pub fn logged_in_as(&self, user: UserId) {
        self.user.set(Some(user));
    }

    /// Announces another layer, as an app does after an update: from here on everything that this client
    /// sends and gets is of that layer.
    ///
    /// # Panics
    /// When nobody is logged in, or the store does not answer.
    pub fn speak(&self, layer: Layer) {
        drop(self.pushed());
        self.layer.set(layer);
        self.said_hello.set(false);
        let state = self.call(functions::updates::GetState {});
        state.expect("somebody logged in has a state");
    }

    /// Calls a method, waits for its answer, and lets everything that it set off come to its end.
    ///
    /// # Errors
    /// What the server answers.
    ///
    /// # Panics
    /// When the client's layer lacks the method, or something in the answer.
    pub fn call<F: RemoteCall>(&self, request: F) -> Result<F::Return, RpcError>
    where
        F::Return: Deserialize,
    {
        let body =
            wire::encode_request(self.layer.get(), &request.to_bytes()).expect("the layer has the call");
        let called_as = body.first_chunk().map_or(0, |id| u32::from_le_bytes(*id));
        let answer = self.call_raw(body);
        self.town.0.env.settle();
        answer.map(|bytes| {
            let bytes = wire::decode_result(self.layer.get(), called_as, &bytes);
            let bytes = bytes.expect("the answer is the layer's");
            F::Return::from_bytes(&bytes).expect("the answer is of the method's type")
        })
    }

    /// Sends bytes as a call; what it sets off is left to run later.
    ///
    /// # Errors
    /// What the server answers.
    pub fn call_raw(&self, body: Vec<u8>) -> Result<Vec<u8>, RpcError> {
        self.messages.set(self.messages.get() + 4);
        let body = if self.said_hello.replace(true) {
            body
        } else {
            self.hello(body)
        };
        let call = Call {
            session: self.session(),
            msg_id: self.messages.get(),
            body,
            address: "127.0.0.1".into(),
            dc_id: None,
        };
        match self.town.0.env.run(self.town.api().call(call)) {
            Reply::Result(bytes) => Ok(bytes),
            Reply::Error(error) => Err(error),
        }
    }

    fn hello(&self, query: Vec<u8>) -> Vec<u8> {
        let init = functions::InitConnection {
            api_id: 1,
            device_model: "Test".into(),
            app_version: "1".into(),
            system_version: "1".into(),
            lang_code: "en".into(),
            query,
            ..Default::default()
        };
        functions::InvokeWithLayer {
            layer: self.layer.get().number(),
            query: init.to_bytes(),
        }
        .to_bytes()
    }

    /// Its session on the wire.
    #[must_use]
    pub fn session(&self) -> SessionRef {
        SessionRef {
            key: self.key,
            id: self.session,
        }
    }

    /// Pushes since the last look.
    ///
    /// # Panics
    /// When the client's layer lacks something in a push.
    #[must_use]
    pub fn pushed(&self) -> Vec<enums::Updates> {
        self.pushed_bytes()
            .iter()
            .map(|body| {
                let body = wire::decode_object(self.layer.get(), body).expect("a push is the layer's");
                enums::Updates::from_bytes(&body).expect("a push is Updates")
            })
            .collect()
    }

    /// Pushes since the last look as they go out, in the layer of the session.
    #[must_use]
    pub fn pushed_bytes(&self) -> Vec<Vec<u8>> {
        self.town.0.env.settle();
        let mut mail = self.town.0.mail.0.lock().unwrap_or_else(PoisonError::into_inner);
        mail.remove(&self.session()).unwrap_or_default()
    }

    /// Every update pushed since the last look, in order.
    ///
    /// # Panics
    /// As for [`Self::pushed`].
    #[must_use]
    pub fn pushed_updates(&self) -> Vec<enums::Update> {
        let updates = self.pushed().into_iter().flat_map(|updates| match updates {
            enums::Updates::Updates(u) => u.updates,
            enums::Updates::UpdateShort(u) => vec![u.update],
            _ => Vec::new(),
        });
        updates.collect()
    }

    fn access_hash(&self, of: UserId) -> i64 {
        self.town.api().world().secret.access_hash(self.user(), of)
    }

    /// Somebody as this client names them.
    #[must_use]
    pub fn input_user_of(&self, other: &Client) -> enums::InputUser {
        let user = other.user();
        havre_tl::types::InputUser {
            user_id: user.0,
            access_hash: self.access_hash(user),
        }
        .into()
    }

    /// A private chat with somebody as this client names it.
    #[must_use]
    pub fn input_peer_of(&self, other: &Client) -> enums::InputPeer {
        let user = other.user();
        havre_tl::types::InputPeerUser {
            user_id: user.0,
            access_hash: self.access_hash(user),
        }
        .into()
    }

    /// Sends a text.
    ///
    /// # Errors
    /// What the server answers.
    pub fn say(&self, peer: enums::InputPeer, text: &str) -> Result<enums::Updates, RpcError> {
        let random_id = self.town.0.env.draw(usize::MAX >> 2) as i64 + 1;
        self.call(functions::messages::SendMessage {
            peer,
            message: text.into(),
            random_id,
            ..Default::default()
        })
    }
}
