//! TCP connections: accepting them, and one task for each that drives its [`Connection`].
//!
//! A connection begins on the server's own runtime. It goes over to the newcomers' when it turns out that nobody
//! is logged in on it, and back when somebody is: what a crowd of arrivals costs, it costs the crowd, while
//! who comes back with a known key is served at once.
//!
//! An idle connection costs its task and its [`Connection`]: there is no read buffer while nothing comes.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use havre_api::dispatch::Call;
use havre_api::live::SessionRef;
use havre_domain::ids::AuthKeyId;
use havre_metrics::{Ending, Handshake, Undelivered};
use havre_mtproto::connection::{Connection, KeyLookup, Output, Packet};
use havre_mtproto::handshake::Work;
use havre_mtproto::session::{self, ConnectionId};
use havre_mtproto::time::Millis;
use havre_tl::{Serialize as _, enums};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::admission::Place;
use super::gateway::{Gateway, Side};
use super::registry::Slot;
use crate::env::{entropy, now};
use crate::lanes::Full;
use crate::watch::notices;

/// Bytes read at once; they live on the stack of the thread that reads.
const READ_LEN: usize = 16 << 10;

/// A peer that takes nothing for so long is gone.
const WRITE_PATIENCE: Duration = Duration::from_secs(30);

/// Most sessions that one connection carries. TDLib has nine on all its connections together.
const SESSIONS_MAX: usize = 32;

/// How long accepting rests after the system refused, as it does without free files.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// Accepts until `stop` says so. Connections end by themselves then.
pub async fn accept(listener: TcpListener, gateway: Arc<Gateway>, stop: watch::Receiver<bool>) {
    let mut stopped = stop.clone();
    let accepting = |is: bool| gateway.accepting.store(is, Ordering::Relaxed);
    loop {
        // While it waits it accepts: whoever looks must not be told otherwise because the last one failed.
        accepting(true);
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => return accepting(false),
        };
        match accepted {
            Ok((stream, peer)) => admit(stream, peer, &gateway, &stop),
            Err(error) => {
                accepting(false);
                tracing::warn!(%error, "a connection cannot be accepted");
                tokio::time::sleep(ACCEPT_REST).await;
            }
        }
    }
}

fn admit(stream: TcpStream, peer: SocketAddr, gateway: &Arc<Gateway>, stop: &watch::Receiver<bool>) {
    // Refused without a word: the transport is not known yet in which to say one.
    let place = match gateway.admission.enter(peer.ip()) {
        Ok(place) => place,
        Err(refusal) => return gateway.metrics.connections_refused.of(refusal).inc(),
    };
    gateway.metrics.connections_accepted.inc();
    // Answers are written whole; waiting for more to fill a segment only delays them.
    let _ = stream.set_nodelay(true);
    let task = Task::new(stream, peer, Arc::clone(gateway), place);
    tokio::spawn(Box::new(task).run(stop.clone()));
}

/// Why a connection ends; counted, and of no other interest to an operator.
#[derive(Debug)]
struct Ended(Ending);

impl From<io::Error> for Ended {
    fn from(_: io::Error) -> Self {
        Self(Ending::Peer)
    }
}

struct Task {
    stream: TcpStream,
    address: String,
    gateway: Arc<Gateway>,
    id: ConnectionId,
    connection: Connection,
    carried: Vec<Arc<Slot>>,
    wake: UnboundedSender<Arc<Slot>>,
    woken: UnboundedReceiver<Arc<Slot>>,
    place: Place,
    side: Side,
    /// Among the newcomers' connections.
    newcomer: Option<OwnedSemaphorePermit>,
    /// Why it ends, if the connection closes by itself now.
    closes_by: Ending,
}

/// The sessions lose a connection.
fn leave(carried: &[Arc<Slot>], connection: ConnectionId) {
    for slot in carried {
        slot.leave(connection);
    }
}

enum Event {
    Readable,
    Woken(Arc<Slot>),
    Timeout,
    Stop,
}

