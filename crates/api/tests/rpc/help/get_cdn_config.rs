use havre_sim::town::Town;
use havre_tl::{enums, functions};

#[test]
fn there_is_no_other_place_for_files() {
    let answer = Town::new(1).client().call(functions::help::GetCdnConfig {});
    let enums::CdnConfig::CdnConfig(config) = answer.unwrap();
    assert_eq!(config.public_keys, []);
}
