use havre_sim::town::Town;
use havre_tl::{enums, functions};

#[test]
fn nothing_ever_changed() {
    let anybody = Town::new(1).client();
    let ask = |from_version| {
        let answer = anybody.call(functions::langpack::GetDifference {
            lang_pack: "tdesktop".into(),
            lang_code: "en".into(),
            from_version,
        });
        let enums::LangPackDifference::LangPackDifference(difference) = answer.unwrap();
        difference
    };
    let current = ask(0).version;
    let difference = ask(current);
    assert_eq!((difference.from_version, difference.version), (current, current));
    assert_eq!(difference.strings, []);
}
