//! The queue for login codes over the days of a great arrival, in simulated time: the same queue that the server
//! runs, people who come, wait, come back late or not at all, and providers that deliver so many codes a second.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use havre_domain::ids::Time;
use havre_domain::waiting_room::{Class, Place, Turn, WaitingRoom};
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};

use crate::check::Small;
use crate::steady::percentile;
use crate::svg::{Chart, Line};

/// When the simulated time begins; any instant will do.
const START: i64 = 1_800_000_000;
/// Simulated time after the last arrival until those who still wait are counted as such, in arrival times.
const AFTERMATH: i64 = 20;
/// How late people come back, on average: this part of their waiting time, and these seconds.
const LATE: (f64, f64) = (0.05, 20.0);

/// What people do who are told to wait.
#[derive(Clone, Copy, Debug)]
pub struct Manners {
    /// The part of them that asks once before the time.
    pub impatient: f64,
    /// How late they come back, on average: a part of their waiting time, and seconds.
    pub late: (f64, f64),
}

/// Some come early, and most a little late.
const PEOPLE: Manners = Manners {
    impatient: 0.1,
    late: LATE,
};

/// How arrivals are spread over their time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Shape {
    /// With the hours of the day.
    Days,
    /// A wave that rises fast and ebbs away.
    Wave,
    /// The same at all times.
    Even,
}

/// What is simulated.
#[derive(Clone, Debug, clap::Args)]
pub struct Plan {
    /// People who arrive, millions.
    #[arg(long, default_value_t = 25.0)]
    pub millions: f64,
    /// Within so many hours.
    #[arg(long, default_value_t = 72.0)]
    pub hours: f64,
    /// How they are spread over that time.
    #[arg(long, value_enum, default_value = "days")]
    pub shape: Shape,
    /// Codes that the providers deliver each second.
    #[arg(long, default_value_t = 120.0)]
    pub codes: f64,
    /// Of a hundred who arrive, those who have an account.
    #[arg(long, default_value_t = 10.0)]
    pub log_ins: f64,
    /// Of a hundred who are told to wait, those who do not come back.
    #[arg(long, default_value_t = 15.0)]
    pub give_up: f64,
    /// People for whom one stands.
    #[arg(long, default_value_t = 50.0)]
    pub scale: f64,
    /// Everything that is left to chance follows from it.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Where the picture goes.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Simulates a short arrival and lets the same happen to a real server.
    #[arg(long)]
    pub check: bool,
    #[command(flatten)]
    pub small: Small,
}

/// One hour.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hour {
    /// People who arrived, as they count for.
    pub arrived: f64,
    /// People who were let in.
    pub let_in: f64,
    /// People in the queue at its end.
    pub waiting: f64,
    /// Waiting times of those let in, seconds: what they were told first, and what it was.
    pub waits: Vec<(i64, i64)>,
}

/// What became of everybody.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// From the first arrival on.
    pub hours: Vec<Hour>,
    /// People who were told to wait and did not come back.
    pub gave_up: f64,
    /// People who still waited at the end.
    pub left: f64,
}

struct Guest {
    class: Class,
    came: i64,
    told: Option<i64>,
    place: Option<Place>,
    /// Comes at the time told, not before.
    patient: bool,
    /// How late: [`Manners::late`].
    late: (f64, f64),
}

struct Chance(ChaCha12Rng);

impl Chance {
    /// From 0 up to 1.
    fn share(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.share()).ln()
    }

    /// A whole number with this mean.
    fn about(&mut self, mean: f64) -> usize {
        mean as usize + usize::from(self.share() < mean.fract())
    }
}

/// Runs a plan to its end.
pub fn run(plan: &Plan) -> Outcome {
    run_with(plan, &PEOPLE)
}

/// Runs a plan to its end, with people who wait in this manner.
pub fn run_with(plan: &Plan, manners: &Manners) -> Outcome {
    let mut chance = Chance(ChaCha12Rng::seed_from_u64(plan.seed));
    let (mut room, mut outcome) = (WaitingRoom::default(), Outcome::default());
    let mut coming: BTreeMap<i64, Vec<Guest>> = BTreeMap::new();
    let span = (plan.hours * 3600.0) as i64;
    for at in 0..span * AFTERMATH {
        let newcomers = if at < span {
            arrivals(plan, at, &mut chance)
        } else {
            0
        };
        let hour = (at / 3600) as usize;
        if outcome.hours.len() <= hour {
            outcome.hours.push(Hour::default());
        }
        outcome.hours[hour].arrived += newcomers as f64 * plan.scale;
        let new = (0..newcomers).map(|_| Guest::new(plan, manners, at, &mut chance));
        let due = coming.remove(&at).unwrap_or_default();
        for guest in due.into_iter().chain(new.collect::<Vec<_>>()) {
            ask(plan, at, guest, &mut room, &mut chance, &mut coming, &mut outcome);
        }
        let (log_ins, sign_ups) = room.waiting(Time(START + at));
        outcome.hours[hour].waiting = (log_ins + sign_ups) as f64 * plan.scale;
        if at >= span && coming.is_empty() {
            break;
        }
    }
    outcome.left = coming.values().map(Vec::len).sum::<usize>() as f64 * plan.scale;
    outcome
}

