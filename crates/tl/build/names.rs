//! Names of the schema as names of Rust.

/// Words that Rust keeps for itself and that are fields in the schema.
const KEYWORDS: [&str; 10] = [
    "type", "final", "static", "ref", "move", "async", "where", "match", "loop", "try",
];

/// Name of a field. A few carry capitals in the schema, such as `srp_B`.
pub fn field(name: &str) -> String {
    match name {
        // Not allowed even as `r#self`.
        "self" => "is_self".to_owned(),
        _ if KEYWORDS.contains(&name) => format!("r#{name}"),
        _ => name.to_ascii_lowercase(),
    }
}

/// Last part of a name, in camel case.
pub fn item(name: &str) -> String {
    let own = name.rsplit_once('.').map_or(name, |(_, own)| own);
    let mut item = String::with_capacity(own.len());
    for word in own.split('_') {
        let mut letters = word.chars();
        item.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        item.extend(letters);
    }
    item
}

/// Path of a generated item, `crate::types::messages::Dialogs`.
pub fn path(module: &str, name: &str) -> String {
    match name.rsplit_once('.') {
        Some((namespace, _)) => format!("crate::{module}::{namespace}::{}", item(name)),
        None => format!("crate::{module}::{}", item(name)),
    }
}
