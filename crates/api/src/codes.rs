//! When a login code may go out: limits against toll fraud first, then the queue.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use havre_domain::ids::Time;
use havre_domain::keys::{self, partition};
use havre_domain::phones::Phone;
use havre_domain::toll::{Limits, Refused, Tolls};
use havre_domain::tx::Fault;
use havre_domain::waiting_room::{Class, Turn, WaitingRoom};

use crate::dispatch::Api;
use crate::error::RpcError;

/// How old the queue is at most that a restart goes on with, seconds.
const SAVE_EVERY: i64 = 5;

/// Where the queue is kept in the server's partition.
const ROOM: &str = "waiting room";

/// What is counted of login codes.
#[derive(Debug)]
pub struct Codes {
    tolls: Mutex<Tolls>,
    room: Mutex<Room>,
}

#[derive(Debug)]
struct Room {
    queue: WaitingRoom,
    saved: Time,
}

impl Codes {
    pub(crate) fn new(limits: Limits, queue: WaitingRoom) -> Self {
        let saved = Time::default();
        Self {
            tolls: Mutex::new(Tolls::new(limits)),
            room: Mutex::new(Room { queue, saved }),
        }
    }

    /// People who wait for a code: with an account, without.
    #[must_use]
    pub fn waiting(&self, now: Time) -> (u64, u64) {
        lock(&self.room).queue.waiting(now)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Api {
    /// Lets a code to this number go out now, or says when. The record of the number takes up its place in
    /// the queue or gives it back, and must be kept where it changed.
    ///
    /// # Errors
    /// `420 FLOOD_WAIT_n` with the true n, `400 PHONE_NUMBER_INVALID` for numbers that the operator sends no
    /// codes to, or no provider does.
    pub fn admit_code(
        self: &Arc<Self>,
        now: Time,
        address: &str,
        digits: &str,
        phone: &mut Phone,
    ) -> Result<(), RpcError> {
        if !self.env.serves(digits) {
            return Err(RpcError::PHONE_NUMBER_INVALID);
        }
        if phone.place.is_none_or(|place| place.until < now) {
            self.spend_toll(now, address, digits)?;
        }
        let class = class(phone);
        let rate = self.env.code_rate();
        let turn = lock(&self.codes.room).queue.ask(now, rate, class, phone.place);
        self.save_room(now);
        match turn {
            Turn::Now => {
                phone.place = None;
                Ok(())
            }
            Turn::Wait { seconds, place } => {
                phone.place = Some(place);
                Err(RpcError::flood_wait(seconds))
            }
        }
    }

    /// Other limits against toll fraud from now on.
    pub fn set_tolls(&self, limits: Limits) {
        lock(&self.codes.tolls).set_limits(limits);
    }

    /// Counts a code that this address asks for.
    ///
    /// # Errors
    /// As for [`Self::admit_code`].
    pub fn spend_toll(&self, now: Time, address: &str, digits: &str) -> Result<(), RpcError> {
        let address: Option<IpAddr> = address.parse().ok();
        let spent = lock(&self.codes.tolls).spend(now, address, digits);
        spent.map_err(|refused| match refused {
            Refused::Wait(wait) => wait.into(),
            Refused::NotServed => RpcError::PHONE_NUMBER_INVALID,
        })
    }

    /// Saves the queue beside the caller if that was not done lately. A save that fails is made up for by the
    /// next.
    fn save_room(self: &Arc<Self>, now: Time) {
        let queue = {
            let mut room = lock(&self.codes.room);
            if room.saved.plus(SAVE_EVERY) > now {
                return;
            }
            room.saved = now;
            room.queue.clone()
        };
        let api = Arc::clone(self);
        self.env.spawn(Box::pin(async move {
            if let Err(fault) = api.write_room(&queue).await {
                tracing::warn!(%fault, "the queue for login codes could not be saved");
            }
        }));
    }

    async fn write_room(&self, queue: &WaitingRoom) -> Result<(), Fault> {
        let mut world = self.world();
        world.subject(partition::server())?.put(keys::once(ROOM), queue);
        world.commit().await.map(drop)
    }

    pub(crate) async fn saved_room(world: &mut havre_domain::world::World) -> Result<WaitingRoom, Fault> {
        let tx = world.view(partition::server());
        Ok(tx.get(&keys::once(ROOM)).await?.unwrap_or_default())
    }
}

/// Which queue somebody with this number is in.
#[must_use]
pub fn class(phone: &Phone) -> Class {
    match phone.owner {
        Some(_) => Class::LogIn,
        None => Class::SignUp,
    }
}
