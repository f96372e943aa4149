//! The text of the generated modules.

use crate::names;
use crate::schema::Schema;
use havre_tl_schema::{Definition, Flag, Kind, Parameter, Type};
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;

/// Items by namespace; the empty one is the root.
type Modules<'a> = BTreeMap<&'a str, String>;

const IMPORTS: &str = "#[allow(unused_imports)]\nuse crate::bytes::{bare_vector, boxed, optional, DecodeError, Deserialize, Identifiable, Reader, RemoteCall, Serialize};\n";

/// Value of a flag word that no field depends on: some constructors keep one for the future.
const NO_FLAGS: &str = "0";

/// A struct for each constructor with fields.
pub fn types(schema: &Schema) -> String {
    let mut modules = Modules::new();
    for (owner, constructors) in &schema.types {
        for constructor in constructors
            .iter()
            .filter(|constructor| !constructor.parameters.is_empty())
        {
            let out = modules
                .entry(constructor.namespace().unwrap_or_default())
                .or_default();
            structure(out, schema, constructor, Some(owner));
        }
    }
    joined(&modules)
}

/// An enum for each type.
pub fn enums(schema: &Schema) -> Result<String, Box<dyn Error>> {
    let defaults = schema.defaults()?;
    let mut modules = Modules::new();
    for (name, constructors) in &schema.types {
        let namespace = name.rsplit_once('.').map_or("", |(namespace, _)| namespace);
        let out = modules.entry(namespace).or_default();
        enumeration(out, name, constructors, defaults[name.as_str()]);
    }
    Ok(joined(&modules))
}

/// A struct for each method.
pub fn functions(schema: &Schema) -> String {
    let mut modules = Modules::new();
    for function in &schema.functions {
        let out = modules
            .entry(function.namespace().unwrap_or_default())
            .or_default();
        structure(out, schema, function, None);
    }
    let mut text = joined(&modules);
    check(&mut text, schema);
    text
}

/// A function that tells by its id which method to read bytes as.
fn check(out: &mut String, schema: &Schema) {
    *out += "/// Whether bytes are a call of a method served, which is what fuzzing and tests ask.\n///\n";
    *out += "/// # Errors\n/// As [`Deserialize::from_bytes`] of the method.\n";
    *out += "pub fn check(bytes: &[u8]) -> Result<(), DecodeError> {\nmatch Reader::new(bytes).read::<u32>()? {\n";
    for function in &schema.functions {
        let path = names::path("functions", &function.name);
        let _ = writeln!(out, "{:#x} => {path}::from_bytes(bytes).map(drop),", function.id);
    }
    *out += "id => Err(DecodeError::UnexpectedConstructor { id, expected: \"method\" }),\n}\n}\n";
}

fn joined(modules: &Modules<'_>) -> String {
    let mut text = String::from(IMPORTS);
    for (namespace, items) in modules {
        if namespace.is_empty() {
            text += items;
        } else {
            let _ = write!(
                text,
                "/// Namespace `{namespace}`.\npub mod {namespace} {{\n{IMPORTS}{items}}}\n"
            );
        }
    }
    text
}

/// A struct with everything that it implements. `owner` is the type that it constructs; a method has none and writes its own id.
fn structure(out: &mut String, schema: &Schema, definition: &Definition, owner: Option<&str>) {
    let name = names::item(&definition.name);
    let fields = || {
        definition
            .parameters
            .iter()
            .filter(|parameter| parameter.kind != Kind::Flags)
    };
    let is_unit = fields().next().is_none();
    let _ = write!(
        out,
        "/// `{}#{:08x}`\n#[derive(Clone, Debug, Default, PartialEq)]\npub struct {name}",
        definition.name, definition.id
    );
    if is_unit {
        *out += ";\n";
    } else {
        *out += " {";
        for field in fields() {
            let _ = write!(
                out,
                "pub {}: {},",
                names::field(&field.name),
                field_type(schema, field, owner)
            );
        }
        *out += "}\n";
    }
    identity(out, &name, definition);
    serialize(out, &name, definition, owner.is_none());
    deserialize(out, &name, definition, owner.is_none());
    if owner.is_none() && definition.generics.is_empty() {
        let answer = value_type(&definition.result);
        let _ = writeln!(out, "impl RemoteCall for {name} {{ type Return = {answer}; }}");
    }
}

