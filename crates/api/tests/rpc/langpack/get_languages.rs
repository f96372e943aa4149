use havre_sim::town::Town;
use havre_tl::{enums, functions};

#[test]
fn english_is_offered() {
    let answer = Town::new(1).client().call(functions::langpack::GetLanguages {
        lang_pack: "weba".into(),
    });
    let languages = answer.unwrap();
    let [enums::LangPackLanguage::LangPackLanguage(english)] = languages.as_slice() else {
        panic!("one language");
    };
    assert_eq!(english.lang_code, "en");
}
