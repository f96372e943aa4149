//! What other servers do, to hold what is measured here against it. Measured on the same kind of machine (a virtual
//! one with two shared cores, loopback, no TLS), November 2026, each with its distribution's settings but for
//! limits, and with its archive on; the medians of three runs, or of what there was: ejabberd 23.01 with PostgreSQL
//! 15, Prosody 0.12.3 with files, Synapse 1.163.2 with PostgreSQL 15.

/// The servers, in the order of every figure.
pub const NAMES: [&str; 3] = ["ejabberd", "Prosody", "Synapse"];

/// One thing that was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// What, with its unit.
    pub name: &'static str,
    /// Whether more is better.
    pub is_rate: bool,
    /// Of each server, where there is one.
    pub peers: [Option<f64>; 3],
}

const fn rate(name: &'static str, ejabberd: f64, prosody: f64, synapse: f64) -> Figure {
    Figure {
        name,
        is_rate: true,
        peers: [Some(ejabberd), Some(prosody), Some(synapse)],
    }
}

const fn cost(name: &'static str, ejabberd: f64, prosody: f64, synapse: f64) -> Figure {
    Figure {
        is_rate: false,
        ..rate(name, ejabberd, prosody, synapse)
    }
}

/// Accounts made, 64 at a time (Synapse: 32).
pub const SIGN_UPS: Figure = rate("sign-ups/s", 59.0, 87.0, 5.2);
/// Processor time of the server for one, milliseconds.
pub const SIGN_UP_CPU: Figure = cost("CPU ms a sign-up", 21.0, 11.5, 366.0);
/// Private messages among 200 people, each with four on their way (Synapse: one).
pub const MESSAGES: Figure = rate("messages/s", 686.0, 906.0, 16.5);
/// Processor time of the server for one, milliseconds.
pub const MESSAGE_CPU: Figure = cost("CPU ms a message", 1.76, 1.1, 90.0);
/// Deliveries in a group of 1,000 with one who writes (Synapse: of 200), at saturation.
pub const DELIVERIES: Figure = rate(
    "deliveries/s (theirs to 1,000 members, Synapse's to 200)",
    17_101.0,
    2_022.0,
    100.0,
);
/// Processor time of the server for one, milliseconds.
pub const DELIVERY_CPU: Figure = cost("CPU ms a delivery", 0.066, 0.495, 14.0);
/// Memory (PSS) of each of 19,000 idle sessions, kilobytes of 1,000 bytes.
pub const SESSION: Figure = Figure {
    peers: [Some(66.0), Some(36.0), None],
    ..cost("memory of an idle session, kB", 0.0, 0.0, 0.0)
};
/// p99 of messages in a flood of newcomers, milliseconds.
pub const FLOOD_P99: Figure = cost("p99 in the flood, ms", 4_309.0, 221.0, 15_539.0);
/// How many times that before it was.
pub const FLOOD_RATIO: Figure = cost("p99 in the flood, times that before", 230.0, 1.5, 49.0);
/// Accounts made in the flood.
pub const FLOOD_SIGN_UPS: Figure = rate("sign-ups/s in the flood", 50.0, 36.0, 3.8);

/// Prints figures of this server beside those of others, and how many times better it is.
pub fn print(own: &[(Figure, f64)]) {
    println!();
    println!("| (how many times better) | Havre | {} |", NAMES.join(" | "));
    println!("| --- | ---: | ---: | ---: | ---: |");
    for (figure, value) in own {
        println!("{}", figure.line(*value));
    }
}

impl Figure {
    fn line(&self, own: f64) -> String {
        let cell = |peer: Option<f64>| match peer {
            Some(peer) => format!("{} ({})", digits(peer), digits(self.times_better(own, peer))),
            None => "-".into(),
        };
        format!(
            "| {} | {} | {} |",
            self.name,
            digits(own),
            self.peers.map(cell).join(" | ")
        )
    }

    fn times_better(&self, own: f64, peer: f64) -> f64 {
        if self.is_rate { own / peer } else { peer / own }
    }
}

/// Two digits at least, and no more than say something.
fn digits(value: f64) -> String {
    match value.abs() {
        0.0..0.1 => format!("{value:.3}"),
        0.1..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_of_a_rate_is_better_and_less_of_a_cost() {
        assert_eq!(
            SIGN_UPS.line(590.0),
            "| sign-ups/s | 590 | 59.0 (10.0) | 87.0 (6.78) | 5.20 (113) |"
        );
        assert_eq!(
            DELIVERY_CPU.line(0.033),
            "| CPU ms a delivery | 0.033 | 0.066 (2.00) | 0.49 (15.0) | 14.0 (424) |"
        );
        assert_eq!(
            SESSION.line(12.0),
            "| memory of an idle session, kB | 12.0 | 66.0 (5.50) | 36.0 (3.00) | - |"
        );
    }

    #[test]
    fn what_is_worse_here_reads_below_one() {
        assert!(FLOOD_RATIO.line(3.0).contains("1.50 (0.50)"));
        assert!(MESSAGES.line(453.0).contains("906 (0.50)"));
    }
}
