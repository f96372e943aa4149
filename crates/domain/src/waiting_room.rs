//! The queue for login codes. Codes go out only as fast as their providers can deliver them; whoever comes
//! when others wait already is given an appointment, is told how long it is until then, and keeps it for a
//! while longer.
//!
//! The room itself is a few numbers, however many wait: everybody's appointment lies in the record of their
//! telephone number. Because each has a moment of its own, those who wait do not come back all at once. What
//! people were told cannot be taken back, so nobody is called earlier when others stay away; what that leaves
//! goes to whoever happens to ask. Log-ins of existing people come before sign-ups.

use serde::{Deserialize, Serialize};

use crate::ids::Time;

/// Why somebody wants a code; each kind has a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Class {
    /// The number has an account.
    LogIn,
    /// It has none.
    SignUp,
}

/// Somebody's place, kept with their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// In which queue.
    pub class: Class,
    /// When to come.
    pub at: Time,
    /// Came in time once, and there was no code: goes before those who come for the first time.
    pub late: bool,
    /// Until when the place is kept.
    pub until: Time,
}

/// What somebody who asks for a code is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The code goes out now; the place is used up.
    Now,
    /// Come back in so many seconds, with this place.
    Wait {
        /// At least 1.
        seconds: i64,
        /// To keep with the number.
        place: Place,
    },
}

/// Share of the codes that appointments of log-ins may take: sign-ups never stand still.
const LOG_INS_SHARE: f64 = 0.9;
/// Share of the codes left by log-ins that appointments of sign-ups take: log-ins become more at times.
const SIGN_UPS_SHARE: f64 = 0.95;
/// Codes that may be saved up, in seconds of the rate: what an empty room lets through at once. The providers'
/// own queue evens it out.
const SAVED_SECONDS: f64 = 4.0;
/// Least part of the saved codes that is left to log-ins.
const RESERVE: f64 = 0.1;
/// When so large a part is saved up, people stay away whose turn it is: whoever asks gets one.
const IDLE: f64 = 0.6;
/// Seconds over which the codes for log-ins are averaged.
const LOG_INS_OVER: f64 = 10.0;
/// Waiting time that is told while no provider delivers, seconds; spread over as much again.
const STANDSTILL_WAIT: i64 = 60;
/// How long a place is kept for somebody who does not come when told, seconds; longer waits have as much again.
const GRACE: i64 = 600;
/// Longest time that is told, seconds: what fits the wire.
const WAIT_MAX: f64 = 2_000_000_000.0;

/// The next free moments of one queue, seconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Book {
    /// For who comes for the first time.
    next: f64,
    /// For who came in time and got nothing.
    late: f64,
}

/// The queues, and the codes that may go out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WaitingRoom {
    log_ins: Book,
    sign_ups: Book,
    /// Codes that could go out at once.
    saved: f64,
    /// Codes for log-ins: those since `at`, and how many a second before.
    for_log_ins: f64,
    log_ins_rate: f64,
    /// How many a second the providers delivered when somebody asked last.
    rate: f64,
    at: Time,
    /// How many asked while no provider delivered.
    at_standstill: u32,
}

impl WaitingRoom {
    /// Somebody asks for a code, perhaps with a place from before. `rate` is how many codes a second the
    /// providers deliver.
    pub fn ask(&mut self, now: Time, rate: f64, class: Class, place: Option<Place>) -> Turn {
        self.advance(now, rate);
        let kept = place.filter(|place| place.class == class && place.until >= now);
        if self.may_go(now, class, kept) {
            self.saved -= 1.0;
            self.for_log_ins += f64::from(u8::from(class == Class::LogIn));
            return Turn::Now;
        }
        match kept {
            Some(place) if place.at > now => Turn::Wait {
                seconds: place.at.0 - now.0,
                place,
            },
            kept => self.appoint(now, class, kept.is_some()),
        }
    }

    /// People in the queues, about: with an account, without.
    #[must_use]
    pub fn waiting(&self, now: Time) -> (u64, u64) {
        let of = |class| {
            let seconds = (self.book(class).next - real(now)).max(0.0);
            whole(seconds * self.rate_of(class))
        };
        (of(Class::LogIn), of(Class::SignUp))
    }

    fn book(&self, class: Class) -> Book {
        match class {
            Class::LogIn => self.log_ins,
            Class::SignUp => self.sign_ups,
        }
    }

    /// Appointments a second.
    fn rate_of(&self, class: Class) -> f64 {
        match class {
            Class::LogIn => self.rate * LOG_INS_SHARE,
            Class::SignUp => {
                let left = (self.rate - self.log_ins_rate) * SIGN_UPS_SHARE;
                left.max(self.rate * (1.0 - LOG_INS_SHARE))
            }
        }
    }

    fn most_saved(&self) -> f64 {
        if self.rate > 0.0 {
            (self.rate * SAVED_SECONDS).max(2.0)
        } else {
            0.0
        }
    }

