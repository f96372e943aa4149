//! Who may connect, and how much may be held for whom: bounds on connections and on bytes of packets that are
//! not whole yet (TR-5), in all and from one address, counted from accept to close.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use havre_metrics::Refusal;

/// What a connection may always hold: the small packets of people who talk come through however much others
/// hold.
const ALWAYS_HELD: usize = 16 << 10;

/// One address may hold this part of all bytes.
const SHARE_OF_ADDRESS: usize = 4;

/// The most that there may be.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Connections.
    pub connections_max: usize,
    /// Connections from one address.
    pub connections_per_ip_max: usize,
    /// Bytes of packets that are not whole.
    pub buffered_bytes_max: usize,
}

/// The bounds and the count. Clones share it.
#[derive(Clone, Debug)]
pub struct Admission(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    count: Mutex<Count>,
}

#[derive(Debug)]
struct Count {
    bounds: Bounds,
    all: Held,
    by_origin: HashMap<IpAddr, Held>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Held {
    connections: usize,
    bytes: usize,
}

impl Held {
    fn change(&mut self, from: usize, to: usize) {
        self.bytes = self.bytes + to - from;
    }
}

impl Shared {
    fn count(&self) -> MutexGuard<'_, Count> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A counted connection; dropping it makes room.
#[derive(Debug)]
pub struct Place {
    shared: Arc<Shared>,
    origin: IpAddr,
    bytes: usize,
}

impl Admission {
    /// Nobody is in yet.
    pub fn new(bounds: Bounds) -> Self {
        let count = Count {
            bounds,
            all: Held::default(),
            by_origin: HashMap::new(),
        };
        Self(Arc::new(Shared {
            count: Mutex::new(count),
        }))
    }

    /// A place for a connection from `ip`, or why there is none.
    pub fn enter(&self, ip: IpAddr) -> Result<Place, Refusal> {
        let origin = origin(ip);
        let mut count = self.0.count();
        let bounds = count.bounds;
        let mut here = count.by_origin.get(&origin).copied().unwrap_or_default();
        if count.all.connections >= bounds.connections_max {
            return Err(Refusal::Total);
        }
        if here.connections >= bounds.connections_per_ip_max {
            return Err(Refusal::Address);
        }
        count.all.connections += 1;
        here.connections += 1;
        count.by_origin.insert(origin, here);
        let shared = Arc::clone(&self.0);
        Ok(Place {
            shared,
            origin,
            bytes: 0,
        })
    }

    /// The most connections in all.
    pub fn connections_max(&self) -> usize {
        self.0.count().bounds.connections_max
    }

    /// Other bounds from now on; who is in stays.
    pub fn set_bounds(&self, bounds: Bounds) {
        self.0.count().bounds = bounds;
    }

    /// Connections that are in now.
    pub fn len(&self) -> usize {
        self.0.count().all.connections
    }

    /// Bytes of packets that are not whole, held for all connections.
    pub fn buffered_bytes(&self) -> usize {
        self.0.count().all.bytes
    }

    /// Whether nobody is in.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Place {
    /// Counts what the connection holds now. False when that is too much: it is to be closed.
    pub fn hold(&mut self, bytes: usize) -> bool {
        // Most packets come whole: then there is nothing to count, and no lock to take.
        if bytes == self.bytes {
            return true;
        }
        let before = std::mem::replace(&mut self.bytes, bytes);
        let mut count = self.shared.count();
        count.all.change(before, bytes);
        let (all, most) = (count.all.bytes, count.bounds.buffered_bytes_max);
        let here = count.by_origin.entry(self.origin).or_default();
        here.change(before, bytes);
        let fits = all <= most && here.bytes <= most / SHARE_OF_ADDRESS;
        fits || bytes <= ALWAYS_HELD || bytes <= before
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut count = self.shared.count();
        count.all.change(self.bytes, 0);
        count.all.connections -= 1;
        if let Some(here) = count.by_origin.get_mut(&self.origin) {
            here.change(self.bytes, 0);
            here.connections -= 1;
            if here.connections == 0 {
                count.by_origin.remove(&self.origin);
            }
        }
    }
}

/// What counts as one address: a customer of an IPv6 provider has a whole /64.
fn origin(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6((ip.to_bits() & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(connections_max: usize, connections_per_ip_max: usize) -> Bounds {
        Bounds {
            connections_max,
            connections_per_ip_max,
            buffered_bytes_max: 4 << 20,
        }
    }

    #[test]
    fn tr_5_what_is_held_is_bounded_for_an_address_and_in_all() {
        let admission = Admission::new(bounds(100, 10));
        let enter = |n: u8| admission.enter([10, 0, 0, n].into()).unwrap();
        let (mut first, mut second) = (enter(1), enter(1));
        assert!(first.hold(1 << 20), "the share of an address");
        assert!(second.hold(ALWAYS_HELD) && !second.hold(ALWAYS_HELD + 1));
        drop(second);
        let mut others: Vec<Place> = (2..5).map(enter).collect();
        assert!(others.iter_mut().all(|place| place.hold(1 << 20)));
        let mut last = enter(9);
        assert!(!last.hold(100_000), "all of it is held");
        assert!(last.hold(10_000), "less than before is never too much");
        assert!(first.hold(0));
        assert!(last.hold(1 << 19));
        drop((first, others, last));
        let mut alone = enter(1);
        assert!(alone.hold(1 << 20) && !alone.hold((1 << 20) + 1));
    }

    #[test]
    fn both_bounds_hold_and_leaving_makes_room() {
        let admission = Admission::new(bounds(3, 2));
        let [one, two] = ["10.0.0.1", "10.0.0.2"].map(|text| text.parse::<IpAddr>().unwrap());
        let first = admission.enter(one).unwrap();
        let _second = admission.enter(one).unwrap();
        assert_eq!(admission.enter(one).err(), Some(Refusal::Address));
        let _third = admission.enter(two).unwrap();
        assert_eq!(admission.enter(two).err(), Some(Refusal::Total));
        drop(first);
        assert!(admission.enter(one).is_ok());
        assert_eq!(admission.len(), 2);
    }

    #[test]
    fn a_whole_ipv6_network_is_one_address() {
        let admission = Admission::new(bounds(10, 1));
        let enter = |text: &str| admission.enter(text.parse().unwrap());
        let _held = enter("2001:db8::1").unwrap();
        assert!(enter("2001:db8::ffff:1").is_err());
        assert!(enter("2001:db8:0:1::1").is_ok());
        let _mapped = enter("::ffff:10.0.0.1").unwrap();
        assert!(enter("10.0.0.1").is_err());
    }
}
