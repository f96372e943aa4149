use havre_sim::town::Town;
use havre_tl::{enums, functions};

#[test]
fn hash_0_always_gets_the_whole_and_its_hash_nothing_new() {
    let anybody = Town::new(1).client();
    let ask = |hash| anybody.call(functions::help::GetAppConfig { hash }).unwrap();
    let enums::help::AppConfig::AppConfig(config) = ask(0) else {
        panic!("whoever has nothing needs everything");
    };
    assert_ne!(config.hash, 0);
    assert_eq!(ask(config.hash), enums::help::AppConfig::AppConfigNotModified);
    let enums::JSONValue::JsonObject(object) = config.config else {
        panic!("an object");
    };
    let passkeys = object.value.iter().find_map(|entry| {
        let enums::JSONObjectValue::JsonObjectValue(entry) = entry;
        (entry.key == "settings_display_passkeys").then_some(&entry.value)
    });
    assert!(
        matches!(passkeys, Some(enums::JSONValue::JsonBool(shown)) if !shown.value),
        "nobody has any without a domain"
    );
    let prefixes = object.value.iter().find_map(|entry| {
        let enums::JSONObjectValue::JsonObjectValue(entry) = entry;
        (entry.key == "fragment_prefixes").then_some(&entry.value)
    });
    assert!(matches!(prefixes, Some(enums::JSONValue::JsonArray(_))));
}
