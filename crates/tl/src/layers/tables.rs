//! The definitions of all layers, by id and by name.

use super::Layer;

/// A constructor or function as it is in some layers.
#[derive(Debug, PartialEq)]
pub(super) struct Definition {
    pub id: u32,
    pub name: &'static str,
    pub is_function: bool,
    /// First and last layer that it is valid in.
    pub first: i32,
    pub last: i32,
    /// What it constructs or answers.
    pub result: Shape,
    pub parameters: &'static [Parameter],
}

#[derive(Debug, PartialEq)]
pub(super) struct Parameter {
    pub name: &'static str,
    pub kind: Kind,
}

/// As in the schema; a flag is numbered over all flag words of its definition, 32 to a word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Flags,
    Presence(u8),
    Optional(u8, Shape),
    Required(Shape),
}

/// What a value looks like on the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shape {
    Int,
    Long,
    Double,
    /// `bytes` or `string`.
    Bytes,
    Int256,
    Bool,
    /// A constructor of the type with this number in `TYPES`.
    Boxed(u16),
    Vector(&'static Shape),
    /// The call inside a wrapper: all that follows, unread.
    Rest,
}

include!(concat!(env!("OUT_DIR"), "/tables.rs"));

impl Definition {
    pub fn is_valid_in(&self, layer: Layer) -> bool {
        (self.first..=self.last).contains(&layer.0)
    }

    pub fn parameter(&self, name: &str) -> Option<&'static Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }
}

impl Shape {
    /// Name of the boxed type.
    pub fn type_name(self) -> Option<&'static str> {
        match self {
            Self::Boxed(number) => TYPES.get(usize::from(number)).copied(),
            _ => None,
        }
    }
}

/// All definitions with an id, newest first. They differ in nothing but presence flags, which do not count towards the id.
pub(super) fn by_id(id: u32) -> impl Iterator<Item = &'static Definition> {
    let start = DEFINITIONS.partition_point(|definition| definition.id < id);
    DEFINITIONS[start..]
        .iter()
        .take_while(move |definition| definition.id == id)
}

/// The definition of a name in a layer.
pub(super) fn by_name(name: &str, is_function: bool, layer: Layer) -> Option<&'static Definition> {
    let key = (is_function, name);
    let at = |index: &u16| &DEFINITIONS[usize::from(*index)];
    let start = BY_NAME.partition_point(|index| (at(index).is_function, at(index).name) < key);
    let named = BY_NAME[start..].iter().map(at);
    let mut named = named.take_while(|definition| (definition.is_function, definition.name) == key);
    named.find(|definition| definition.is_valid_in(layer))
}
