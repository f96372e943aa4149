//! The switchboard against scripted and random providers: bounds hold, precedence holds, every message ends.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use havre_codes::circuit::{DOWN_MAX, PAUSE_MIN};
use havre_codes::pace::{BURST, RATE_MIN};
use havre_codes::provider::{Failure, Message};
use havre_codes::route::Countries;
use havre_codes::switchboard::{
    Class, LIFETIME, PROBE_RATE, QUEUE_LEN_MAX, REST_MIN, ROUNDS_MAX, Start, Switchboard, Terms, Ticket,
    Totals, Unsendable,
};
use proptest::prelude::*;

const SLOWER: Failure = Failure::Slower { retry_after: None };

fn terms(countries: &[&str], rate_max: f64, in_flight_max: usize) -> Terms {
    Terms {
        countries: Countries::new(countries.iter().copied()),
        rate_max,
        in_flight_max,
    }
}

fn message(number: &str) -> Message {
    Message {
        number: number.into(),
        code: "31415".into(),
        text: "Your code is 31415".into(),
    }
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn started(board: &mut Switchboard, now: Duration) -> Vec<Start> {
    std::iter::from_fn(|| board.poll_start(now)).collect()
}

/// Answers every delivery as `answer` says for its provider, second after second, until all messages have
/// ended; gives the providers asked, in order.
fn run(board: &mut Switchboard, mut answer: impl FnMut(usize) -> Result<(), Failure>) -> Vec<usize> {
    let mut asked = Vec::new();
    let mut now = Duration::ZERO;
    loop {
        for start in started(board, now) {
            asked.push(start.provider);
            board.handle_outcome(start.ticket, answer(start.provider), now, 0.0);
        }
        let Some(next) = board.poll_timeout() else {
            return asked;
        };
        now = now.max(next);
    }
}

#[test]
fn whoever_refuses_or_is_down_is_passed_over_for_the_next() {
    let mut board = Switchboard::new([terms(&[], 10.0, 4), terms(&["1"], 10.0, 4), terms(&[], 10.0, 4)]);
    board
        .handle_message(message("15550000001"), Class::SignUp, secs(0))
        .unwrap();
    let asked = run(&mut board, |provider| match provider {
        1 => Err(Failure::Refused),
        0 => Err(Failure::Down),
        _ => Ok(()),
    });
    assert_eq!(asked, [1, 0, 2], "the prefix first, then the order");
    let health = board.health(secs(0));
    assert_eq!(
        (health[1].refused, health[0].failed, health[2].delivered),
        (1, 1, 1)
    );
    assert_eq!(health[0].last_failure, Some(Failure::Down));
}

#[test]
fn refused_by_all_is_not_tried_again() {
    let mut board = Switchboard::new([terms(&[], 10.0, 4), terms(&[], 10.0, 4)]);
    board
        .handle_message(message("15550000001"), Class::SignUp, secs(0))
        .unwrap();
    assert_eq!(run(&mut board, |_| Err(Failure::Refused)), [0, 1]);
    let expected = Totals {
        accepted: 1,
        refused: 1,
        ..Totals::default()
    };
    assert_eq!(board.totals(), expected);
}

#[test]
fn a_message_that_nobody_delivers_is_tried_in_rounds_and_then_lost() {
    let mut board = Switchboard::new([terms(&[], 10.0, 4), terms(&[], 10.0, 4)]);
    board
        .handle_message(message("15550000001"), Class::LogIn, secs(0))
        .unwrap();
    let asked = run(&mut board, |_| Err(Failure::Down));
    assert_eq!(asked, [0, 1].repeat(ROUNDS_MAX as usize));
    assert_eq!(board.totals().lost, 1);
}

#[test]
fn rounds_rest_longer_and_longer() {
    let mut board = Switchboard::new([terms(&[], 10.0, 4)]);
    board
        .handle_message(message("15550000001"), Class::LogIn, secs(0))
        .unwrap();
    let mut now = secs(0);
    for rest in [REST_MIN, REST_MIN * 2, REST_MIN * 4] {
        let start = board.poll_start(now).unwrap();
        board.handle_outcome(start.ticket, Err(Failure::Down), now, 0.0);
        assert_eq!(board.poll_timeout(), Some(now + rest));
        assert!(board.poll_start(now + rest - Duration::from_millis(1)).is_none());
        now += rest;
    }
    assert!(board.poll_start(now).is_some());
}

#[test]
fn a_rate_that_was_halved_grows_while_more_is_wanted_and_not_otherwise() {
    let mut board = Switchboard::new([terms(&[], 10.0, 4)]);
    let one = || message("15550000001");
    board.handle_message(one(), Class::LogIn, secs(0)).unwrap();
    let start = board.poll_start(secs(0)).unwrap();
    board.handle_outcome(start.ticket, Err(SLOWER), secs(0), 0.0);
    let again = board.poll_start(secs(1)).unwrap();
    board.handle_outcome(again.ticket, Ok(()), secs(1), 0.0);
    let mut deliver = |crowd: usize, from: u64| {
        for now in (from..from + 10).map(secs) {
            for _ in 0..crowd {
                board.handle_message(one(), Class::LogIn, now).unwrap();
            }
            for start in started(&mut board, now) {
                board.handle_outcome(start.ticket, Ok(()), now, 0.0);
            }
        }
        board.rate(None, secs(from + 10))
    };
    assert!((deliver(1, 2) - 5.0).abs() < 1e-9);
    assert!(deliver(9, 12) > 5.1);
}

#[test]
fn a_provider_that_always_says_slower_is_given_up_in_time() {
    let mut board = Switchboard::new([terms(&[], 10.0, 4)]);
    board
        .handle_message(message("15550000001"), Class::LogIn, secs(0))
        .unwrap();
    let asked = run(&mut board, |_| Err(SLOWER));
    assert_eq!(board.totals().lost, 1);
    let rate = board.health(LIFETIME)[0].rate;
    assert!(
        asked.len() < 20 && rate < 0.2,
        "{} at {rate} a second",
        asked.len()
    );
}

#[test]
fn a_circuit_that_opened_lets_one_probe_through_and_closes_on_an_answer() {
    let mut board = Switchboard::new([terms(&[], 1000.0, 100)]);
    for _ in 0..10 {
        board
            .handle_message(message("15550000001"), Class::SignUp, secs(0))
            .unwrap();
    }
    for start in started(&mut board, secs(0)).into_iter().take(DOWN_MAX as usize) {
        board.handle_outcome(start.ticket, Err(Failure::Down), secs(0), 0.0);
    }
    assert!(!board.health(secs(0))[0].healthy);
    assert!(board.rate(None, secs(0)) < f64::EPSILON);
    assert!(started(&mut board, PAUSE_MIN / 2).is_empty());
    // Those that were down rest for two seconds.
    let probes = started(&mut board, secs(3));
    assert_eq!(probes.len(), 1);
    board.handle_outcome(probes[0].ticket, Ok(()), secs(3), 0.0);
    assert!(board.health(secs(3))[0].healthy);
    assert_eq!(started(&mut board, secs(3)).len(), 2);
}

#[test]
fn somebody_is_let_in_to_find_out_whether_a_provider_is_back() {
    let mut board = Switchboard::new([terms(&[], 10.0, 4)]);
    board
        .handle_message(message("15550000001"), Class::LogIn, secs(0))
        .unwrap();
    run(&mut board, |_| Err(Failure::Down));
    assert_eq!(board.totals().lost, 1);
    let rate = board.rate(None, LIFETIME);
    assert!((rate - PROBE_RATE).abs() < 1e-9, "{rate}");
}

#[test]
fn sign_ups_fill_their_own_queue_only() {
    let mut board = Switchboard::new([terms(&["1"], 10.0, 4)]);
    let one = || message("15550000001");
    for _ in 0..QUEUE_LEN_MAX {
        board.handle_message(one(), Class::SignUp, secs(0)).unwrap();
    }
    assert_eq!(
        board.handle_message(one(), Class::SignUp, secs(0)),
        Err(Unsendable::Full)
    );
    board.handle_message(one(), Class::LogIn, secs(0)).unwrap();
    let refused = board.handle_message(message("4915550000"), Class::LogIn, secs(0));
    assert_eq!(refused, Err(Unsendable::NotServed));
    assert_eq!(board.totals().accepted, QUEUE_LEN_MAX as u64 + 1);
}

#[test]
fn the_rate_is_that_of_who_serves_the_number_and_no_more_than_the_window_allows() {
    let mut board = Switchboard::new([terms(&["1"], 10.0, 2), terms(&["49"], 20.0, 50)]);
    assert!((board.rate(None, secs(0)) - 30.0).abs() < 1e-9);
    assert!((board.rate(Some("4915550000"), secs(0)) - 20.0).abs() < 1e-9);
    board
        .handle_message(message("15550000001"), Class::LogIn, secs(0))
        .unwrap();
    let start = board.poll_start(secs(0)).unwrap();
    board.handle_outcome(start.ticket, Ok(()), secs(1), 0.0);
    // Two at once, a second each.
    assert!((board.rate(Some("15550000001"), secs(1)) - 2.0).abs() < 1e-9);
}

/// What a random provider says next, and after how long.
fn outcomes() -> impl Strategy<Value = (Result<(), Failure>, u64)> {
    let outcome = prop_oneof![
        4 => Just(Ok(())),
        1 => Just(Err(Failure::Refused)),
        2 => Just(Err(SLOWER)),
        1 => Just(Err(Failure::Slower { retry_after: Some(secs(20)) })),
        3 => Just(Err(Failure::Down)),
    ];
    (outcome, 0_u64..30_000)
}

fn boards() -> impl Strategy<Value = Vec<Terms>> {
    let countries = prop_oneof![
        Just(vec![]),
        Just(vec!["1"]),
        Just(vec!["1246", "49"]),
        Just(vec!["49"])
    ];
    let one = (countries, 0.05_f64..20.0, 1_usize..5);
    let one = one.prop_map(|(countries, rate_max, in_flight_max)| terms(&countries, rate_max, in_flight_max));
    prop::collection::vec(one, 1..4)
}

fn arrivals() -> impl Strategy<Value = Vec<(u64, &'static str, bool)>> {
    let number = prop_oneof![Just("12465550000"), Just("15550000001"), Just("4915550000")];
    prop::collection::vec((0_u64..60_000, number, any::<bool>()), 1..80)
}

/// A world: what comes, what is under way, and what has to hold at each step.
struct World {
    terms: Vec<Terms>,
    board: Switchboard,
    in_flight: Vec<(Duration, Start, Result<(), Failure>)>,
    /// Who waits and has never been tried: class, number, and when they came.
    fresh: BTreeMap<Ticket, (Class, &'static str, Duration)>,
    refused: BTreeSet<(Ticket, usize)>,
    starts: Vec<usize>,
}

impl World {
    fn new(terms: Vec<Terms>) -> Self {
        Self {
            board: Switchboard::new(terms.clone()),
            in_flight: Vec::new(),
            fresh: BTreeMap::new(),
            refused: BTreeSet::new(),
            starts: vec![0; terms.len()],
            terms,
        }
    }

    fn arrive(&mut self, number: &'static str, class: Class, now: Duration) {
        if let Ok(ticket) = self.board.handle_message(message(number), class, now) {
            self.fresh.insert(ticket, (class, number, now));
        }
    }

    fn end_all(&mut self, now: Duration, jitter: f64) {
        while let Some(index) = self.in_flight.iter().position(|(at, ..)| *at <= now) {
            let (_, start, outcome) = self.in_flight.swap_remove(index);
            if outcome == Err(Failure::Refused) {
                self.refused.insert((start.ticket, start.provider));
            }
            self.board.handle_outcome(start.ticket, outcome, now, jitter);
        }
    }

    fn start_all(&mut self, now: Duration, script: &mut impl Iterator<Item = (Result<(), Failure>, u64)>) {
        while let Some(start) = self.board.poll_start(now) {
            self.check_start(&start, now);
            let (outcome, ms) = script.next().unwrap();
            self.in_flight
                .push((now + Duration::from_millis(ms), start, outcome));
        }
        self.check_rest(now);
    }

    /// Every start keeps to what its provider serves and can take, and to precedence.
    fn check_start(&mut self, start: &Start, now: Duration) {
        let provider = start.provider;
        let terms = &self.terms[provider];
        let here = |(_, other, _): &&(_, Start, _)| other.provider == provider;
        let in_flight = self.in_flight.iter().filter(here).count();
        assert!(in_flight < terms.in_flight_max, "one more than the bound");
        assert!(
            terms.countries.matched_len(&start.message.number).is_some(),
            "not served"
        );
        assert!(
            !self.refused.contains(&(start.ticket, provider)),
            "refused before"
        );
        self.starts[provider] += 1;
        let allowed = terms.rate_max.max(RATE_MIN) * (now + BURST).as_secs_f64() + 1.0;
        assert!(self.starts[provider] as f64 <= allowed + 1e-3, "above the cap");
        let Some((class, ..)) = self.fresh.remove(&start.ticket) else {
            return;
        };
        let passed_over = self.fresh.iter().find(|(ticket, (other, number, came))| {
            let first = (*other, **ticket) < (class, start.ticket);
            first && *came + LIFETIME > now && terms.countries.matched_len(number).is_some()
        });
        assert_eq!(passed_over, None, "somebody else was first");
    }

    /// Nothing is lost from sight, and nothing more is due.
    fn check_rest(&self, now: Duration) {
        let totals = self.board.totals();
        let waiting = self.board.waiting_len(Class::LogIn) + self.board.waiting_len(Class::SignUp);
        let here = (waiting + self.in_flight.len()) as u64;
        assert_eq!(
            totals.accepted,
            totals.delivered + totals.refused + totals.lost + here
        );
        let next = self.board.poll_timeout();
        assert!(next.is_none_or(|at| at > now), "called again at once");
        for (health, terms) in self.board.health(now).iter().zip(&self.terms) {
            assert!((0.0..=terms.rate_max.max(RATE_MIN)).contains(&health.rate));
        }
    }
}

proptest! {
    #[test]
    fn whatever_happens_bounds_hold_and_every_message_ends_in_time(
        terms in boards(), mut arrivals in arrivals(),
        script in prop::collection::vec(outcomes(), 1..40), jitter in 0.0..1.0_f64,
    ) {
        arrivals.sort_unstable();
        let mut script = script.into_iter().cycle();
        let mut arrivals = arrivals.into_iter().peekable();
        let mut world = World::new(terms);
        let mut steps = 0;
        loop {
            let next_arrival = arrivals.peek().map(|(ms, ..)| Duration::from_millis(*ms));
            let next_outcome = world.in_flight.iter().map(|(at, ..)| *at).min();
            let next = [next_arrival, next_outcome, world.board.poll_timeout()];
            let Some(now) = next.into_iter().flatten().min() else { break };
            // A delivery takes 30 seconds at most here, and may start just before a message is given up.
            prop_assert!(now <= secs(60 + 30) + LIFETIME);
            while let Some((_, number, new)) = arrivals.next_if(|(ms, ..)| Duration::from_millis(*ms) <= now) {
                world.arrive(number, if new { Class::SignUp } else { Class::LogIn }, now);
            }
            world.end_all(now, jitter);
            world.start_all(now, &mut script);
            steps += 1;
            prop_assert!(steps < 20_000, "it goes round in circles");
        }
        let totals = world.board.totals();
        prop_assert_eq!(totals.accepted, totals.delivered + totals.refused + totals.lost);
    }

    #[test]
    fn log_ins_go_before_sign_ups_and_old_before_new(news in prop::collection::vec(any::<bool>(), 1..60), rate in 0.5..50.0_f64) {
        let mut board = Switchboard::new([terms(&[], rate, 1000)]);
        let mut expected = Vec::new();
        for new in news {
            let class = if new { Class::SignUp } else { Class::LogIn };
            expected.push((class, board.handle_message(message("15550000001"), class, secs(0)).unwrap()));
        }
        expected.sort_unstable();
        let mut went = Vec::new();
        let mut now = secs(0);
        loop {
            went.extend(started(&mut board, now).into_iter().map(|start| start.ticket));
            let Some(next) = board.poll_timeout() else { break };
            now = next;
        }
        let lost = usize::try_from(board.totals().lost).unwrap();
        let expected: Vec<_> = expected.into_iter().map(|(_, ticket)| ticket).collect();
        prop_assert_eq!(went.len() + lost, expected.len());
        prop_assert_eq!(&went[..], &expected[..went.len()]);
        // The cap, whatever the crowd, but for the rounding of times to nanoseconds.
        let allowed = rate * (now.as_secs_f64() + 0.1) + 1.0;
        prop_assert!(went.len() as f64 <= allowed + 1e-3);
    }
}
