//! The process dies at any commit, before or after it is durable, while others change the same things and
//! the store stumbles: nothing acknowledged is lost, nothing is there twice.
//!
//! `HAVRE_SIM_SEEDS=100000 cargo test -p havre-sim --test crashes` runs longer; a failing seed is printed and
//! belongs into `seeds.txt`.

use havre_sim::faults::{Bug, Rates};
use havre_sim::schedule::{Deed, Link, Step, World};

/// Seeds that are run unless more are asked for.
const SEEDS: u64 = 2_000;
/// Steps of one run.
const STEPS: usize = 12;

const RATES: Rates = Rates {
    conflict: 50,
    unavailable: 15,
    wait: 200,
};

fn run(seed: u64, bug: Option<Bug>) -> World {
    let mut world = World::with_bug(seed, RATES, bug);
    for _ in 0..STEPS {
        let draw = |world: &World, n| world.town.env().draw(n);
        if draw(&world, 3) == 0 {
            let commits = u32::try_from(draw(&world, 6)).unwrap_or(0) + 1;
            world.faults().crash_in(commits);
        }
        let deed = match draw(&world, 8) {
            0..4 => Deed::Send {
                to: draw(&world, 64),
                text: 0,
                reply: draw(&world, 2) == 0,
            },
            4..6 => Deed::SendAgain,
            6 => Deed::Read(draw(&world, 64), draw(&world, 64)),
            _ => Deed::Archive(draw(&world, 64), draw(&world, 2) == 0),
        };
        let link = [Link::Good, Link::Lossy, Link::Doubling, Link::Shuffling][draw(&world, 4)];
        let (person, device) = (draw(&world, 3), draw(&world, 2));
        world.step(&Step {
            person,
            device,
            deed,
            link,
            pause: 1,
        });
    }
    world.compare();
    world.check_acknowledged();
    world
}

fn seeds() -> u64 {
    std::env::var("HAVRE_SIM_SEEDS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(SEEDS)
}

#[test]
fn what_is_acknowledged_survives_every_crash() {
    let (mut restarts, mut sends) = (0, 0);
    for seed in 0..seeds() {
        let world =
            std::panic::catch_unwind(|| run(seed, None)).unwrap_or_else(|_| panic!("seed {seed} fails"));
        restarts += world.done.get("restart").copied().unwrap_or(0);
        sends += world.done.get("send").copied().unwrap_or(0);
    }
    let seeds = usize::try_from(seeds()).unwrap();
    assert!(restarts > seeds / 2, "only {restarts} restarts in {seeds} seeds");
    assert!(sends > seeds, "only {sends} sends in {seeds} seeds");
}

#[test]
fn failures_of_the_past() {
    for line in include_str!("../seeds.txt")
        .lines()
        .filter(|l| !l.starts_with('#'))
    {
        run(line.trim().parse().expect("a seed is a number"), None);
    }
}

/// A simulation that misses a planted defect would prove nothing about the others.
#[test]
fn planted_defects_are_found() {
    for bug in [Bug::AcknowledgeEarly, Bug::ForgetReceived, Bug::LoseEffects] {
        let found = (0..200).any(|seed| std::panic::catch_unwind(|| run(seed, Some(bug))).is_err());
        assert!(found, "{bug:?} goes unnoticed");
    }
}
