use havre_tl::functions;

use super::list::talkative;

#[test]
fn nothing_is_named_and_nothing_changes() {
    let world = talkative(1, 1);
    let before = world.me.call(functions::updates::GetState {}).unwrap();
    let answer = world.me.call(functions::messages::ReceivedMessages { max_id: 1 });
    assert_eq!(answer, Ok(vec![]));
    assert_eq!(world.me.call(functions::updates::GetState {}), Ok(before));
    assert_eq!(world.others[0].pushed(), []);
}
