//! How far a handshake, a message and a delivery are from what they take at least, all measured in the same run on
//! the same machine.

use std::time::Duration;

use anyhow::Result;

use crate::floors;
use crate::group::{self, Plan};
use crate::house::House;
use crate::steady::percentile;
use crate::table::Row;
use crate::wire;

/// Clients that make keys at the same time.
const HANDSHAKES: usize = 16;
/// Pairs that write at the same time.
const PAIRS: usize = 32;
/// The group that deliveries are made to.
const GROUP: Plan = Plan {
    members: 50,
    senders: 4,
};
/// Durable writes one after the other in a message: the writer's box, then the reader's.
const SYNCS: f64 = 2.0;
/// Passages through sockets in a message: the request and its answer, the push and its acknowledgement, each of
/// which the server has one end of.
const PASSAGES: f64 = 2.0;
/// Packets that the server opens or seals in a message, as pairs of both: the request, the answer, the push, the
/// acknowledgement.
const PACKETS: f64 = 2.0;

/// What was reached, and what can be reached at most: seconds.
struct Limit {
    name: &'static str,
    floor: f64,
    reached: f64,
    of: &'static str,
}

/// Measures and prints; each part takes the time `within`.
pub fn run(
    house: impl Fn() -> Result<House>,
    runtime: &tokio::runtime::Runtime,
    within: Duration,
) -> Result<()> {
    let handshakes = house()?;
    let server = handshakes.open(&[])?;
    let arithmetic = floors::handshake(&server.desk().0.join("server-key.pem"))?;
    let (packet, socket) = (floors::packet()?, floors::socket()?);
    let syncs = floors::syncs(&server.desk().0)?;
    let sync = percentile(&syncs, 50.0);
    let keys = runtime.block_on(wire::handshakes(server, HANDSHAKES, usize::MAX, within))?;
    let messages = |pairs| -> Result<Row> {
        let house = house()?;
        runtime.block_on(wire::messages(house.open(&[])?, pairs, usize::MAX, within))
    };
    let (many, one) = (messages(PAIRS)?, messages(1)?);
    let delivery = runtime.block_on(group::saturate(&house()?, &GROUP, within))?;
    println!(
        "an RSA operation and two powers {:.0} us; opening and sealing {} bytes {:.2} us; a socket's write and read \
        {:.2} us; a durable write of {} bytes p50 {:.0} us, p99 {:.0} us",
        arithmetic * 1e6,
        floors::PACKET_LEN,
        packet * 1e6,
        socket * 1e6,
        floors::BATCH_LEN,
        sync * 1e6,
        percentile(&syncs, 99.0) * 1e6
    );
    print(&[
        Limit {
            name: "handshake, server CPU",
            floor: arithmetic,
            reached: keys.cpu_ms() / 1e3,
            of: "an RSA operation, two powers",
        },
        Limit {
            name: "message among many, server CPU",
            floor: PACKETS * packet + PASSAGES * socket,
            reached: many.cpu_ms() / 1e3,
            of: "4 packets opened or sealed, one end of 4 passages through sockets",
        },
        Limit {
            name: "message alone, time",
            floor: SYNCS * sync + 2.0 * socket,
            reached: percentile(&one.seconds(), 50.0),
            of: "2 durable writes, 2 passages through sockets",
        },
        Limit {
            name: "delivery in a group, server CPU",
            floor: (packet + socket) / 2.0,
            reached: delivery,
            of: "a packet sealed, one end of a passage through a socket",
        },
    ]);
    Ok(())
}

fn print(limits: &[Limit]) {
    println!();
    println!("| | limit us | reached us | of 100 | the limit is |");
    println!("| --- | ---: | ---: | ---: | --- |");
    for limit in limits {
        println!("{}", limit.line());
    }
}

impl Limit {
    fn line(&self) -> String {
        let Self {
            name,
            floor,
            reached,
            of,
        } = self;
        let share = 100.0 * floor / reached;
        format!(
            "| {name} | {:.1} | {:.1} | {share:.1} | {of} |",
            floor * 1e6,
            reached * 1e6
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_a_limit_is_what_must_be_spent_of_what_is() {
        let limit = Limit {
            name: "n",
            floor: 0.000_7,
            reached: 0.001,
            of: "f",
        };
        assert_eq!(limit.line(), "| n | 700.0 | 1000.0 | 70.0 | f |");
    }
}
