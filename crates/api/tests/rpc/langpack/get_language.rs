use havre_api::error::RpcError;
use havre_sim::town::Town;
use havre_tl::functions;

#[test]
fn english_is_known_and_others_are_not() {
    let anybody = Town::new(1).client();
    let ask = |code: &str| {
        anybody.call(functions::langpack::GetLanguage {
            lang_pack: "macos".into(),
            lang_code: code.into(),
        })
    };
    assert!(ask("en").is_ok());
    assert_eq!(ask("tlh").unwrap_err(), RpcError::LANG_CODE_NOT_SUPPORTED);
}
