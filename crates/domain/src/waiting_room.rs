//! The queue for login codes. Codes go out only as fast as their providers can deliver them; whoever comes
//! when others wait already is told how long it will take, and keeps the place until then and a while longer.
//!
//! The room itself is a few numbers, however many wait: everybody's ticket lies in the record of their
//! telephone number. Tickets are called at the pace of the providers, log-ins of existing people before
//! sign-ups. Because each ticket has a moment of its own, those who wait do not come back all at once.

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
    /// Where in it.
    pub ticket: u64,
    /// Until when it is kept: some time after the waiting should be over.
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

/// Share of the pace that log-ins may take when both queues are long: sign-ups never stand still.
const LOG_INS_SHARE: f64 = 0.9;
/// Tickets that may be called before anybody has them, in seconds of the pace: what an empty room lets
/// through at once. The providers' own queue evens it out.
const AHEAD_SECONDS: f64 = 2.0;
/// Longest time that a pace is counted on without anybody asking, seconds.
const STEP_MAX: i64 = 60;
/// Seconds over which the pace of a queue is averaged.
const PACE_OVER: f64 = 10.0;
/// Seconds over which it is averaged how many of those who are called come.
const SHOWN_OVER: f64 = 120.0;
/// However few of those who are called come, no more are called in place of one.
const CALLED_FOR_ONE_MAX: f64 = 4.0;
/// Waiting time that is told while no provider delivers, seconds; spread over as much again.
const STANDSTILL_WAIT: i64 = 60;
/// How long a place is kept for somebody who does not come when called, seconds; longer waits have as much
/// again.
const GRACE: i64 = 600;
/// Longest time that is told, seconds: what fits the wire.
const WAIT_MAX: f64 = 2_000_000_000.0;

/// One queue.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Queue {
    /// Tickets given out.
    issued: u64,
    /// Tickets below this are called.
    called: f64,
    /// Tickets called each second, on average while some wait.
    pace: f64,
    /// Of those called lately: how many there were, and how many came.
    called_lately: f64,
    came_lately: f64,
}

impl Queue {
    fn is_empty(&self) -> bool {
        whole(self.called) >= self.issued
    }

    /// How many are called for one who comes.
    fn called_for_one(&self) -> f64 {
        // Two imagined people who came: a few who stay away at the start say nothing yet.
        let came = self.came_lately + 2.0;
        let called = self.called_lately + 2.0;
        (called / came).clamp(1.0, CALLED_FOR_ONE_MAX)
    }

    /// Calls tickets for so many codes that may go out. Gives how many codes of these were taken.
    fn advance(&mut self, seconds: f64, codes: f64, ahead: f64) -> f64 {
        let offered = codes * self.called_for_one();
        self.pace += (offered / seconds - self.pace) * (seconds / PACE_OVER).min(1.0);
        let before = self.called;
        let most = real(self.issued) + ahead;
        self.called = (before + offered).min(most).max(before);
        let fading = (-seconds / SHOWN_OVER).exp();
        let called = real(whole(self.called).min(self.issued)) - real(whole(before).min(self.issued));
        self.called_lately = self.called_lately * fading + called;
        self.came_lately *= fading;
        if offered > 0.0 {
            codes * (self.called - before) / offered
        } else {
            0.0
        }
    }

    /// Somebody with this ticket comes: called, or seconds to wait.
    fn come(&mut self, ticket: u64, fresh: bool) -> Result<(), i64> {
        let behind = real(ticket) + 1.0 - self.called;
        if behind <= 0.0 {
            self.came_lately += 1.0;
            // Without a wait nobody had the choice to stay away.
            self.called_lately += f64::from(u8::from(fresh));
            return Ok(());
        }
        let seconds = (behind / self.pace).ceil();
        if seconds <= WAIT_MAX {
            #[expect(clippy::cast_possible_truncation, reason = "at most WAIT_MAX")]
            Err((seconds as i64).max(1))
        } else {
            Err(STANDSTILL_WAIT + (ticket % STANDSTILL_WAIT.unsigned_abs()).cast_signed())
        }
    }
}

/// The queues, and when they were last looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WaitingRoom {
    log_ins: Queue,
    sign_ups: Queue,
    at: Time,
}