impl Guest {
    fn new(plan: &Plan, manners: &Manners, at: i64, chance: &mut Chance) -> Self {
        let class = if chance.share() < plan.log_ins / 100.0 {
            Class::LogIn
        } else {
            Class::SignUp
        };
        Self {
            class,
            came: at,
            told: None,
            place: None,
            patient: chance.share() >= manners.impatient,
            late: manners.late,
        }
    }
}

/// People who arrive within this second.
fn arrivals(plan: &Plan, at: i64, chance: &mut Chance) -> usize {
    let (time, span) = (at as f64 / 3600.0, plan.hours);
    let density = match plan.shape {
        Shape::Days => (1.0 + 0.6 * ((time - 6.0) * std::f64::consts::TAU / 24.0).sin()) / span,
        Shape::Even => 1.0 / span,
        Shape::Wave => {
            // t·exp(-t) up to ten times its peak's time, by which all but one in two thousand have come.
            let (t, unit) = (time * 10.0 / span, 10.0 / span);
            t * (-t).exp() * unit / (1.0 - 11.0 * (-10.0_f64).exp())
        }
    };
    chance.about(plan.millions * 1e6 * density / 3600.0 / plan.scale)
}

fn ask(
    plan: &Plan,
    at: i64,
    mut guest: Guest,
    room: &mut WaitingRoom,
    chance: &mut Chance,
    coming: &mut BTreeMap<i64, Vec<Guest>>,
    outcome: &mut Outcome,
) {
    match room.ask(
        Time(START + at),
        plan.codes / plan.scale,
        guest.class,
        guest.place,
    ) {
        Turn::Now => {
            let hour = &mut outcome.hours[(at / 3600) as usize];
            hour.let_in += plan.scale;
            hour.waits.push((guest.told.unwrap_or(0), at - guest.came));
        }
        Turn::Wait { seconds, place } => {
            let first = guest.told.is_none();
            guest.told.get_or_insert(seconds);
            guest.place = Some(place);
            if first && chance.share() < plan.give_up / 100.0 {
                outcome.gave_up += plan.scale;
                return;
            }
            let wait = seconds as f64;
            let back = if guest.patient {
                wait + chance.exponential(guest.late.0 * wait + guest.late.1)
            } else {
                guest.patient = true;
                (wait * chance.share()).max(1.0)
            };
            coming.entry(at + back.ceil() as i64).or_default().push(guest);
        }
    }
}

/// Runs a plan, prints what became of everybody, and draws if that is wanted.
pub fn show(plan: &Plan) -> Result<()> {
    let outcome = run(plan);
    print(plan, &outcome);
    if let Some(path) = &plan.svg {
        std::fs::write(path, picture(&outcome)).with_context(|| format!("{}", path.display()))?;
    }
    Ok(())
}

/// Who came, who was let in and who waited, hour by hour.
fn picture(outcome: &Outcome) -> String {
    let line = |name, of: fn(&Hour) -> f64| {
        let points = (1..)
            .zip(&outcome.hours)
            .map(|(n, hour)| (f64::from(n), of(hour)));
        Line::new(name, points.collect())
    };
    Chart {
        title: "A great arrival, and the codes there are".into(),
        across: "hours".into(),
        shaded: (0.0, 0.0),
        panels: vec![
            (
                "people within the hour".into(),
                vec![
                    line("arrived", |hour| hour.arrived),
                    line("let in", |hour| hour.let_in),
                ],
            ),
            (
                "people in the queue".into(),
                vec![line("waiting", |hour| hour.waiting)],
            ),
        ],
    }
    .draw()
}

