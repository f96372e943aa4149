//! Limits on login codes that cost money: whoever earns on calls and messages to certain numbers would have
//! a server send codes there all day. Codes are counted by the address that asks, by range of numbers
//! and by the prefixes that the operator names.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use crate::flood::{self, Allowance, Wait};
use crate::ids::Time;
use crate::limits::{TOLL_METERS_MAX, TOLL_RANGE_DIGITS};

/// An hour, in seconds.
const HOUR: i64 = 3600;

/// What an operator allows, in codes per hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// For one address (IPv6: one /64 network); 0 is without limit.
    pub per_address: u32,
    /// For numbers that differ in the last digits only; 0 is without limit.
    pub per_range: u32,
    /// For numbers that begin so; the longest that fits counts, and 0 is none at all.
    pub per_prefix: Vec<(String, u32)>,
}

/// Why no code goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Too many lately.
    Wait(Wait),
    /// The operator sends no codes to such numbers.
    NotServed,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Meter {
    /// The first half of an IPv6 address, or an IPv4 address.
    Address(u64),
    /// The digits of a number but the last few.
    Range(u64),
    /// Place in the operator's list.
    Prefix(usize),
    /// Everybody for whom there is no meter of their own.
    Others,
}

/// Codes within the last hour, in at most [`TOLL_METERS_MAX`] leaky buckets.
#[derive(Debug, Default)]
pub struct Tolls {
    limits: Limits,
    /// When each bucket will have run empty, milliseconds.
    empty_at: HashMap<Meter, i64>,
    /// When buckets that had run empty were forgotten.
    swept: Time,
}

impl Tolls {
    /// Nothing was sent yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// Other limits from now on. What was counted stays, except by prefixes: they may be others.
    pub fn set_limits(&mut self, limits: Limits) {
        if limits.per_prefix != self.limits.per_prefix {
            self.empty_at
                .retain(|meter, _| !matches!(meter, Meter::Prefix(_)));
        }
        self.limits = limits;
    }

    /// Counts a code to a number (digits only) that an address asks for.
    ///
    /// # Errors
    /// [`Refused`]; nothing is counted then.
    pub fn spend(&mut self, now: Time, address: Option<IpAddr>, digits: &str) -> Result<(), Refused> {
        let mut filled = Vec::with_capacity(3);
        for (meter, count) in self.meters(address, digits)?.into_iter().flatten() {
            let meter = self.admitted(now, meter);
            let allowance = Allowance {
                name: "codes",
                count,
                per: HOUR,
            };
            let before = self.empty_at.get(&meter).copied().unwrap_or(0);
            let empty_at = flood::fill(before, now, allowance, 1).map_err(Refused::Wait)?;
            filled.push((meter, empty_at));
        }
        self.empty_at.extend(filled);
        Ok(())
    }

    /// What counts for this code, and how many an hour are allowed.
    fn meters(&self, address: Option<IpAddr>, digits: &str) -> Result<[Option<(Meter, u32)>; 3], Refused> {
        let prefixes = self.limits.per_prefix.iter().enumerate();
        let prefix = prefixes
            .filter(|(_, (prefix, _))| digits.starts_with(prefix))
            .max_by_key(|(_, (prefix, _))| prefix.len())
            .map(|(n, (_, count))| (Meter::Prefix(n), *count));
        if prefix.is_some_and(|(_, count)| count == 0) {
            return Err(Refused::NotServed);
        }
        let address = address.map(|ip| (Meter::Address(network(ip)), self.limits.per_address));
        let range = (Meter::Range(range(digits)), self.limits.per_range);
        let limited = |meter: &(Meter, u32)| meter.1 > 0;
        Ok([address.filter(limited), Some(range).filter(limited), prefix])
    }

    /// The meter itself, or the one that all share when there are too many. Prefixes always have theirs.
    fn admitted(&mut self, now: Time, meter: Meter) -> Meter {
        if self.empty_at.len() < TOLL_METERS_MAX || self.empty_at.contains_key(&meter) {
            return meter;
        }
        // Looking at all of them for each of a crowd would be what slows the server down.
        if now > self.swept {
            self.swept = now;
            self.empty_at.retain(|_, empty_at| *empty_at > now.0 * 1000);
        }
        match meter {
            Meter::Prefix(_) => meter,
            _ if self.empty_at.len() < TOLL_METERS_MAX => meter,
            _ => Meter::Others,
        }
    }
}

/// The part of an address that one customer of a provider has for themselves.
fn network(ip: IpAddr) -> u64 {
    let v6: Ipv6Addr = match ip.to_canonical() {
        IpAddr::V4(v4) => return u64::from(u32::from(v4)),
        IpAddr::V6(v6) => v6,
    };
    // Networks that are in use begin with 2 or 3, so that none looks like an address of IPv4.
    u64::try_from(u128::from(v6) >> 64).unwrap_or(u64::MAX)
}

