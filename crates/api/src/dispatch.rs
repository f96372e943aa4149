//! The one door: a call comes in as bytes and leaves as bytes. Only here are partitions opened, deeds
//! tried again, and commits made.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::future::BoxFuture;
use havre_domain::auth_keys::Client;
use havre_domain::ids::{AuthKeyId, Peer, Time, UserId};
use havre_domain::outbox::{Courier, Pushed, pushed};
use havre_domain::turns::{Turn, Turns};
use havre_domain::tx::Fault;
use havre_domain::waiting_room::Class;
use havre_domain::world::{Committed, Secret, World};
use havre_domain::{dialogs, keys, sessions, toll};
use havre_metrics::Metrics;
use havre_store::blob::Blobs;
use havre_store::{Partition, Store};

use crate::codes::Codes;
use crate::cx::{After, Cx};
use crate::error::{Error, RpcError};
use crate::keys::{KeyCache, KeyState};
use crate::live::{Live, Outlet, SessionRef, Told};
use crate::rooms::Rooms;
use crate::uploads::Uploads;
use crate::{counting, rooms, rpc, wire, wrappers};

/// What the outside gives: time, entropy, tasks, code providers.
pub trait Env: Send + Sync + 'static {
    /// The wall clock.
    fn now(&self) -> Time;
    /// 32 bytes of entropy, fresh for each deed.
    fn seed(&self) -> [u8; 32];
    /// Time that has passed since an instant that does not change: for measuring. Nothing passes by default.
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
    /// Runs something beside the caller.
    fn spawn(&self, task: BoxFuture<'static, ()>);
    /// Waits.
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()>;
    /// Gives a login code to the providers.
    fn send_code(&self, phone: &str, code: &str, class: Class);
    /// Whether login codes can go to people's e-mail addresses. They cannot by default.
    fn has_mail(&self) -> bool {
        false
    }
    /// Sends a login code to an e-mail address, where [`Self::has_mail`].
    fn send_mail(&self, _to: &str, _code: &str) {}
    /// Whether any provider delivers codes to this number (digits only); each does by default.
    fn serves(&self, _phone: &str) -> bool {
        true
    }
    /// How many codes a second the providers can deliver now.
    fn code_rate(&self) -> f64;
    /// Does work that keeps a processor busy for long, away from where calls are answered.
    fn compute(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        work();
        Box::pin(std::future::ready(()))
    }
}

/// What clients are told of the server, and what the operator set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Address that clients connect to, without port.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Digits of a login code.
    pub code_len: usize,
    /// Messages that a person may send, forward and edit within a minute; 0 is without limit.
    pub sends_per_minute: u32,
    /// Invitations that a member may give out.
    pub invitations_per_member: u32,
    /// Whoever signs up with a telephone number verifies an e-mail address first, where the server can send
    /// e-mails.
    pub email_at_sign_up: bool,
    /// Whom passkeys are for; nobody has any without.
    pub passkeys: Option<PasskeyDomain>,
    /// Login codes that go out within an hour.
    pub tolls: toll::Limits,
}

/// Whom passkeys are for (Web Authentication Level 3, section 5.4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyDomain {
    /// The domain that they belong to.
    pub rp_id: String,
    /// Pages and apps that may ask for them besides `https://<rp_id>`.
    pub origins: Vec<String>,
}

/// What the API is opened over.
pub struct Parts {
    /// Everything that is kept.
    pub store: Arc<dyn Store>,
    /// The bytes of files.
    pub files: Blobs,
    /// The outside.
    pub env: Arc<dyn Env>,
    /// What the operator set.
    pub settings: Settings,
    /// Where what happens is counted.
    pub metrics: Arc<Metrics>,
}

