//! Whether the simulation is true: the same short arrival once in simulated time and once at a real server, and the
//! waiting times of both side by side.

use anyhow::{Context as _, Result};
use havre_bench::client::Client;

use crate::flood::pem_of;
use crate::house::House;
use crate::newcomers::{self, Orders};
use crate::simulate::{self, Manners, Plan, Shape};
use crate::steady::{percentile, phone};

/// The newcomers of the real run come back when told, to the second.
const PUNCTUAL: Manners = Manners {
    impatient: 0.0,
    late: (0.0, 0.0),
};
/// The shares of people at which waiting times are compared, of 100.
const SHARES: [f64; 6] = [10.0, 25.0, 50.0, 75.0, 90.0, 99.0];

/// The short arrival.
#[derive(Clone, Debug, clap::Args)]
pub struct Small {
    /// With --check: newcomers a second.
    #[arg(long, default_value_t = 40)]
    pub check_arrivals: u32,
    /// With --check: codes a second.
    #[arg(long, default_value_t = 20)]
    pub check_codes: u32,
    /// With --check: seconds in which they arrive.
    #[arg(long, default_value_t = 30)]
    pub check_seconds: u32,
}

/// Measures and prints.
pub async fn run(house: House, plan: &Plan) -> Result<()> {
    let small = &plan.small;
    let simulated = simulated(plan);
    let real = real(&house, small).await?;
    println!(
        "{} newcomers a second for {} seconds, {} codes a second: seconds until each has a code",
        small.check_arrivals, small.check_seconds, small.check_codes
    );
    println!();
    println!("| of 100 have it within | simulated | real | difference |");
    println!("| ---: | ---: | ---: | ---: |");
    for share in SHARES {
        let (one, other) = (percentile(&simulated, share), percentile(&real, share));
        println!("| {share} | {one:.1} | {other:.1} | {:+.1} |", one - other);
    }
    println!();
    println!(
        "people: {} simulated, {} real; the distributions are at most {:.1} of 100 people apart",
        simulated.len(),
        real.len(),
        100.0 * apart(&simulated, &real)
    );
    Ok(())
}

/// Sorted waiting times, seconds.
fn simulated(plan: &Plan) -> Vec<f64> {
    let small = &plan.small;
    let seconds = f64::from(small.check_seconds);
    let arrival = Plan {
        millions: f64::from(small.check_arrivals) * seconds / 1e6,
        hours: seconds / 3600.0,
        shape: Shape::Even,
        codes: f64::from(small.check_codes),
        log_ins: 0.0,
        give_up: 0.0,
        scale: 1.0,
        ..plan.clone()
    };
    let hours = simulate::run_with(&arrival, &PUNCTUAL).hours;
    let waits = hours.iter().flat_map(|hour| &hour.waits);
    sorted(waits.map(|(_, waited)| *waited as f64).collect())
}

/// The same of a real server.
async fn real(house: &House, small: &Small) -> Result<Vec<f64>> {
    let rate = format!("console_rate={}", small.check_codes);
    let server = house.open(&[&rate])?;
    // Somebody to whom they write.
    let friend = Client::connect(server.endpoint()).await?;
    friend.sign_up(&server.desk(), &phone(0), "Alice").await?;
    let orders = Orders {
        address: server.endpoint().address,
        data: server.desk().0,
        rate: f64::from(small.check_arrivals),
        during: f64::from(small.check_seconds),
        friends: 1,
    };
    let pem = pem_of(&house.havre, &server)?;
    let arrivals = tokio::task::spawn_blocking(move || newcomers::arrive(&orders, &pem)).await??;
    let all: Option<Vec<f64>> = arrivals.iter().map(|a| a.took.map(|_| a.waited)).collect();
    Ok(sorted(all.context("somebody gave up")?))
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

/// The largest difference between the shares of two sorted distributions that lie below a value (Kolmogorov and
/// Smirnov's distance). Simulated time goes in whole seconds, so of the values those count that have passed.
fn apart(one: &[f64], other: &[f64]) -> f64 {
    let below = |values: &[f64], second: f64| {
        let count = values.partition_point(|value| value.floor() <= second);
        count as f64 / (values.len() as f64).max(1.0)
    };
    let seconds = one.iter().chain(other).map(|value| value.floor());
    seconds
        .map(|at| (below(one, at) - below(other, at)).abs())
        .fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Default for Small {
        fn default() -> Self {
            Self {
                check_arrivals: 40,
                check_codes: 20,
                check_seconds: 30,
            }
        }
    }

    #[test]
    fn distributions_are_apart_by_the_people_that_would_have_to_move() {
        assert_eq!(apart(&[0.0, 1.0, 2.0, 3.0], &[0.1, 1.0, 2.7, 3.2]), 0.0);
        assert_eq!(apart(&[0.0, 1.0, 2.0, 3.0], &[0.0, 1.0, 5.0, 5.0]), 0.5);
        assert_eq!(apart(&[1.0], &[2.0]), 1.0);
    }
}