fn print(plan: &Plan, outcome: &Outcome) {
    println!(
        "{} million within {} hours, {} codes a second, one in {} has an account, each stands for {}, seed {}",
        plan.millions,
        plan.hours,
        plan.codes,
        100.0 / plan.log_ins,
        plan.scale,
        plan.seed
    );
    println!();
    println!("| hour | arrived | let in | in the queue | told p50 | waited p50 | p99 |");
    println!("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    let step = outcome.hours.len().div_ceil(24).max(1);
    for (n, hours) in outcome.hours.chunks(step).enumerate() {
        println!("{}", line((n + 1) * step, hours));
    }
    let all: Vec<(i64, i64)> = outcome.hours.iter().flat_map(|hour| hour.waits.clone()).collect();
    println!();
    println!(
        "let in {}, gave up {}, still waiting {}; told within a fifth of the truth: {:.1} of 100",
        people(all.len() as f64 * plan.scale),
        people(outcome.gave_up),
        people(outcome.left),
        100.0 * told_truly(&all)
    );
}

fn line(until: usize, hours: &[Hour]) -> String {
    let waits = hours.iter().flat_map(|hour| hour.waits.clone());
    let (mut told, mut real): (Vec<i64>, Vec<i64>) = waits.unzip();
    told.sort_unstable();
    real.sort_unstable();
    let sum = |of: fn(&Hour) -> f64| people(hours.iter().map(of).sum());
    format!(
        "| {} | {} | {} | {} | {} | {} | {} |",
        until,
        sum(|hour| hour.arrived),
        sum(|hour| hour.let_in),
        people(hours.last().map_or(0.0, |hour| hour.waiting)),
        time(percentile(&told, 50.0)),
        time(percentile(&real, 50.0)),
        time(percentile(&real, 99.0)),
    )
}

/// Share of those who waited to whom the time was told within a fifth, or ten seconds. Who comes back later than
/// told is not the server's doing: their time counts as told.
pub fn told_truly(waits: &[(i64, i64)]) -> f64 {
    let waited: Vec<_> = waits.iter().filter(|(told, _)| *told > 0).collect();
    let truly = waited.iter().filter(|(told, real)| {
        let late = (*told as f64 * LATE.0 + LATE.1) as i64 * 5;
        (told - late..=told + told / 5 + late).contains(real)
    });
    truly.count() as f64 / (waited.len() as f64).max(1.0)
}

fn people(count: f64) -> String {
    match count {
        ..10_000.0 => format!("{count:.0}"),
        ..10_000_000.0 => format!("{:.0} k", count / 1e3),
        _ => format!("{:.1} M", count / 1e6),
    }
}

fn time(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..7200 => format!("{} min", seconds / 60),
        _ => format!("{:.1} h", seconds as f64 / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        Plan {
            millions: 0.1,
            hours: 2.0,
            shape: Shape::Wave,
            codes: 8.0,
            log_ins: 10.0,
            give_up: 15.0,
            scale: 1.0,
            seed: 1,
            svg: None,
            check: false,
            small: Small::default(),
        }
    }

    #[test]
    fn the_picture_shows_every_hour() {
        let outcome = run(&plan());
        let svg = picture(&outcome);
        let lines: Vec<_> = svg
            .split("points=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap())
            .collect();
        assert_eq!(lines.len(), 3);
        for line in lines {
            assert_eq!(line.split(' ').count(), outcome.hours.len());
        }
    }

    #[test]
    fn everybody_is_accounted_for_and_the_pace_is_kept() {
        let outcome = run(&plan());
        let arrived: f64 = outcome.hours.iter().map(|hour| hour.arrived).sum();
        let let_in: f64 = outcome.hours.iter().map(|hour| hour.let_in).sum();
        assert!((99_000.0..101_000.0).contains(&arrived), "{arrived}");
        assert_eq!(arrived, let_in + outcome.gave_up + outcome.left);
        assert!(outcome.left < 1.0, "{}", outcome.left);
        for hour in &outcome.hours {
            assert!(hour.let_in < 8.0 * 3600.0 * 1.1, "{}", hour.let_in);
        }
        let all: Vec<_> = outcome.hours.iter().flat_map(|hour| hour.waits.clone()).collect();
        assert!(told_truly(&all) > 0.9, "{}", told_truly(&all));
    }

    #[test]
    fn while_people_still_arrive_the_providers_are_kept_busy() {
        let plan = Plan {
            millions: 0.6,
            hours: 24.0,
            shape: Shape::Days,
            ..plan()
        };
        let outcome = run(&plan);
        let busy: Vec<_> = outcome
            .hours
            .iter()
            .filter(|hour| hour.waiting > 10_000.0)
            .collect();
        assert!(busy.len() > 4, "{}", busy.len());
        for hour in busy {
            assert!(hour.let_in > 8.0 * 3600.0 * 0.85, "{}", hour.let_in);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_and_scale_hardly_matters() {
        let plan = Plan {
            millions: 0.4,
            codes: 32.0,
            ..plan()
        };
        let outcome = run(&plan);
        assert_eq!(outcome, run(&plan));
        let coarse = run(&Plan { scale: 4.0, ..plan });
        let longest = |outcome: &Outcome| outcome.hours.iter().map(|h| h.waiting).fold(0.0, f64::max);
        let ratio = longest(&coarse) / longest(&outcome);
        assert!((0.9..1.1).contains(&ratio), "{ratio}");
    }
}