/// The API over a store.
pub struct Api {
    /// Everything that is kept.
    pub store: Arc<dyn Store>,
    /// The bytes of files.
    pub files: Blobs,
    /// Whose uploads wait to be used.
    pub uploads: Uploads,
    /// The outside.
    pub env: Arc<dyn Env>,
    /// What the operator set.
    pub settings: Settings,
    /// Where what happens is counted.
    pub metrics: Arc<Metrics>,
    /// Who is connected.
    pub live: Live,
    /// In which channels they are.
    pub rooms: Rooms,
    /// When login codes may go out.
    pub codes: Codes,
    pub(crate) key_cache: KeyCache,
    secret: Secret,
    courier: Courier,
    turns: Arc<Turns>,
    outlet: OnceLock<Arc<dyn Outlet>>,
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    /// The session that it came in.
    pub session: SessionRef,
    /// Its message id.
    pub msg_id: i64,
    /// The call, wrappers and all.
    pub body: Vec<u8>,
    /// Address of the connection, without port.
    pub address: String,
    /// The data centre that the client means to talk to, where the connection says so.
    pub dc_id: Option<i32>,
}

/// The answer to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The result in the layer of the call.
    Result(Vec<u8>),
    /// An error.
    Error(RpcError),
}

/// Times that a deed is tried when others change the same partition.
const TRIES_MAX: usize = 50;

impl Api {
    /// Opens the API: finds or makes the server's secret.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot answer.
    pub async fn open(parts: Parts) -> Result<Arc<Self>, Fault> {
        let Parts {
            store,
            files,
            env,
            settings,
            metrics,
        } = parts;
        let turns = Arc::<Turns>::default();
        let secret = Self::server_secret(&store, &*env).await?;
        let mut world = World::new(store.clone(), env.now(), env.seed(), secret.clone());
        let codes = Codes::new(settings.tolls.clone(), Self::saved_room(&mut world).await?);
        Ok(Arc::new(Self {
            courier: Courier::new(store.clone(), turns.clone()),
            turns,
            store,
            files,
            uploads: Uploads::default(),
            env,
            settings,
            codes,
            metrics,
            live: Live::default(),
            rooms: Rooms::default(),
            key_cache: KeyCache::default(),
            secret,
            outlet: OnceLock::new(),
        }))
    }

    async fn server_secret(store: &Arc<dyn Store>, env: &dyn Env) -> Result<Secret, Fault> {
        loop {
            let seed = env.seed();
            let mut world = World::new(store.clone(), env.now(), env.seed(), Secret(seed));
            let tx = world.subject(keys::partition::server())?;
            if let Some(secret) = tx.get::<[u8; 32]>(&keys::once("secret")).await? {
                return Ok(Secret(secret));
            }
            tx.put(keys::once("secret"), &seed);
            match world.commit().await {
                Err(Fault::Conflict) => {}
                done => return done.map(|_| Secret(seed)),
            }
        }
    }

    /// Says where pushes go; the first call counts.
    pub fn set_outlet(&self, outlet: Arc<dyn Outlet>) {
        // A second outlet would be a defect of the shell; the first stays.
        drop(self.outlet.set(outlet));
    }

    pub(crate) fn outlet(&self) -> &dyn Outlet {
        match self.outlet.get() {
            Some(outlet) => &**outlet,
            None => &NoOutlet,
        }
    }

    /// A world at this instant in which nothing was read.
    #[must_use]
    pub fn world(&self) -> World {
        World::new(
            self.store.clone(),
            self.env.now(),
            self.env.seed(),
            self.secret.clone(),
        )
        .with_turns(self.turns.clone())
    }

    /// A secret for the wire's salts, the same on all nodes.
    #[must_use]
    pub fn salt_secret(&self) -> [u8; 32] {
        self.secret.hash("salt", &[])
    }

    /// Answers a call.
    pub async fn call(self: &Arc<Self>, call: Call) -> Reply {
        let begun = self.env.elapsed();
        let _running = self.metrics.calls_running.hold();
        let mut method = None;
        let reply = self.reply(&call, &mut method).await;
        let time = self.env.elapsed().saturating_sub(begun);
        counting::answered(&self.metrics, method, time, &reply);
        reply
    }

    async fn reply(self: &Arc<Self>, call: &Call, method: &mut Option<u32>) -> Reply {
        match self.answer(call, method).await {
            Ok(result) => Reply::Result(result),
            Err(Error::Rpc(error)) => Reply::Error(error),
            Err(Error::Fault(Fault::Conflict)) => Reply::Error(RpcError::TIMEOUT),
            Err(Error::Fault(fault)) => {
                tracing::error!(%fault, "a call failed");
                Reply::Error(RpcError::INTERNAL)
            }
        }
    }