fn identity(out: &mut String, name: &str, definition: &Definition) {
    let _ = writeln!(
        out,
        "impl Identifiable for {name} {{ const CONSTRUCTOR_ID: u32 = {:#x}; const NAME: &'static str = {:?}; }}",
        definition.id, definition.name
    );
}

fn serialize(out: &mut String, name: &str, definition: &Definition, with_id: bool) {
    let mut body = String::new();
    if with_id {
        body += "Self::CONSTRUCTOR_ID.serialize(out);";
    }
    for parameter in &definition.parameters {
        let field = names::field(&parameter.name);
        let _ = match &parameter.kind {
            Kind::Flags => {
                let word = &parameter.name;
                write!(
                    body,
                    "let {word}: u32 = {}; {word}.serialize(out);",
                    flag_word(definition, word)
                )
            }
            Kind::Presence(_) => Ok(()),
            Kind::Optional(Flag { word, bit }, _) => {
                write!(body, "optional(&self.{field}, {word}, {bit}, out);")
            }
            Kind::Required(Type::Variable(_)) => write!(body, "out.extend_from_slice(&self.{field});"),
            Kind::Required(Type::Vector { boxed: false, .. }) => {
                write!(body, "bare_vector(&self.{field}, out);")
            }
            Kind::Required(_) => write!(body, "self.{field}.serialize(out);"),
        };
    }
    let out_name = if body.is_empty() { "_" } else { "out" };
    let _ = writeln!(
        out,
        "impl Serialize for {name} {{ fn serialize(&self, {out_name}: &mut Vec<u8>) {{ {body} }} }}"
    );
}

/// The value of a flag word, from all the fields that depend on it.
fn flag_word(definition: &Definition, word: &str) -> String {
    let mut terms = Vec::new();
    for parameter in &definition.parameters {
        let field = names::field(&parameter.name);
        let (flag, is_set) = match &parameter.kind {
            Kind::Presence(flag) => (flag, format!("self.{field}")),
            Kind::Optional(flag, _) => (flag, format!("self.{field}.is_some()")),
            Kind::Flags | Kind::Required(_) => continue,
        };
        if flag.word == word {
            terms.push(format!("if {is_set} {{ {:#x} }} else {{ 0 }}", 1_u32 << flag.bit));
        }
    }
    if terms.is_empty() {
        NO_FLAGS.to_owned()
    } else {
        terms.join(" | ")
    }
}

fn deserialize(out: &mut String, name: &str, definition: &Definition, with_id: bool) {
    let mut body = String::new();
    if with_id {
        body += "reader.expect_id(Self::CONSTRUCTOR_ID, Self::NAME)?;";
    }
    // A flag word is read at its place among the fields, so those before it are read into variables first.
    let flags_end = definition
        .parameters
        .iter()
        .rposition(|parameter| parameter.kind == Kind::Flags)
        .map_or(0, |at| at + 1);
    let mut fields = String::new();
    for (at, parameter) in definition.parameters.iter().enumerate() {
        let (field, read) = (names::field(&parameter.name), read(parameter));
        let _ = match parameter.kind {
            Kind::Flags if flag_word(definition, &parameter.name) == NO_FLAGS => {
                write!(body, "reader.read::<u32>()?;")
            }
            Kind::Flags => write!(body, "let {}: u32 = {read};", parameter.name),
            _ if at < flags_end => write!(fields, "{field}: before_{},", parameter.name)
                .and_then(|()| write!(body, "let before_{} = {read};", parameter.name)),
            _ => write!(fields, "{field}: {read},"),
        };
    }
    let reader = if body.is_empty() && fields.is_empty() {
        "_"
    } else {
        "reader"
    };
    let _ = writeln!(
        out,
        "impl Deserialize for {name} {{ fn deserialize({reader}: &mut Reader<'_>) -> Result<Self, DecodeError> {{ {body} Ok(Self {{ {fields} }}) }} }}"
    );
}

