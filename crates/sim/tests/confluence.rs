//! UP-5 and its kin over random schedules: whatever happens on the way, everybody ends up with what the
//! server holds.
//!
//! Where each rule of update sequences is checked. A rule without a file is checked here, at every step or
//! at the end of every schedule: assertions of the simulation name their rule.
//!
//! | rule | says | where |
//! | --- | --- | --- |
//! | UP-1 | events of a box are dense | newcomers at the end |
//! | UP-2 | pts never falls | every answer and difference; qts and seq stay 0, see UP-24 and UP-26 |
//! | UP-3 | commit before push | `crashes.rs`; the real process in `crates/server/tests/kill.rs` |
//! | UP-4 | one effect, one commit | `crashes.rs`, and counts of conversations at the end |
//! | UP-5 | all clients end alike | here, each device in a layer of its own; `crashes.rs`; `pushes.rs` |
//! | UP-6 | nothing new is empty | newcomers at the end; `get_difference.rs` of the API |
//! | UP-7 | complete and in order | every difference; `get_difference.rs` |
//! | UP-8 | slices end and keep to their limit | every difference |
//! | UP-9 | folding | by UP-5; `get_difference.rs` |
//! | UP-10 | one event is repaired by one | devices with that habit; `get_difference.rs` |
//! | UP-11 | too long | devices that start again, compaction at random; `get_difference.rs` |
//! | UP-12, 13, 14 | channels | `channels.rs`, for channels with UP-5, 6, 16 and 17 |
//! | UP-15 | ids grow and are not used again | every message that comes |
//! | UP-16 | own sends are named first | every send and forward |
//! | UP-17 | a repeated send is one message | `crashes.rs`, `main_job.rs` |
//! | UP-18 | everybody is introduced | every answer, push and difference, and whenever a client names a peer |
//! | UP-19 | short forms | absent: none is ever sent, and clients here refuse them |
//! | UP-20 | pushes are in order and whole | devices that nothing was lost to; `pushes.rs` |
//! | UP-21 | read marks and counts | every read, lists at the end |
//! | UP-22 | deletes count what was there | every delete |
//! | UP-23 | edit dates grow | every new version of a message |
//! | UP-24 | qts | absent: there are no secret chats and no bots |
//! | UP-25 | changes without pts are repeated by date | devices that lost pushes only by a cut; `stories.rs` |
//! | UP-26 | seq stays 0 | every push and difference |
//! | UP-27 | the date never falls | every difference; `get_difference.rs` |
//! | UP-28 | logins hear nothing from before or after | logins that end and begin; `log_out.rs` of the API |
//! | UP-29 | migration | `settings.rs` of the channels of the API |
//! | UP-30 | privacy on every path | absent here: live and difference share `render`; `privacy.rs` of the API |
//! | UP-31 | bounded queues | links that overflow here; a log that forgets in `get_difference.rs`; that the wire's queue is bounded is for `crates/mtproto` to check |
//! | UP-32 | catching up costs what it tells | `cost.rs` |

use std::collections::BTreeMap;

use havre_sim::faults::Rates;
use havre_sim::replica::{Habits, PTS_LIMIT_SINCE};
use havre_sim::schedule::{DEVICES, Deed, Link, PEOPLE, Step, World};
use havre_tl::layers::Layer;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

fn n() -> std::ops::Range<usize> {
    0..64
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        6 => (n(), any::<u8>(), any::<bool>()).prop_map(|(to, text, reply)| Deed::Send { to, text, reply }),
        2 => Just(Deed::SendAgain),
        2 => n().prop_map(Deed::Edit),
        2 => (n(), any::<bool>()).prop_map(|(which, revoke)| Deed::Delete(which, revoke)),
        3 => (n(), n()).prop_map(|(to, which)| Deed::Read(to, which)),
        1 => (n(), any::<bool>()).prop_map(|(which, unpin)| Deed::Pin(which, unpin)),
        1 => (n(), n()).prop_map(|(which, to)| Deed::Forward(which, to)),
        1 => Just(Deed::MakeGroup),
        2 => (n(), n()).prop_map(|(group, whom)| Deed::Remove(group, whom)),
        2 => (n(), n()).prop_map(|(group, whom)| Deed::Add(group, whom)),
        1 => n().prop_map(Deed::Title),
        1 => (n(), any::<bool>()).prop_map(|(to, back)| Deed::Archive(to, back)),
        1 => (n(), any::<bool>()).prop_map(|(to, revoke)| Deed::Clear(to, revoke)),
        7 => setting(),
        1 => Just(Deed::Reconnect),
        1 => Just(Deed::LogInAnew),
        1 => (0..20_usize).prop_map(Deed::Compact),
    ]
}

