use havre_sim::town::Town;
use havre_tl::{enums, functions};

#[test]
fn there_is_nothing_to_accept() {
    let client = Town::new(1).client();
    let answer = client.call(functions::help::GetTermsOfServiceUpdate {}).unwrap();
    assert!(matches!(
        answer,
        enums::help::TermsOfServiceUpdate::TermsOfServiceUpdateEmpty(_)
    ));
}
