use havre_sim::town::Town;
use havre_tl::{enums, functions};

#[test]
fn the_nearest_is_the_only_one() {
    let answer = Town::new(1).client().call(functions::help::GetNearestDc {});
    let enums::NearestDc::NearestDc(dc) = answer.unwrap();
    assert_eq!(dc.this_dc, dc.nearest_dc);
}