impl Task {
    fn new(stream: TcpStream, peer: SocketAddr, gateway: Arc<Gateway>, place: Place) -> Self {
        let (wake, woken) = unbounded_channel();
        Self {
            stream,
            address: peer.ip().to_canonical().to_string(),
            id: gateway.connection_id(),
            connection: Connection::new(now(), gateway.identity.clone(), entropy()),
            gateway,
            carried: Vec::new(),
            wake,
            woken,
            place,
            side: Side::Unknown,
            newcomer: None,
            closes_by: Ending::Rule,
        }
    }

    /// Boxed, as a future holds what it was given and what it moved on besides.
    async fn run(mut self: Box<Self>, mut stop: watch::Receiver<bool>) {
        let side = self.side;
        let ending = loop {
            if let Err(Ended(ending)) = self.turn(&mut stop).await {
                break ending;
            }
            if !self.side.is_same_place(side) {
                return self.cross_over(stop);
            }
        };
        self.count();
        self.end(ending);
    }

    fn end(&self, ending: Ending) {
        self.gateway.metrics.connections_ended.of(ending).inc();
        tracing::debug!(reason = ?ending, "a connection ended");
        leave(&self.carried, self.id);
    }

    /// Goes on where the connection belongs now.
    fn cross_over(self: Box<Self>, stop: watch::Receiver<bool>) {
        // Sockets belong to the runtime that they are made in.
        let _entered = self.gateway.sides.runtime(self.side).enter();
        let task = *self;
        match task.stream.into_std().and_then(TcpStream::from_std) {
            Ok(stream) => {
                let task = Box::new(Self { stream, ..task });
                let rest: BoxFuture<'static, ()> = Box::pin(task.run(stop));
                tokio::spawn(rest);
            }
            Err(_gone) => leave(&task.carried, task.id),
        }
    }

    /// What was learned of whoever is on this connection; false when there is no place for one more newcomer.
    fn learn(&mut self, is_inside: bool) -> bool {
        match (self.side, is_inside) {
            (Side::Unknown | Side::Newcomers, true) => {
                self.newcomer = None;
                self.side = Side::Inside;
            }
            (Side::Unknown, false) => {
                let Some(place) = self.gateway.sides.newcomer() else {
                    return false;
                };
                self.newcomer = Some(place);
                self.side = Side::Newcomers;
            }
            // A client that is logged in makes further keys, too.
            (Side::Inside, _) | (Side::Newcomers, false) => {}
        }
        true
    }

    /// Looks whether somebody is logged in by now.
    async fn look_again(&mut self, key: AuthKeyId) {
        if self.side == Side::Newcomers {
            let is_inside = self.gateway.api.is_inside(key).await;
            self.learn(is_inside);
        }
    }

    /// One event and everything that follows from it.
    async fn turn(&mut self, stop: &mut watch::Receiver<bool>) -> Result<(), Ended> {
        match self.next(stop).await? {
            Event::Readable => self.read()?,
            Event::Woken(slot) => {
                slot.heard();
                self.flush(&slot);
                self.look_again(slot.name.key).await;
            }
            Event::Timeout => self.handle_timeout(),
            Event::Stop => return Err(Ended(Ending::Stop)),
        }
        // On the heap while it runs: a connection that waits needs no room for everything that may happen on it.
        Box::pin(self.settle()).await?;
        if self.connection.is_making_key() {
            self.learn(false);
        }
        self.count();
        let fits = self.place.hold(self.connection.buffered());
        fits.then_some(()).ok_or(Ended(Ending::Bytes))
    }

    /// Counts what the connection noticed.
    fn count(&mut self) {
        for (notice, times) in self.connection.tally.take().into_iter().flatten() {
            notices::count(&self.gateway.metrics, notice, times);
        }
    }