impl WaitingRoom {
    /// Somebody asks for a code, perhaps with a place from before. `rate` is how many codes a second the
    /// providers deliver.
    pub fn ask(&mut self, now: Time, rate: f64, class: Class, place: Option<Place>) -> Turn {
        self.advance(now, rate);
        let queue = match class {
            Class::LogIn => &mut self.log_ins,
            Class::SignUp => &mut self.sign_ups,
        };
        let kept = place.filter(|place| place.class == class && place.until >= now);
        let ticket = kept.map_or(queue.issued, |place| place.ticket);
        queue.issued += u64::from(kept.is_none());
        let Err(seconds) = queue.come(ticket, kept.is_none()) else {
            return Turn::Now;
        };
        let back = now.plus(seconds);
        // Who asks again and again does not have the record written each time.
        let until = match kept {
            Some(place) if place.until >= back.plus(GRACE / 2) => place.until,
            _ => back.plus(seconds.max(GRACE)),
        };
        let place = Place { class, ticket, until };
        Turn::Wait { seconds, place }
    }

    /// People in the queues: with an account, without.
    #[must_use]
    pub fn waiting(&self) -> (u64, u64) {
        let of = |queue: &Queue| queue.issued.saturating_sub(whole(queue.called));
        (of(&self.log_ins), of(&self.sign_ups))
    }

    fn advance(&mut self, now: Time, rate: f64) {
        let ahead = if rate > 0.0 {
            (rate * AHEAD_SECONDS).max(1.0)
        } else {
            0.0
        };
        if self.at == Time::default() {
            self.at = now;
            for queue in [&mut self.log_ins, &mut self.sign_ups] {
                (queue.pace, queue.called) = (rate, ahead);
            }
        }
        let step = (now.0 - self.at.0).clamp(0, STEP_MAX);
        self.at = self.at.max(now);
        if step == 0 {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "at most STEP_MAX")]
        let seconds = step as f64;
        let codes = rate * seconds;
        let share = if self.sign_ups.is_empty() {
            1.0
        } else {
            LOG_INS_SHARE
        };
        let taken = self.log_ins.advance(seconds, codes * share, ahead);
        self.sign_ups.advance(seconds, codes - taken, ahead);
    }
}

/// Tickets are counted from nought: 2^53 of them come out exactly.
#[expect(clippy::cast_precision_loss, reason = "no room gives out 2^53 tickets")]
fn real(tickets: u64) -> f64 {
    tickets as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count that starts at nought and only grows"
)]
fn whole(tickets: f64) -> u64 {
    tickets as u64
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
        real(truly.count() as u64) / real(let_in.len() as u64)
    }

    #[test]
    fn nobody_waits_while_the_providers_keep_up() {
        let mut room = WaitingRoom::default();
        let let_in = run(&mut room, |_| 10.0, |_| sign_ups(9), |_| false, 600);
        assert_eq!(let_in.len(), 9 * 600);
        assert!(let_in.iter().all(|(_, _, told, _)| *told <= 1));
        assert_eq!(room.waiting(), (0, 0));
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
            assert!(count <= 20 * 12, "{count} in ten seconds from {from}");
        }
        assert!(told_truly(&let_in) > 0.99);
    }

    #[test]
    fn log_ins_come_first_and_sign_ups_still_come() {
        let mut room = WaitingRoom::default();
        let crowd = |_| [vec![Class::LogIn; 8], sign_ups(20)].concat();
        let let_in = run(&mut room, |_| 10.0, crowd, |_| false, 1000);
        let of = |class| let_in.iter().filter(move |l| l.0 == class);
        assert!(
            of(Class::LogIn).all(|(.., real)| *real <= 3),
            "the pace is enough for them"
        );
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
        let crowd = |at| sign_ups(if at < 100 { 200 } else { 0 });
        let let_in = run(&mut room, |_| 20.0, crowd, |n| n % 2 == 0, 1_000);
        let busy = let_in
            .iter()
            .filter(|(_, came, _, real)| came + real < START + 400)
            .count();
        assert!(busy > 400 * 20 * 8 / 10, "{busy} codes in 400 seconds of 20");
        assert!(busy < 400 * 20 * 12 / 10, "{busy}");
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
        assert!((90..=101).contains(&seconds), "{seconds}");
        let again = room.ask(now.plus(10), 1.0, Class::SignUp, Some(place));
        let Turn::Wait {
            seconds: rest,
            place: same,
        } = again
        else {
            panic!("still waits")
        };
        assert_eq!((same, rest), (place, seconds - 10));
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