/// The number without its last digits; with its length, so that ranges of different lengths are apart.
fn range(digits: &str) -> u64 {
    let kept = digits.len().saturating_sub(TOLL_RANGE_DIGITS);
    let number = digits
        .get(..kept)
        .and_then(|d| d.parse::<u64>().ok())
        .unwrap_or(0);
    number * 16 + digits.len() as u64 % 16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits {
            per_address: 3,
            per_range: 5,
            per_prefix: vec![("44".into(), 100), ("4487".into(), 2), ("881".into(), 0)],
        }
    }

    fn from(n: u32) -> Option<IpAddr> {
        Some(IpAddr::V4(n.into()))
    }

    const NOW: Time = Time(1_000_000);

    #[test]
    fn an_address_has_so_many_an_hour() {
        let mut tolls = Tolls::new(limits());
        for n in 0..3 {
            let number = format!("3361234{n}000");
            assert_eq!(tolls.spend(NOW, from(1), &number), Ok(()));
        }
        let refused = tolls.spend(NOW, from(1), "33700000000");
        assert_eq!(refused, Err(Refused::Wait(Wait(1200))));
        assert_eq!(tolls.spend(NOW, from(2), "33700000000"), Ok(()));
        assert_eq!(tolls.spend(NOW.plus(1200), from(1), "33700000000"), Ok(()));
    }

    #[test]
    fn other_limits_hold_at_once_and_what_was_counted_stays() {
        let mut tolls = Tolls::new(limits());
        for _ in 0..2 {
            assert_eq!(tolls.spend(NOW, None, "448712345678"), Ok(()));
            assert_eq!(tolls.spend(NOW, from(1), "33700000000"), Ok(()));
        }
        tolls.set_limits(Limits {
            per_address: 2,
            per_prefix: vec![("4487".into(), 2)],
            ..limits()
        });
        assert!(tolls.spend(NOW, from(1), "33700000000").is_err(), "two were sent");
        assert_eq!(
            tolls.spend(NOW, None, "448712345678"),
            Ok(()),
            "another list counts anew"
        );
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let mut tolls = Tolls::new(limits());
        let ip = |n: u128| Some(IpAddr::V6((0x2001_0db8_0000_0001 << 64 | n).into()));
        for n in 0..3 {
            assert_eq!(tolls.spend(NOW, ip(n), &format!("3361234{n}000")), Ok(()));
        }
        assert!(tolls.spend(NOW, ip(9), "33700000000").is_err());
    }

    #[test]
    fn a_range_of_numbers_has_so_many_an_hour() {
        let mut tolls = Tolls::new(limits());
        let number = |n: u32| format!("3361234{n:04}");
        for n in 0..5 {
            assert_eq!(tolls.spend(NOW, from(n), &number(n * 1000)), Ok(()));
        }
        assert_eq!(
            tolls.spend(NOW, from(9), &number(7777)),
            Err(Refused::Wait(Wait(720)))
        );
        assert_eq!(tolls.spend(NOW, from(9), "33612350000"), Ok(()), "the next range");
        let longer = "336123400000";
        assert_eq!(tolls.spend(NOW, from(10), longer), Ok(()), "another length");
    }

    #[test]
    fn the_longest_prefix_counts_and_none_is_none() {
        let mut tolls = Tolls::new(limits());
        assert_eq!(tolls.spend(NOW, from(1), "8816000001"), Err(Refused::NotServed));
        for n in 1..3 {
            assert_eq!(tolls.spend(NOW, from(n), &format!("4487{n}0000000")), Ok(()));
        }
        assert!(tolls.spend(NOW, from(3), "448730000000").is_err());
        assert_eq!(tolls.spend(NOW, from(3), "447100000000"), Ok(()));
    }

    #[test]
    fn what_is_refused_counts_nowhere() {
        let mut tolls = Tolls::new(limits());
        for n in 0..2 {
            assert_eq!(tolls.spend(NOW, from(n), &format!("4487{n}0000000")), Ok(()));
        }
        for _ in 0..10 {
            assert!(tolls.spend(NOW, from(7), "448790000000").is_err());
        }
        assert_eq!(tolls.spend(NOW, from(7), "33612340000"), Ok(()));
    }

    #[test]
    fn meters_are_bounded_and_what_is_beyond_shares_one() {
        let mut tolls = Tolls::new(Limits {
            per_range: 0,
            ..limits()
        });
        let many = u32::try_from(TOLL_METERS_MAX).expect("fits") + 1000;
        let let_in = (0..many).filter(|n| tolls.spend(NOW, from(*n), "33612340000").is_ok());
        assert_eq!(let_in.count(), TOLL_METERS_MAX + 3);
        assert_eq!(tolls.empty_at.len(), TOLL_METERS_MAX + 1);
        let later = NOW.plus(HOUR);
        assert_eq!(tolls.spend(later, from(many), "33612340000"), Ok(()));
        assert_eq!(tolls.empty_at.len(), 1, "empty buckets are forgotten");
    }
}