    async fn next(&mut self, stop: &mut watch::Receiver<bool>) -> Result<Event, Ended> {
        let wait = u64::try_from(self.timeout().0.saturating_sub(now().0)).unwrap_or(0);
        Ok(tokio::select! {
            readable = self.stream.readable() => { readable?; Event::Readable }
            Some(slot) = self.woken.recv() => Event::Woken(slot),
            () = tokio::time::sleep(Duration::from_millis(wait)) => Event::Timeout,
            _ = stop.changed() => Event::Stop,
        })
    }

    fn timeout(&self) -> Millis {
        let sessions = self
            .carried
            .iter()
            .filter_map(|slot| slot.with(|session| session.timeout()));
        sessions.fold(self.connection.timeout(), Millis::min)
    }

    fn handle_timeout(&mut self) {
        let now = now();
        if now >= self.connection.timeout() {
            self.closes_by = Ending::Idle;
        }
        self.connection.handle_timeout(now);
        for slot in self.carried.clone() {
            slot.with(|session| session.handle_timeout(now));
            self.flush(&slot);
        }
    }

    /// Takes what has come. Not async: the buffer must not be part of the waiting task.
    fn read(&mut self) -> Result<(), Ended> {
        let mut buffer = [0; READ_LEN];
        match self.stream.try_read(&mut buffer) {
            Ok(0) => Err(Ended(Ending::Peer)),
            Ok(len) => {
                self.gateway.metrics.received.add(len as u64);
                self.connection.receive(now(), &buffer[..len]);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Does what the connection asks until it asks for nothing more.
    async fn settle(&mut self) -> Result<(), Ended> {
        while let Some(output) = self.connection.poll() {
            match output {
                Output::Write(bytes) => self.write(&bytes).await?,
                Output::NeedKey(id) => {
                    let found = self.find_key(id).await;
                    if matches!(found, KeyLookup::Unavailable) {
                        self.closes_by = Ending::Store;
                    }
                    self.connection.key_found(now(), found);
                }
                Output::Work(work) => self.work(*work).await,
                Output::StoreKey(new) => {
                    let stored = self.gateway.keep_key(&new).await;
                    if stored.is_none() {
                        self.closes_by = Ending::Store;
                    }
                    self.connection.key_stored(now(), stored);
                }
                Output::Packet(packet) => self.packet(packet).await?,
                Output::Close => return Err(Ended(self.closes_by)),
            }
        }
        Ok(())
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        let written = tokio::time::timeout(WRITE_PATIENCE, self.stream.write_all(bytes)).await;
        self.gateway.metrics.sent.add(bytes.len() as u64);
        Ok(written.map_err(|_| Ended(Ending::Stuck))??)
    }

    /// Looks a key up, and with it whose connection this is.
    async fn find_key(&mut self, id: i64) -> KeyLookup {
        let found = self.gateway.find_key(id).await;
        let known = matches!(found, KeyLookup::Found(_) | KeyLookup::Temporary(..));
        let is_inside = known && self.gateway.api.is_inside(AuthKeyId(id)).await;
        if self.learn(is_inside) {
            found
        } else {
            KeyLookup::Unavailable
        }
    }

    async fn work(&mut self, work: Work) {
        let has_place = self.learn(false);
        let (metrics, asked) = (Arc::clone(&self.gateway.metrics), Instant::now());
        let job = move || {
            let begun = Instant::now();
            metrics.handshake_waited.took(begun.duration_since(asked));
            let done = work.run();
            metrics.handshake_worked.took(begun.elapsed());
            done
        };
        let refuse = |why| self.gateway.metrics.handshakes_refused.of(why).inc();
        let done = match has_place.then(|| self.gateway.handshakes.run(job)) {
            Some(Ok(done)) => done.await.ok(),
            Some(Err(Full)) => {
                refuse(Handshake::Queue);
                None
            }
            None => {
                refuse(Handshake::Places);
                None
            }
        };
        self.connection.work_done(now(), done);
    }

    /// Gives a packet to its session, which this connection carries from now on.
    async fn packet(&mut self, packet: Packet) -> Result<(), Ended> {
        let name = SessionRef {
            key: AuthKeyId(packet.auth_key_id),
            id: packet.session_id,
        };
        self.gateway.metrics.packets_received.inc();
        let slot = self.slot(name)?;
        slot.carry(self.id, &self.wake);
        let unique = self.connection.random_i64();
        let salt = (packet.salt, packet.first_salt);
        let noticed = slot.with(|session| {
            session.handle(now(), &self.gateway.salts, salt, packet.message, unique);
            session.tally.take()
        });
        for (notice, times) in noticed.into_iter().flatten() {
            notices::count(&self.gateway.metrics, notice, times);
        }
        while let Some(output) = slot.with(|session| session.poll()) {
            self.do_for(&slot, output).await;
        }
        self.flush(&slot);
        Ok(())
    }

    fn slot(&mut self, name: SessionRef) -> Result<Arc<Slot>, Ended> {
        if let Some(slot) = self.carried.iter().find(|slot| slot.name == name) {
            return Ok(Arc::clone(slot));
        }
        let slot = self.gateway.registry.enter(name).ok_or(Ended(Ending::Sessions))?;
        if self.carried.len() >= SESSIONS_MAX {
            self.carried.remove(0).leave(self.id);
        }
        self.carried.push(Arc::clone(&slot));
        Ok(slot)
    }

    async fn do_for(&mut self, slot: &Arc<Slot>, output: session::Output) {
        match output {
            session::Output::Request { msg_id, body } => self.request(slot, msg_id, body).await,
            session::Output::DestroySession { session_id, .. } => {
                self.destroy_session(slot, session_id).await
            }
            session::Output::DestroyKey { .. } => self.destroy_key(slot).await,
            session::Output::CloseAfter { ms } => self.connection.close_after(now(), ms),
            session::Output::Overflowed => {
                let dropped = &self.gateway.metrics.pushes_dropped;
                dropped.of(Undelivered::Slow).inc();
                let too_long = enums::Updates::UpdatesTooLong.to_bytes();
                slot.with(|session| session.push(now(), too_long));
            }
        }
    }

    async fn request(&mut self, slot: &Arc<Slot>, msg_id: i64, body: Vec<u8>) {
        // Waiting here also stops reading: that is the brake on a client that asks faster than it is answered.
        let place = Arc::clone(&slot.calls).acquire_owned().await;
        let Ok(place) = place else { return };
        let call = Call {
            session: slot.name,
            msg_id,
            body,
            address: self.address.clone(),
            dc_id: self.connection.dc_id(),
        };
        self.gateway.run(slot, place, call);
    }

    async fn destroy_session(&mut self, slot: &Arc<Slot>, session_id: i64) {
        let name = SessionRef {
            id: session_id,
            ..slot.name
        };
        let existed = self.gateway.registry.remove(name);
        if existed {
            self.carried.retain(|slot| slot.name != name);
            self.gateway.api.session_closed(name).await;
        }
        slot.with(|session| session.session_destroyed(now(), session_id, existed));
    }

    async fn destroy_key(&mut self, slot: &Arc<Slot>) {
        let destroyed = self.gateway.api.destroy_key(slot.name.key).await;
        if let Err(fault) = &destroyed {
            tracing::error!(%fault, "a key could not be destroyed");
        }
        slot.with(|session| session.key_destroyed(now(), destroyed.as_ref().ok().copied()));
        self.flush(slot);
        if destroyed.is_ok() {
            self.connection.forget_key(slot.name.key.0);
        }
    }

    /// Seals everything that a session has to say; nothing if another connection carries it by now.
    fn flush(&mut self, slot: &Arc<Slot>) {
        if !slot.is_carried_by(self.id) {
            return;
        }
        let key = slot.name.key.0;
        let salt = self.gateway.salts.current(key, now());
        while let Some(message) = slot.with(|session| session.transmit(now(), self.id)) {
            if !self.connection.send(key, salt, slot.name.id, &message) {
                return;
            }
            self.gateway.metrics.packets_sent.inc();
        }
    }
}