fn read(parameter: &Parameter) -> String {
    match &parameter.kind {
        Kind::Flags => "reader.read()?".to_owned(),
        Kind::Presence(Flag { word, bit }) => format!("{word} & {:#x} != 0", 1_u32 << bit),
        Kind::Optional(Flag { word, bit }, _) => format!("reader.optional({word}, {bit})?"),
        Kind::Required(Type::Variable(_)) => "reader.take_rest().to_vec()".to_owned(),
        Kind::Required(Type::Vector { boxed: false, .. }) => "reader.bare_vector()?".to_owned(),
        Kind::Required(_) => "reader.read()?".to_owned(),
    }
}

fn field_type(schema: &Schema, parameter: &Parameter, owner: Option<&str>) -> String {
    let boxed_if_recursive = |value: &Type| match (value, owner) {
        (Type::Named(inner), Some(owner)) if schema.is_recursive(owner, inner) => {
            format!("Box<{}>", value_type(value))
        }
        _ => value_type(value),
    };
    match &parameter.kind {
        Kind::Flags => "u32".to_owned(),
        Kind::Presence(_) => "bool".to_owned(),
        Kind::Optional(_, value) => format!("Option<{}>", boxed_if_recursive(value)),
        Kind::Required(value) => boxed_if_recursive(value),
    }
}

fn value_type(value: &Type) -> String {
    match value {
        Type::Named(name) => match name.as_str() {
            "int" => "i32".to_owned(),
            "long" => "i64".to_owned(),
            "double" => "f64".to_owned(),
            "string" => "String".to_owned(),
            "bytes" => "Vec<u8>".to_owned(),
            "int128" => "[u8; 16]".to_owned(),
            "int256" => "[u8; 32]".to_owned(),
            "Bool" => "bool".to_owned(),
            _ => names::path("enums", name),
        },
        Type::Vector { element, .. } => format!("Vec<{}>", value_type(element)),
        // The wrapped call: whatever follows, unread.
        Type::Variable(_) => "Vec<u8>".to_owned(),
    }
}

fn enumeration(out: &mut String, name: &str, constructors: &[Definition], default: &Definition) {
    let item = names::item(name);
    let (mut variants, mut writes, mut reads, mut froms) = Default::default();
    for constructor in constructors {
        variant(
            constructor,
            &item,
            [&mut variants, &mut writes, &mut reads, &mut froms],
        );
    }
    let default = match default.parameters.is_empty() {
        true => names::item(&default.name),
        false => format!("{}(Default::default())", names::item(&default.name)),
    };
    let _ = writeln!(
        out,
        "/// `{name}`\n#[derive(Clone, Debug, PartialEq)]\npub enum {item} {{ {variants} }}
impl Default for {item} {{ fn default() -> Self {{ Self::{default} }} }}
impl Serialize for {item} {{ fn serialize(&self, out: &mut Vec<u8>) {{ match self {{ {writes} }} }} }}
impl Deserialize for {item} {{ fn deserialize(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {{
match reader.read::<u32>()? {{ {reads} id => Err(DecodeError::UnexpectedConstructor {{ id, expected: {name:?} }}) }} }} }}
{froms}"
    );
}

/// Adds a constructor to the parts of its enum: variants, arms that write, arms that read, conversions.
fn variant(constructor: &Definition, owner: &str, [variants, writes, reads, froms]: [&mut String; 4]) {
    let (name, id) = (names::item(&constructor.name), constructor.id);
    let _ = if constructor.parameters.is_empty() {
        write!(variants, "{name},")
            .and_then(|()| write!(writes, "Self::{name} => {id:#x}u32.serialize(out),"))
            .and_then(|()| write!(reads, "{id:#x} => Ok(Self::{name}),"))
    } else {
        let fields = names::path("types", &constructor.name);
        write!(variants, "{name}({fields}),")
            .and_then(|()| write!(writes, "Self::{name}(fields) => boxed(fields, out),"))
            .and_then(|()| write!(reads, "{id:#x} => reader.variant::<{fields}, Self>(),"))
            .and_then(|()| {
                writeln!(froms, "impl From<{fields}> for {owner} {{ fn from(fields: {fields}) -> Self {{ Self::{name}(fields) }} }}")
            })
    };
}
