use havre_sim::town::Town;
use havre_tl::{enums, functions};

#[test]
fn a_pack_of_any_app_is_there_and_empty() {
    let answer = Town::new(1).client().call(functions::langpack::GetLangPack {
        lang_pack: "android".into(),
        lang_code: "en".into(),
    });
    let enums::LangPackDifference::LangPackDifference(pack) = answer.unwrap();
    assert_eq!((pack.lang_code.as_str(), pack.from_version), ("en", 0));
    assert!(pack.version > 0 && pack.strings.is_empty());
}