    /// Notes which method it is as soon as that is known.
    async fn answer(self: &Arc<Self>, call: &Call, method: &mut Option<u32>) -> Result<Vec<u8>, Error> {
        let unwrapped = wrappers::unwrap(&call.body)?;
        // The key may be a temporary one that was replaced: its owner binds a new one on this error, and
        // nobody wipes their login on it (RP-8).
        let Some(mut state) = self.key_state(call.session.key).await? else {
            return Err(RpcError::AUTH_KEY_PERM_EMPTY.into());
        };
        let client = self.client_of(&mut state, &unwrapped).await?;
        let request = wire::decode(&unwrapped.body)?;
        *method = Some(request.method);
        if state.unbound && !rpc::before_binding(request.method) {
            return Err(RpcError::AUTH_KEY_PERM_EMPTY.into());
        }
        state.user = self.still_logged_in(&state, &client, &call.address).await?;
        self.note_session(call, &state, &client, unwrapped.without_updates)
            .await?;
        let layer = client.layer;
        let result = self.run(call, state, client, &request).await?;
        wire::encode_result(layer, request.called_as, &result).map_err(|error| {
            tracing::error!(layer, method = request.method, %error, "a result cannot be said in this layer");
            RpcError::INTERNAL.into()
        })
    }

    /// What the client said of itself: now, or before (RP-3).
    async fn client_of(&self, state: &mut KeyState, call: &wrappers::Unwrapped<'_>) -> Result<Client, Error> {
        let mut client = match (&call.client, &state.client) {
            (Some(now), _) => Client {
                layer: state.client.as_ref().map_or(0, |c| c.layer),
                ..now.clone()
            },
            (None, Some(before)) => before.clone(),
            (None, None) if call.body.starts_with(&rpc::BIND) => return Ok(bare_client()),
            (None, None) => return Err(RpcError::CONNECTION_NOT_INITED.into()),
        };
        if let Some(layer) = call.layer {
            client.layer = wire::served_layer(layer)?;
        }
        if client.layer == 0 {
            return Err(RpcError::CONNECTION_LAYER_INVALID.into());
        }
        if state.client.as_ref() != Some(&client) {
            self.keep_client(state.permanent, &client).await?;
            state.client = Some(client.clone());
        }
        Ok(client)
    }

