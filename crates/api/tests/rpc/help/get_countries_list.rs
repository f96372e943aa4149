use havre_sim::town::Town;
use havre_tl::{enums, functions};

#[test]
fn countries_are_told_once_for_a_hash() {
    let anybody = Town::new(1).client();
    let ask = |hash| {
        let lang_code = "en".into();
        anybody
            .call(functions::help::GetCountriesList { lang_code, hash })
            .unwrap()
    };
    let enums::help::CountriesList::CountriesList(list) = ask(0) else {
        panic!("whoever has nothing needs everything");
    };
    assert!(list.countries.len() > 200);
    assert_eq!(
        ask(list.hash),
        enums::help::CountriesList::CountriesListNotModified
    );
}