    fn advance(&mut self, now: Time, rate: f64) {
        self.rate = rate;
        if self.at == Time::default() {
            (self.at, self.saved) = (now, self.most_saved());
        }
        let seconds = (real(now) - real(self.at)).max(0.0);
        self.saved = (self.saved + rate * seconds).min(self.most_saved());
        if seconds > 0.0 {
            let lately = self.for_log_ins / seconds;
            self.log_ins_rate += (lately - self.log_ins_rate) * (seconds / LOG_INS_OVER).min(1.0);
            (self.for_log_ins, self.at) = (0.0, now);
        }
    }

    fn may_go(&self, now: Time, class: Class, kept: Option<Place>) -> bool {
        let most = self.most_saved();
        let reserve = match class {
            Class::LogIn => 0.0,
            // Those of the next seconds, so that it does not matter who asks first within one.
            Class::SignUp => (self.log_ins_rate * 2.0).clamp(most * RESERVE, most * IDLE),
        };
        let is_idle = self.saved >= (most * IDLE).max(reserve + 1.0) && self.rate > 0.0;
        match kept {
            // Before those who come for the first time.
            Some(place) if place.late && place.at <= now => self.saved > reserve,
            Some(place) if place.at <= now => self.saved - reserve >= 1.0,
            Some(_) => is_idle,
            None if self.book(class).next <= real(now) => self.saved - reserve >= 1.0,
            None => is_idle,
        }
    }

