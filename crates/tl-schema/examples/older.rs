//! Writes `crates/tl/schema/older.tl`: what older layers have that the canonical one has not, and since when the rest is there.
//!
//! ```text
//! cargo run -p havre-tl-schema --example older -- crates/tl/schema/canonical.tl 230 LAYERS > crates/tl/schema/older.tl
//! ```
//! `LAYERS` is a folder with a file `152.tl`, `158.tl`, ... for each older layer; `schema/README.md` says where they come from.

use havre_tl_schema::{Category, Definition, parse};
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::Path;
use std::{env, fs};

/// A definition as written, by section and name.
type Texts = BTreeMap<(bool, String), String>;

/// Some packages leave these out because every layer has them.
const IN_EVERY_LAYER: [&str; 5] = ["boolFalse", "boolTrue", "true", "error", "null"];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [canonical_path, canonical_layer, folder] = arguments.as_slice() else {
        return Err("arguments: canonical.tl, its layer, folder of older layers".into());
    };
    let canonical = texts(Path::new(canonical_path))?;
    let mut layers = BTreeMap::from([(canonical_layer.parse::<i32>()?, canonical.clone())]);
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let layer = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .ok_or("file name")?
            .parse()?;
        let mut found = texts(&path)?;
        for name in IN_EVERY_LAYER {
            let key = (false, name.to_owned());
            found
                .entry(key.clone())
                .or_insert_with(|| canonical[&key].clone());
        }
        layers.entry(layer).or_insert(found);
    }
    print(&layers, &canonical);
    Ok(())
}

fn texts(path: &Path) -> Result<Texts, Box<dyn Error>> {
    let definitions = parse(&fs::read_to_string(path)?)?;
    let key = |definition: &Definition| (definition.category == Category::Function, definition.name.clone());
    Ok(definitions
        .iter()
        .map(|definition| (key(definition), definition.to_string()))
        .collect())
}

fn print(layers: &BTreeMap<i32, Texts>, canonical: &Texts) {
    println!(
        "// Written by the example `older` of havre-tl-schema; README.md here says from what and explains the form."
    );
    let numbers: Vec<i32> = layers.keys().copied().collect();
    println!(
        "layers {}",
        numbers.iter().map(i32::to_string).collect::<Vec<_>>().join(" ")
    );
    let keys: BTreeSet<_> = layers.values().flat_map(BTreeMap::keys).collect();
    let (functions, constructors): (Vec<_>, Vec<_>) =
        keys.into_iter().partition(|(is_function, _)| *is_function);
    for (section, keys) in [("---types---", constructors), ("---functions---", functions)] {
        println!("{section}");
        for key in keys {
            let texts: Vec<_> = layers.values().map(|texts| texts.get(key)).collect();
            for (first, last, text) in ranges(&numbers, &texts) {
                print_range((first, last), text, canonical.get(key) == Some(text), &numbers);
            }
        }
    }
}

/// Runs of layers with the same text.
fn ranges<'a>(numbers: &[i32], texts: &[Option<&'a String>]) -> Vec<(i32, i32, &'a String)> {
    let mut ranges: Vec<(i32, i32, &String)> = Vec::new();
    let mut previous = None;
    for (number, text) in numbers.iter().zip(texts) {
        match (text, ranges.last_mut()) {
            (Some(text), Some(range)) if previous == Some(*text) => range.1 = *number,
            (Some(text), _) => ranges.push((*number, *number, text)),
            (None, _) => {}
        }
        previous = *text;
    }
    ranges
}

/// The canonical text is not repeated: the name and the first layer are enough, and nothing at all if that is the floor.
fn print_range((first, last): (i32, i32), text: &str, is_canonical: bool, numbers: &[i32]) {
    let whole = (numbers.first(), numbers.last());
    if !is_canonical {
        println!("{first}-{last} {text}");
    } else if whole != (Some(&first), Some(&last)) {
        println!("{first}-{last} {};", text.split(' ').next().unwrap_or_default());
    }
}
