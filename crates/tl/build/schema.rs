//! What is served, and what it reaches.

use havre_tl_schema::{Category, Definition, Kind, Type};
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

/// Types with a Rust counterpart of their own. They need no definition.
const BUILT_IN: [&str; 10] = [
    "int", "long", "double", "string", "bytes", "int128", "int256", "Bool", "true", "#",
];

/// The part of the schema that code is written for.
pub struct Schema {
    /// Methods served, by name.
    pub functions: Vec<Definition>,
    /// Constructors of every type reached, by the name of the type, in the order of the schema.
    pub types: BTreeMap<String, Vec<Definition>>,
    /// Types that each type can contain without a vector between.
    inline: BTreeMap<String, BTreeSet<String>>,
}

impl Schema {
    /// Keeps what `served` names and everything reached from there.
    pub fn served(canonical: Vec<Definition>, served: &str) -> Result<Self, Box<dyn Error>> {
        let mut methods = BTreeMap::new();
        let mut constructors: BTreeMap<String, Vec<Definition>> = BTreeMap::new();
        for definition in canonical {
            match (definition.category, &definition.result) {
                (Category::Function, _) => drop(methods.insert(definition.name.clone(), definition)),
                (_, Type::Named(name)) => constructors.entry(name.clone()).or_default().push(definition),
                _ => return Err(format!("{} constructs no named type", definition.name).into()),
            }
        }
        let mut functions = Vec::new();
        let mut wanted = Vec::new();
        for line in served
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            if let Some(name) = line.strip_prefix("type ") {
                wanted.push(name.to_owned());
                continue;
            }
            let method = methods
                .remove(line)
                .ok_or(format!("served.txt: no method {line}, or named twice"))?;
            wanted.extend(mentioned(&method));
            functions.push(method);
        }
        let types = close(wanted, &mut constructors)?;
        let inline = types
            .iter()
            .map(|(name, all)| (name.clone(), inline(all)))
            .collect();
        Ok(Self {
            functions,
            types,
            inline,
        })
    }

    /// Whether a field of type `inner` in a constructor of `outer` would make `outer` contain itself.
    pub fn is_recursive(&self, outer: &str, inner: &str) -> bool {
        let mut seen = BTreeSet::new();
        let mut wanted = vec![inner];
        while let Some(name) = wanted.pop() {
            if name == outer {
                return true;
            }
            if seen.insert(name) {
                wanted.extend(self.inline.get(name).into_iter().flatten().map(String::as_str));
            }
        }
        false
    }

    /// For each type the constructor that is its default: the first one that can be built without a value of its own type.
    pub fn defaults(&self) -> Result<BTreeMap<&str, &Definition>, Box<dyn Error>> {
        let mut chosen = BTreeMap::new();
        for name in self.types.keys() {
            if !self.choose_default(name, &mut BTreeSet::new(), &mut chosen) {
                return Err(format!("{name} has no finite default").into());
            }
        }
        Ok(chosen)
    }

    /// Chooses for a type and for what its default needs; `open` holds the types that wait for this choice.
    fn choose_default<'a>(
        &'a self,
        name: &'a str,
        open: &mut BTreeSet<&'a str>,
        chosen: &mut BTreeMap<&'a str, &'a Definition>,
    ) -> bool {
        if chosen.contains_key(name) {
            return true;
        }
        if !open.insert(name) {
            return false;
        }
        let default = self.types[name].iter().find(|constructor| {
            required(constructor)
                .filter(|needed| self.types.contains_key(*needed))
                .all(|needed| self.choose_default(needed, open, chosen))
        });
        open.remove(name);
        default
            .map(|constructor| chosen.insert(name, constructor))
            .is_some()
    }
}

/// Follows mentions from `wanted` on, moving the constructors of every type met.
fn close(
    mut wanted: Vec<String>,
    constructors: &mut BTreeMap<String, Vec<Definition>>,
) -> Result<BTreeMap<String, Vec<Definition>>, Box<dyn Error>> {
    let mut types = BTreeMap::new();
    while let Some(name) = wanted.pop() {
        if BUILT_IN.contains(&name.as_str()) || types.contains_key(&name) {
            continue;
        }
        let all = constructors
            .remove(&name)
            .ok_or(format!("type {name} has no constructor"))?;
        wanted.extend(all.iter().flat_map(mentioned));
        types.insert(name, all);
    }
    Ok(types)
}

/// Names of the types that a definition mentions.
fn mentioned(definition: &Definition) -> Vec<String> {
    let values = definition
        .parameters
        .iter()
        .filter_map(|parameter| parameter.value_type());
    values
        .chain([&definition.result])
        .filter_map(|value| named(value.innermost()))
        .map(str::to_owned)
        .collect()
}

/// Names of the types that constructors hold outside of vectors.
fn inline(constructors: &[Definition]) -> BTreeSet<String> {
    let parameters = constructors
        .iter()
        .flat_map(|constructor| &constructor.parameters);
    parameters
        .filter_map(|parameter| parameter.value_type())
        .filter_map(named)
        .map(str::to_owned)
        .collect()
}

/// Names of the types without which a constructor cannot be built.
fn required(constructor: &Definition) -> impl Iterator<Item = &str> {
    constructor
        .parameters
        .iter()
        .filter_map(|parameter| match &parameter.kind {
            Kind::Required(value) => named(value),
            _ => None,
        })
}

fn named(value: &Type) -> Option<&str> {
    match value {
        Type::Named(name) => Some(name),
        Type::Vector { .. } | Type::Variable(_) => None,
    }
}
