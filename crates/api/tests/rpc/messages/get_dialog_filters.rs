use havre_sim::town::Town;
use havre_tl::{enums, functions};

#[test]
fn there_is_the_folder_of_everything() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let answer = alice.call(functions::messages::GetDialogFilters {}).unwrap();
    let enums::messages::DialogFilters::DialogFilters(told) = answer;
    assert_eq!(told.filters, [enums::DialogFilter::DialogFilterDefault]);
    assert!(!told.tags_enabled);
}
