//! UP-5 and its kin over random schedules: whatever happens on the way, everybody ends up with what the
//! server holds.

use havre_sim::faults::Rates;
use havre_sim::schedule::{Deed, Link, Step, World};
use proptest::prelude::*;

fn deed() -> impl Strategy<Value = Deed> {
    let n = || 0..64_usize;
    prop_oneof![
        6 => (n(), any::<u8>(), any::<bool>()).prop_map(|(to, text, reply)| Deed::Send { to, text, reply }),
        1 => Just(Deed::SendAgain),
        2 => n().prop_map(Deed::Edit),
        2 => (n(), any::<bool>()).prop_map(|(which, revoke)| Deed::Delete(which, revoke)),
        3 => (n(), n()).prop_map(|(to, which)| Deed::Read(to, which)),
        1 => (n(), any::<bool>()).prop_map(|(which, unpin)| Deed::Pin(which, unpin)),
        1 => (n(), n()).prop_map(|(which, to)| Deed::Forward(which, to)),
        1 => Just(Deed::MakeGroup),
        1 => (n(), n()).prop_map(|(group, whom)| Deed::Remove(group, whom)),
        1 => (n(), n()).prop_map(|(group, whom)| Deed::Add(group, whom)),
        1 => n().prop_map(Deed::Title),
        1 => (n(), any::<bool>()).prop_map(|(to, back)| Deed::Archive(to, back)),
        1 => (n(), any::<bool>()).prop_map(|(to, revoke)| Deed::Clear(to, revoke)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let link = prop_oneof![
        3 => Just(Link::Good),
        2 => Just(Link::Lossy),
        1 => Just(Link::Doubling),
        1 => Just(Link::Shuffling),
    ];
    (0..3_usize, 0..2_usize, deed(), link, 0..3_u8).prop_map(|(person, device, deed, link, pause)| Step {
        person,
        device,
        deed,
        link,
        pause,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn up_5_every_client_ends_in_the_servers_state(
        seed in any::<u64>(),
        steps in prop::collection::vec(step(), 1..25),
        slice in prop::option::of(1..50_i32),
    ) {
        let mut world = World::new(seed, Rates { conflict: 30, wait: 200, unavailable: 0 });
        steps.iter().for_each(|step| world.step(step));
        world.compare(slice);
    }
}
