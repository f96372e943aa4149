//! The definitions of all layers as static tables.

use havre_tl_schema::{Category, Definition, Kind, Type, parse, parse_definition};
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write;

/// Flags of all words of a definition are held in 64 bits when they are read.
const FLAG_WORDS_MAX: usize = 2;

type Failure = Box<dyn Error>;

/// A definition and the layers that it is valid in, both ends included.
struct Valid {
    definition: Definition,
    first: i32,
    last: i32,
}

/// What `older.tl` says.
#[derive(Default)]
struct Older {
    layers: Vec<i32>,
    definitions: Vec<Valid>,
    /// Layers of canonical definitions that some older layer lacks. A few went away and came back.
    ranges: BTreeMap<(bool, String), Vec<(i32, i32)>>,
}

/// The text of the tables module.
pub fn tables(canonical: &str, older: &str) -> Result<String, Failure> {
    let mut older = read_older(older)?;
    let whole = older
        .layers
        .first()
        .zip(older.layers.last())
        .ok_or("older.tl names no layers")?;
    let whole = (*whole.0, *whole.1);
    for definition in parse(canonical)? {
        let key = (is_function(&definition), definition.name.clone());
        for (first, last) in older.ranges.remove(&key).unwrap_or_else(|| vec![whole]) {
            older.definitions.push(Valid {
                definition: definition.clone(),
                first,
                last,
            });
        }
    }
    // Newest first among those with the same id, so that the first one found knows every flag.
    older
        .definitions
        .sort_by_key(|valid| (valid.definition.id, -valid.last));
    write(&older)
}

fn read_older(text: &str) -> Result<Older, Failure> {
    let mut older = Older::default();
    let mut category = Category::Constructor;
    for line in text.lines().filter(|line| !line.starts_with("//")) {
        if let Some(numbers) = line.strip_prefix("layers ") {
            older.layers = numbers.split(' ').map(str::parse).collect::<Result<_, _>>()?;
            continue;
        }
        match line {
            "---types---" => category = Category::Constructor,
            "---functions---" => category = Category::Function,
            _ => read_range(line, category, &mut older)
                .map_err(|error| format!("older.tl: {line}: {error}"))?,
        }
    }
    Ok(older)
}

fn read_range(line: &str, category: Category, older: &mut Older) -> Result<(), Failure> {
    let (range, text) = line.split_once(' ').ok_or("no range")?;
    let (first, last) = range.split_once('-').ok_or("no range")?;
    let (first, last) = (first.parse()?, last.parse()?);
    if text.contains(' ') {
        let definition = parse_definition(text, category)?;
        older.definitions.push(Valid {
            definition,
            first,
            last,
        });
    } else {
        let name = text.split('#').next().unwrap_or_default().to_owned();
        let key = (category == Category::Function, name);
        older.ranges.entry(key).or_default().push((first, last));
    }
    Ok(())
}

fn is_function(definition: &Definition) -> bool {
    definition.category == Category::Function
}

fn write(older: &Older) -> Result<String, Failure> {
    let types: BTreeSet<&str> = older
        .definitions
        .iter()
        .flat_map(|valid| mentioned(&valid.definition))
        .collect();
    let types: Vec<&str> = types.into_iter().collect();
    let mut text = format!(
        "pub(super) static LAYERS: [i32; {}] = {:?};\n",
        older.layers.len(),
        older.layers
    );
    let _ = writeln!(
        text,
        "pub(super) static TYPES: [&str; {}] = {types:?};",
        types.len()
    );
    let _ = writeln!(
        text,
        "pub(super) static DEFINITIONS: [Definition; {}] = [",
        older.definitions.len()
    );
    for valid in &older.definitions {
        write_definition(&mut text, valid, &types)?;
    }
    text += "];\n";
    let mut by_name: Vec<usize> = (0..older.definitions.len()).collect();
    by_name.sort_by_key(|at| {
        let definition = &older.definitions[*at].definition;
        (is_function(definition), &definition.name)
    });
    let _ = writeln!(
        text,
        "pub(super) static BY_NAME: [u16; {}] = {by_name:?};",
        by_name.len()
    );
    Ok(text)
}

/// Names of the boxed types of a definition.
fn mentioned(definition: &Definition) -> impl Iterator<Item = &str> {
    let values = definition
        .parameters
        .iter()
        .filter_map(|parameter| parameter.value_type());
    values
        .chain([&definition.result])
        .filter_map(|value| match value.innermost() {
            Type::Named(name) if built_in(name).is_none() => Some(name.as_str()),
            _ => None,
        })
}

fn write_definition(text: &mut String, valid: &Valid, types: &[&str]) -> Result<(), Failure> {
    let Valid {
        definition,
        first,
        last,
    } = valid;
    let mut words = Vec::new();
    let _ = write!(
        text,
        "Definition {{ id: {:#x}, name: {:?}, is_function: {}, first: {first}, last: {last}, result: {}, parameters: &[",
        definition.id,
        definition.name,
        is_function(definition),
        shape(&definition.result, types)?,
    );
    for parameter in &definition.parameters {
        let kind = match &parameter.kind {
            Kind::Flags if words.len() == FLAG_WORDS_MAX => return Err("too many flag words".into()),
            Kind::Flags => {
                words.push(parameter.name.as_str());
                "Kind::Flags".to_owned()
            }
            Kind::Presence(flag) => format!("Kind::Presence({})", bit(&words, &flag.word, flag.bit)?),
            Kind::Optional(flag, value) => {
                format!(
                    "Kind::Optional({}, {})",
                    bit(&words, &flag.word, flag.bit)?,
                    shape(value, types)?
                )
            }
            Kind::Required(value) => format!("Kind::Required({})", shape(value, types)?),
        };
        let _ = write!(text, "Parameter {{ name: {:?}, kind: {kind} }},", parameter.name);
    }
    *text += "] },\n";
    Ok(())
}

/// Number of a flag over all the flag words of a definition, in their order.
fn bit(words: &[&str], word: &str, bit: u8) -> Result<usize, Failure> {
    let word = words
        .iter()
        .position(|name| *name == word)
        .ok_or(format!("no flag word {word}"))?;
    Ok(word * 32 + usize::from(bit))
}

fn shape(value: &Type, types: &[&str]) -> Result<String, Failure> {
    Ok(match value {
        Type::Variable(_) => "Shape::Rest".to_owned(),
        Type::Vector { boxed: true, element } => format!("Shape::Vector(&{})", shape(element, types)?),
        Type::Vector { boxed: false, .. } => {
            return Err("bare vectors are not expected in an API schema".into());
        }
        Type::Named(name) => match built_in(name) {
            Some(shape) => format!("Shape::{shape}"),
            None => format!(
                "Shape::Boxed({})",
                types.binary_search(&name.as_str()).map_err(|_| "type")?
            ),
        },
    })
}

fn built_in(name: &str) -> Option<&'static str> {
    Some(match name {
        "int" => "Int",
        "long" => "Long",
        "double" => "Double",
        "string" | "bytes" => "Bytes",
        "int256" => "Int256",
        "Bool" => "Bool",
        _ => return None,
    })
}
