//! `langpack.*`: one language, English, with nothing of ours in it.
pub mod get_difference;
pub mod get_lang_pack;
pub mod get_language;
pub mod get_languages;
pub mod get_strings;

use havre_tl::types;

/// The version of every language pack.
const VERSION: i32 = 1;

/// The one language there is.
fn english() -> types::LangPackLanguage {
    types::LangPackLanguage {
        official: true,
        name: "English".into(),
        native_name: "English".into(),
        lang_code: "en".into(),
        plural_code: "en".into(),
        ..types::LangPackLanguage::default()
    }
}
