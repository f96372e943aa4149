//! Who may connect: bounds on connections in all and from one address, counted from accept to close.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The bounds and the count. Clones share it.
#[derive(Clone, Debug)]
pub struct Admission(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    connections_max: usize,
    connections_per_ip_max: usize,
    count: Mutex<Count>,
}

#[derive(Debug, Default)]
struct Count {
    all: usize,
    by_origin: HashMap<IpAddr, usize>,
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
}

impl Admission {
    /// Nobody is in yet.
    pub fn new(connections_max: usize, connections_per_ip_max: usize) -> Self {
        Self(Arc::new(Shared {
            connections_max,
            connections_per_ip_max,
            count: Mutex::default(),
        }))
    }

    /// A place for a connection from `ip`, if there is one.
    pub fn enter(&self, ip: IpAddr) -> Option<Place> {
        let origin = origin(ip);
        let mut count = self.0.count();
        let here = count.by_origin.get(&origin).copied().unwrap_or(0);
        if count.all >= self.0.connections_max || here >= self.0.connections_per_ip_max {
            return None;
        }
        count.all += 1;
        count.by_origin.insert(origin, here + 1);
        Some(Place {
            shared: Arc::clone(&self.0),
            origin,
        })
    }

    /// The most connections in all.
    pub fn connections_max(&self) -> usize {
        self.0.connections_max
    }

    /// Connections that are in now.
    pub fn len(&self) -> usize {
        self.0.count().all
    }

    /// Whether nobody is in.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut count = self.shared.count();
        count.all -= 1;
        if let Some(here) = count.by_origin.get_mut(&self.origin) {
            *here -= 1;
            if *here == 0 {
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

    #[test]
    fn both_bounds_hold_and_leaving_makes_room() {
        let admission = Admission::new(3, 2);
        let [one, two] = ["10.0.0.1", "10.0.0.2"].map(|text| text.parse::<IpAddr>().unwrap());
        let first = admission.enter(one).unwrap();
        let _second = admission.enter(one).unwrap();
        assert!(
            admission.enter(one).is_none(),
            "two are the most from one address"
        );
        let _third = admission.enter(two).unwrap();
        assert!(admission.enter(two).is_none(), "three are the most in all");
        drop(first);
        assert!(admission.enter(one).is_some());
        assert_eq!(admission.len(), 2);
    }

    #[test]
    fn a_whole_ipv6_network_is_one_address() {
        let admission = Admission::new(10, 1);
        let enter = |text: &str| admission.enter(text.parse().unwrap());
        let _held = enter("2001:db8::1").unwrap();
        assert!(enter("2001:db8::ffff:1").is_none());
        assert!(enter("2001:db8:0:1::1").is_some());
        let _mapped = enter("::ffff:10.0.0.1").unwrap();
        assert!(enter("10.0.0.1").is_none());
    }
}