    /// Who is logged in, by the word of their own partition: a login that was ended counts from the
    /// commit on that ended it (UP-28).
    async fn still_logged_in(
        &self,
        state: &KeyState,
        client: &Client,
        address: &str,
    ) -> Result<Option<UserId>, Error> {
        let Some(user) = state.user else { return Ok(None) };
        let mut world = self.world();
        let Some(session) = sessions::session(world.view_user(user), state.permanent).await? else {
            self.key_cache.forget(state.permanent);
            return Ok(None);
        };
        if session.is_stale(world.now) {
            let (now, tx) = (world.now, world.user(user)?);
            sessions::touch(tx, now, state.permanent, client, address).await?;
            match world.commit().await {
                // Somebody else changed the box: the next call notes it.
                Ok(_) | Err(Fault::Conflict) => {}
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(Some(user))
    }

    async fn note_session(
        self: &Arc<Self>,
        call: &Call,
        state: &KeyState,
        client: &Client,
        without_updates: bool,
    ) -> Result<(), Error> {
        match state.user.filter(|_| !without_updates) {
            Some(user) => {
                self.subscribe(state.permanent, call.session, client.layer, user)
                    .await
            }
            None => {
                self.live.note(state.permanent, call.session, client.layer, None);
                Ok(())
            }
        }
    }

    async fn run(
        self: &Arc<Self>,
        call: &Call,
        state: KeyState,
        client: Client,
        request: &wire::Request<'_>,
    ) -> Result<Vec<u8>, Error> {
        let mut turn = None;
        for _ in 0..TRIES_MAX {
            let mut cx = Cx {
                world: self.world(),
                api: self.clone(),
                key: state.permanent,
                session: call.session,
                msg_id: call.msg_id,
                user: state.user,
                client: client.clone(),
                address: call.address.clone(),
                dc_id: call.dc_id.unwrap_or(crate::DC_ID),
                after: Vec::new(),
                keep_on_error: false,
                told: None,
                told_of_channel: None,
                settled: Vec::new(),
                messages_sent: 0,
                turn,
            };
            match self.attempt(&mut cx, request).await {
                Err(Error::Fault(Fault::Conflict)) => {}
                done => return done,
            }
            turn = self.next_turn(cx.turn.take(), cx.world.contested()).await;
        }
        Err(Fault::Conflict.into())
    }

    /// Who was in the way once may be so again: from the second try on a call waits for its turn.
    async fn next_turn(&self, held: Option<Turn>, contested: Option<&Partition>) -> Option<Turn> {
        match (held, contested) {
            (Some(turn), Some(partition)) if turn.is_at(partition) => Some(turn),
            (held, Some(partition)) => {
                // Nobody holds one and waits for another.
                drop(held);
                Some(self.turns.take(partition).await)
            }
            (_, None) => None,
        }
    }

    async fn attempt(self: &Arc<Self>, cx: &mut Cx, request: &wire::Request<'_>) -> Result<Vec<u8>, Error> {
        let result = rpc::run(cx, request.method, &request.body).await;
        if !cx.settled.is_empty() {
            self.note_told(cx);
            for partition in std::mem::take(&mut cx.settled) {
                self.push(&partition, cx.told_now());
            }
            // The deed is done: to run the method again would do it twice.
            if matches!(result, Err(Error::Fault(Fault::Conflict))) {
                return Err(RpcError::TIMEOUT.into());
            }
        }
        if result.is_err() && !(cx.keep_on_error && matches!(result, Err(Error::Rpc(_)))) {
            return result;
        }
        if let Some(committed) = cx.world.commit().await? {
            self.note_told(cx);
            self.deliver_beside(committed, cx.told_now());
        }
        for after in std::mem::take(&mut cx.after) {
            self.follow(after);
        }
        if let Ok(answer) = &result {
            counting::done(&self.metrics, cx, request.method, answer);
        }
        result
    }

    /// What a committed call tells of a channel in its answer is not pushed to the session that asked.
    fn note_told(&self, cx: &mut Cx) {
        if let Some((channel, from, to)) = cx.told_of_channel.take() {
            let session = cx.session;
            self.rooms.answered(channel, rooms::Told { from, to, session });
        }
    }

    fn follow(self: &Arc<Self>, after: After) {
        match after {
            After::SendCode { phone, code, class } => {
                self.metrics.codes_sent.inc();
                self.env.send_code(&phone, &code, class);
            }
            After::SendMail { to, code } => {
                self.metrics.codes_sent.inc();
                self.env.send_mail(to.as_str(), &code);
            }
            After::Tell { user, updates } => self.tell(user, &updates),
            After::TellKey { key, updates } => self.tell_key(key, &updates),
            After::ClearDraft { user, peer } => {
                let api = self.clone();
                self.env.spawn(Box::pin(async move {
                    if let Err(error) = api.clear_draft(user, peer).await {
                        tracing::error!(?error, "a draft could not be cleared");
                    }
                }));
            }
            After::KeyChanged(key) => self.key_cache.forget(key),
        }
    }

    async fn clear_draft(self: &Arc<Self>, user: UserId, peer: Peer) -> Result<(), Fault> {
        for _ in 0..TRIES_MAX {
            let mut world = self.world();
            let now = world.now;
            dialogs::clear_draft(world.user(user)?, now, peer).await?;
            match world.commit().await {
                Err(Fault::Conflict) => {}
                Ok(None) => return Ok(()),
                Ok(Some(committed)) => {
                    self.deliver_beside(committed, None);
                    return Ok(());
                }
                Err(fault) => return Err(fault),
            }
        }
        Err(Fault::Conflict)
    }

    /// Pushes a commit and delivers, beside the caller, what it could not deliver itself.
    fn deliver_beside(self: &Arc<Self>, committed: Committed, told: Option<Told>) {
        for from in self.push_all(committed, told) {
            let api = self.clone();
            let deliver = async move { api.deliver_from(from).await };
            self.env.spawn(Box::pin(deliver));
        }
    }

    /// Pushes a commit and waits until its effects are delivered, as far as they can be now.
    pub async fn deliver(self: &Arc<Self>, committed: Committed, told: Option<Told>) {
        for from in self.push_all(committed, told) {
            self.deliver_from(from).await;
        }
    }

    /// Pushes what a commit changed; gives the partitions whose effects wait.
    fn push_all(self: &Arc<Self>, committed: Committed, told: Option<Told>) -> BTreeSet<Partition> {
        self.metrics.reached.add(committed.reached.len() as u64);
        self.push(&committed.partition, told);
        for partition in &committed.reached {
            self.push(partition, None);
        }
        committed.sending
    }

    async fn deliver_from(self: &Arc<Self>, from: Partition) {
        for partition in self.apply_effects(from).await {
            self.push(&partition, None);
        }
    }

    /// Applies the effects that wait in an outbox, as far as that can be done now, and returns the
    /// partitions that changed; nothing is pushed.
    pub async fn apply_effects(&self, from: Partition) -> Vec<Partition> {
        let _running = self.metrics.deliveries_running.hold();
        let begun = self.env.elapsed();
        let delivered = self.courier.deliver(from, self.env.now()).await;
        let time = self.env.elapsed().saturating_sub(begun);
        self.metrics.deliveries.took(time);
        match delivered {
            Ok(delivered) => delivered.changed.into_iter().collect(),
            Err(fault) => {
                tracing::error!(%fault, "effects wait: an outbox cannot be read");
                Vec::new()
            }
        }
    }

    fn push(self: &Arc<Self>, partition: &Partition, told: Option<Told>) {
        match pushed(partition) {
            Some(Pushed::User(user)) => self.notify(user, told),
            Some(Pushed::Channel(channel)) => self.notify_room(channel),
            Some(Pushed::Key(key)) => self.key_cache.forget(key),
            None => {}
        }
    }

    /// Makes pushes that could not be made, and delivers what waits in all outboxes: at start, and now and
    /// then. Costs what waits, and a look at everybody connected.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot answer.
    pub async fn sweep(self: &Arc<Self>) -> Result<(), Fault> {
        const PAGE: usize = 256;
        for user in self.live.behind() {
            self.notify(user, None);
        }
        self.sweep_rooms();
        let (mut after, mut found) = (None, 0);
        loop {
            let waiting = self.store.pending(after.as_ref(), PAGE).await?;
            let full = waiting.len() == PAGE;
            after = waiting.last().cloned();
            found += waiting.len();
            for partition in waiting {
                self.deliver_from(partition).await;
            }
            if !full {
                self.metrics.outboxes_waiting.set(found as u64);
                return Ok(());
            }
        }
    }

    /// Forgets a session that the wire let go of.
    pub async fn session_closed(&self, session: SessionRef) {
        if let Ok(Some(state)) = self.key_state(session.key).await {
            self.live.forget(state.permanent, session, state.user);
        }
    }

    /// The login code that is pending for a number: digits only.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn pending_code(&self, phone: &str) -> Result<Option<String>, Fault> {
        let Some(digits) = havre_domain::phones::digits(phone) else {
            return Ok(None);
        };
        let mut world = self.world();
        let now = world.now;
        let phone = havre_domain::phones::phone(world.view(keys::partition::phone(&digits))).await?;
        let live = |code: &havre_domain::phones::Code| {
            code.way != havre_domain::phones::Way::EmailFirst
                && code.sent.plus(havre_domain::limits::CODE_TTL) > now
        };
        Ok(phone.code.filter(live).map(|code| code.digits))
    }
}

/// What is known of a client that binds its temporary key before it says anything of itself.
fn bare_client() -> Client {
    Client {
        layer: havre_tl::CANONICAL_LAYER,
        ..Client::default()
    }
}

/// Nobody is connected before the shell says where pushes go.
struct NoOutlet;

impl Outlet for NoOutlet {
    fn push(&self, _: SessionRef, _: Vec<u8>) {}
}

/// The messages that a call is to run after (`invokeAfterMsg`); none for what cannot be read.
#[must_use]
pub fn runs_after(body: &[u8]) -> Vec<i64> {
    wrappers::unwrap(body).map(|call| call.after).unwrap_or_default()
}

/// The key of a session is the one its packets came under.
#[must_use]
pub fn session(key: AuthKeyId, id: i64) -> SessionRef {
    SessionRef { key, id }
}
