mod get_difference;
mod get_lang_pack;
mod get_language;
mod get_languages;
mod get_strings;
