use havre_sim::town::Town;
use havre_tl::{enums, functions, types};

#[test]
fn every_key_asked_for_is_answered() {
    let answer = Town::new(1).client().call(functions::langpack::GetStrings {
        lang_pack: "ios".into(),
        lang_code: "en".into(),
        keys: vec!["Login.Title".into()],
    });
    let key = "Login.Title".into();
    let deleted = enums::LangPackString::from(types::LangPackStringDeleted { key });
    assert_eq!(answer.unwrap(), [deleted]);
}