    fn appoint(&mut self, now: Time, class: Class, late: bool) -> Turn {
        let rate = self.rate_of(class);
        let book = match class {
            Class::LogIn => &mut self.log_ins,
            Class::SignUp => &mut self.sign_ups,
        };
        let seconds = if rate > 0.0 {
            let next = if late { &mut book.late } else { &mut book.next };
            *next = next.max(real(now)) + 1.0 / rate;
            let wait = (*next - real(now)).ceil().clamp(1.0, WAIT_MAX);
            // Newcomers stand behind those who are late.
            book.next = book.next.max(book.late);
            whole(wait).cast_signed()
        } else {
            self.at_standstill = self.at_standstill.wrapping_add(1);
            STANDSTILL_WAIT + i64::from(self.at_standstill) % STANDSTILL_WAIT
        };
        let at = now.plus(seconds);
        let until = at.plus(seconds.max(GRACE));
        let place = Place {
            class,
            at,
            late,
            until,
        };
        Turn::Wait { seconds, place }
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 have 31 bits")]
fn real(time: Time) -> f64 {
    time.0 as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates, and nothing that is counted here is negative"
)]
fn whole(count: f64) -> u64 {
    count as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_000_000;

    /// What became of somebody.
    struct Guest {
        class: Class,
        came: i64,
        told: Option<i64>,
        place: Option<Place>,
        back: i64,
    }

    /// Lets people come, and come back when they were told to (a share of them never); gives when each was
    /// let in, with what they were told first.
    fn run(
        room: &mut WaitingRoom,
        rate: impl Fn(i64) -> f64,
        arrivals: impl Fn(i64) -> Vec<Class>,
        stays_away: impl Fn(usize) -> bool,
        seconds: i64,
    ) -> Vec<(Class, i64, i64, i64)> {
        let (mut outside, mut let_in, mut count) = (Vec::<Guest>::new(), Vec::new(), 0);
        for now in START..START + seconds {
            for class in arrivals(now - START) {
                outside.push(Guest {
                    class,
                    came: now,
                    told: None,
                    place: None,
                    back: now,
                });
            }
            outside.retain_mut(|guest| {
                if guest.back > now {
                    return true;
                }
                match room.ask(Time(now), rate(now - START), guest.class, guest.place) {
                    Turn::Now => {
                        let_in.push((guest.class, guest.came, guest.told.unwrap_or(0), now - guest.came));
                        false
                    }
                    Turn::Wait { seconds, place } => {
                        guest.told.get_or_insert(seconds);
                        (guest.place, guest.back) = (Some(place), now + seconds);
                        count += 1;
                        !stays_away(count)
                    }
                }
            });
        }
        let_in
    }

    fn sign_ups(n: usize) -> Vec<Class> {
        vec![Class::SignUp; n]
    }

    /// Share of those let in whose waiting time was told within a fifth (or two seconds).
    fn told_truly(let_in: &[(Class, i64, i64, i64)]) -> f64 {
        let truly = let_in
            .iter()
            .filter(|(_, _, told, real)| (told - real).abs() <= (real / 5).max(2));
        truly.count() as f64 / let_in.len() as f64
    }

    #[test]
    fn nobody_waits_while_the_providers_keep_up() {
        let mut room = WaitingRoom::default();
        let let_in = run(&mut room, |_| 10.0, |_| sign_ups(9), |_| false, 600);
        assert_eq!(let_in.len(), 9 * 600);
        assert!(let_in.iter().all(|(_, _, told, _)| *told <= 1));
        assert_eq!(room.waiting(Time(START + 600)), (0, 0));
    }

    #[test]
    fn a_crowd_is_let_in_at_the_pace_and_told_the_truth() {
        let mut room = WaitingRoom::default();
        let crowd = |at| sign_ups(if at < 60 { 200 } else { 0 });
        let let_in = run(&mut room, |_| 20.0, crowd, |_| false, 700);
        assert_eq!(let_in.len(), 12_000, "all of them, in the end");
        for from in (0..560).step_by(10) {
            let came =
                |(_, came, _, real): &&(_, i64, _, i64)| (from..from + 10).contains(&(came + real - START));
            let count = let_in.iter().filter(came).count();
            assert!(count <= 20 * 14, "{count} in ten seconds from {from}");
        }
        assert!(told_truly(&let_in) > 0.99);
    }

    #[test]
    fn log_ins_come_first_and_sign_ups_still_come() {
        let mut room = WaitingRoom::default();
        let crowd = |_| [vec![Class::LogIn; 8], sign_ups(20)].concat();
        let let_in = run(&mut room, |_| 10.0, crowd, |_| false, 1000);
        let of = |class| let_in.iter().filter(move |l| l.0 == class);
        let longest = of(Class::LogIn).map(|(.., real)| *real).max();
        assert!(longest <= Some(30), "the pace is enough for them: {longest:?}");
        let sign_ups = of(Class::SignUp).count();
        assert!((1_800..2_200).contains(&sign_ups), "{sign_ups} of what is left");
        let mut room = WaitingRoom::default();
        let let_in = run(
            &mut room,
            |_| 10.0,
            |_| [vec![Class::LogIn; 50], self::sign_ups(50)].concat(),
            |_| false,
            1000,
        );
        let sign_ups = let_in.iter().filter(|l| l.0 == Class::SignUp).count();
        assert!((900..1_200).contains(&sign_ups), "{sign_ups}: a tenth at least");
    }

    #[test]
    fn those_who_stay_away_do_not_leave_the_providers_idle() {
        let mut room = WaitingRoom::default();
        let let_in = run(&mut room, |_| 20.0, |_| sign_ups(50), |n| n % 2 == 0, 2_000);
        let when = |(_, came, _, real): &(_, i64, _, i64)| came + real - START;
        let busy = let_in
            .iter()
            .filter(|l| (1_000..2_000).contains(&when(l)))
            .count();
        assert!(busy > 1_000 * 20 * 9 / 10, "{busy} codes in 1000 seconds of 20");
        assert!(busy < 1_000 * 20 * 12 / 10, "{busy}");
    }

    #[test]
    fn a_place_is_kept_and_an_early_question_does_not_change_it() {
        let mut room = WaitingRoom::default();
        let now = Time(START);
        let mut turn = Turn::Now;
        for _ in 0..100 {
            turn = room.ask(now, 1.0, Class::SignUp, None);
        }
        let Turn::Wait { seconds, place } = turn else {
            panic!("the hundredth waits")
        };
        assert!((90..=105).contains(&seconds), "{seconds}");
        let again = room.ask(now, 1.0, Class::SignUp, Some(place));
        let Turn::Wait {
            seconds: rest,
            place: same,
        } = again
        else {
            panic!("still waits")
        };
        assert_eq!((same, rest), (place, seconds));
        assert_eq!(
            room.ask(now.plus(seconds), 1.0, Class::SignUp, Some(place)),
            Turn::Now
        );
        let late = place.until.plus(1);
        for _ in 0..100 {
            room.ask(late, 1.0, Class::SignUp, None);
        }
        assert!(
            matches!(room.ask(late, 1.0, Class::SignUp, Some(place)), Turn::Wait { place, .. } if place != same),
            "who comes too late begins anew"
        );
    }

    #[test]
    fn while_nobody_delivers_places_are_kept_and_returns_spread() {
        let mut room = WaitingRoom::default();
        let crowd = |at| sign_ups(if at == 0 { 1000 } else { 0 });
        let let_in = run(&mut room, |_| 0.0, crowd, |_| false, 300);
        assert_eq!(let_in.len(), 0);
        let mut at_once = std::collections::BTreeMap::new();
        for _ in 0..600 {
            if let Turn::Wait { seconds, .. } = room.ask(Time(START + 300), 0.0, Class::SignUp, None) {
                *at_once.entry(seconds).or_insert(0) += 1;
            }
        }
        assert_eq!(at_once.len(), 60);
        assert!(at_once.values().all(|n| *n == 10));
    }

    #[test]
    fn a_room_goes_on_where_it_was() {
        let mut room = WaitingRoom::default();
        for _ in 0..50 {
            room.ask(Time(START), 1.0, Class::SignUp, None);
        }
        let kept = postcard::to_allocvec(&room).expect("numbers");
        assert_eq!(postcard::from_bytes::<WaitingRoom>(&kept), Ok(room));
    }
}