fn setting() -> impl Strategy<Value = Deed> {
    prop_oneof![
        (n(), any::<u8>()).prop_map(|(to, text)| Deed::Draft(to, text)),
        (n(), any::<bool>()).prop_map(|(to, unread)| Deed::Mark(to, unread)),
        (n(), any::<bool>()).prop_map(|(to, pinned)| Deed::PinDialog(to, pinned)),
        (n(), any::<bool>()).prop_map(|(to, force)| Deed::Reorder(to, force)),
        (n(), any::<bool>()).prop_map(|(whom, back)| Deed::Block(whom, back)),
        (n(), any::<u8>()).prop_map(|(to, until)| Deed::Mute(to, until)),
        any::<u8>().prop_map(Deed::Privacy),
    ]
}

/// What connections do to pushes: they break, and then all that follows is lost, or they are too slow.
fn connection() -> impl Strategy<Value = Link> {
    prop_oneof![
        6 => Just(Link::Good),
        2 => n().prop_map(Link::Cut),
        1 => Just(Link::Overflowing),
    ]
}

/// What nothing but a defect does to pushes.
fn trouble() -> impl Strategy<Value = Link> {
    prop_oneof![
        3 => Just(Link::Good),
        2 => Just(Link::Lossy),
        1 => Just(Link::Doubling),
        1 => Just(Link::Shuffling),
    ]
}

fn steps(link: impl Strategy<Value = Link>) -> impl Strategy<Value = Vec<Step>> {
    let step =
        (0..PEOPLE, 0..DEVICES, deed(), link, 0..3_u8).prop_map(|(person, device, deed, link, pause)| Step {
            person,
            device,
            deed,
            link,
            pause,
        });
    prop::collection::vec(step, 1..25)
}

/// Habits of each device.
fn habits() -> impl Strategy<Value = Vec<Habits>> {
    let one = (
        prop::sample::select(Layer::all().collect::<Vec<_>>()),
        prop::option::of(1..50_i32),
        prop::option::weighted(0.5, 0..10_i32),
        any::<bool>(),
        1..8_i32,
    );
    let one = one.prop_map(|(layer, slice, total, repairs, page)| Habits {
        layer,
        slice,
        total,
        repairs: repairs && layer.number() >= PTS_LIMIT_SINCE,
        page,
    });
    prop::collection::vec(one, PEOPLE * DEVICES)
}

fn schedule() -> impl Strategy<Value = (u64, Vec<Step>, Vec<Habits>)> {
    let steps = prop_oneof![steps(connection()), steps(trouble())];
    (any::<u64>(), steps, habits())
}

/// Runs a schedule and compares everybody with the server.
fn run((seed, steps, habits): (u64, Vec<Step>, Vec<Habits>)) -> World {
    let rates = Rates {
        conflict: 30,
        wait: 200,
        unavailable: 0,
    };
    let mut world = World::new(seed, rates);
    world.adopt(&habits);
    steps.iter().for_each(|step| world.step(step));
    world.compare();
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn up_5_every_client_ends_in_the_servers_state(schedule in schedule()) {
        run(schedule);
    }
}

/// Schedules in which something never succeeds would prove nothing about it.
#[test]
fn everything_happens_in_schedules() {
    let mut runner = TestRunner::deterministic();
    let mut done: BTreeMap<&str, usize> = BTreeMap::new();
    let mut tally = [0; 3];
    for _ in 0..150 {
        let schedule = schedule().new_tree(&mut runner).expect("nothing is rejected");
        let world = run(schedule.current());
        for (sum, one) in tally.iter_mut().zip(world.tally()) {
            *sum += one;
        }
        for (deed, times) in world.done {
            *done.entry(deed).or_default() += times;
        }
    }
    assert_eq!(done.len(), 23, "{done:?}");
    assert!(done.values().all(|times| *times >= 5), "{done:?}");
    assert!(tally.iter().all(|devices| *devices >= 10), "{tally:?}");
}
