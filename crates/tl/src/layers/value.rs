//! Values of any layer as trees, read from bytes and written to bytes.

use super::Layer;
use super::tables::{Definition, Kind, Parameter, Shape, by_id};
use crate::bytes::{DecodeError, Limits, Reader, Serialize, VECTOR_ID};

/// A value of the wire.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Int(i32),
    Long(i64),
    Double(f64),
    Bytes(&'a [u8]),
    Int256([u8; 32]),
    Bool(bool),
    Vector(Vec<Value<'a>>),
    Object(Object<'a>),
    /// A call that is not looked into.
    Rest(&'a [u8]),
}

/// A constructor or call with its fields.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Object<'a> {
    pub definition: &'static Definition,
    /// One for each parameter; `None` for flag words and where the flag is not set.
    pub fields: Vec<Option<Value<'a>>>,
}

impl<'a> Object<'a> {
    /// The value of a field, if there is such a field and it is set.
    pub fn field(&self, name: &str) -> Option<&Value<'a>> {
        self.field_near(name, 0)?.as_ref()
    }

    /// A field that is expected at or after place `near`, since definitions of different layers keep the order of their fields. Without
    /// this hint a message costs a thousand comparisons of names.
    pub fn field_near(&self, name: &str, near: usize) -> Option<&Option<Value<'a>>> {
        let parameters = self.definition.parameters;
        let (before, from) = parameters.split_at(near.min(parameters.len()));
        let has_name = |parameter: &Parameter| parameter.name == name;
        let after = from.iter().position(has_name).map(|at| before.len() + at);
        self.fields
            .get(after.or_else(|| before.iter().position(has_name))?)
    }

    pub fn write(&self, out: &mut Vec<u8>) {
        self.definition.id.serialize(out);
        for (at, (parameter, value)) in self.definition.parameters.iter().zip(&self.fields).enumerate() {
            match (parameter.kind, value) {
                (Kind::Flags, _) => self.flag_word(at).serialize(out),
                (Kind::Optional(..) | Kind::Required(_), Some(value)) => value.write(out),
                (Kind::Presence(_) | Kind::Optional(..) | Kind::Required(_), _) => {}
            }
        }
    }

    /// The flag word that stands at parameter `at`, from the fields that are set.
    fn flag_word(&self, at: usize) -> u32 {
        let parameters = self.definition.parameters;
        let earlier = parameters[..at]
            .iter()
            .filter(|parameter| parameter.kind == Kind::Flags)
            .count();
        let set = parameters
            .iter()
            .zip(&self.fields)
            .filter(|(_, value)| value.is_some());
        set.filter_map(|(parameter, _)| parameter.kind.flag())
            .filter(|flag| usize::from(flag / 32) == earlier)
            .fold(0, |word, flag| word | 1 << (flag % 32))
    }
}

impl Kind {
    /// The flag that a field depends on.
    pub fn flag(self) -> Option<u8> {
        match self {
            Self::Presence(flag) | Self::Optional(flag, _) => Some(flag),
            Self::Flags | Self::Required(_) => None,
        }
    }
}

impl Value<'_> {
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Int(value) => value.serialize(out),
            Self::Long(value) => value.serialize(out),
            Self::Double(value) => value.serialize(out),
            Self::Bytes(value) => value.serialize(out),
            Self::Int256(value) => value.serialize(out),
            Self::Bool(value) => value.serialize(out),
            Self::Vector(elements) => {
                VECTOR_ID.serialize(out);
                (elements.len() as u32).serialize(out);
                elements.iter().for_each(|element| element.write(out));
            }
            Self::Object(object) => object.write(out),
            Self::Rest(rest) => out.extend_from_slice(rest),
        }
    }
}

/// Reads trees.
pub(super) struct TreeReader<'a> {
    reader: Reader<'a>,
    /// Constructors must be valid in this layer; in any if there is none.
    layer: Option<Layer>,
    /// Whether something was read that the canonical layer does not know in this form.
    is_foreign: bool,
}

impl<'a> TreeReader<'a> {
    pub fn new(bytes: &'a [u8], limits: Limits, layer: Option<Layer>) -> Self {
        Self {
            reader: Reader::with_limits(bytes, limits),
            layer,
            is_foreign: false,
        }
    }

    pub fn is_foreign(&self) -> bool {
        self.is_foreign
    }

    /// Reads a call.
    pub fn call(&mut self) -> Result<Object<'a>, DecodeError> {
        self.object("method", |definition| definition.is_function)
    }

    /// Reads a constructor of any type.
    pub fn any_object(&mut self) -> Result<Object<'a>, DecodeError> {
        self.object("type", |definition| !definition.is_function)
    }

    pub fn value(&mut self, shape: Shape) -> Result<Value<'a>, DecodeError> {
        Ok(match shape {
            Shape::Int => Value::Int(self.reader.read()?),
            Shape::Long => Value::Long(self.reader.read()?),
            Shape::Double => Value::Double(self.reader.read()?),
            Shape::Bytes => Value::Bytes(self.reader.string()?),
            Shape::Int256 => Value::Int256(self.reader.read()?),
            Shape::Bool => Value::Bool(self.reader.read()?),
            Shape::Boxed(_) => {
                let is_wanted =
                    |definition: &Definition| !definition.is_function && definition.result == shape;
                Value::Object(self.object(shape.type_name().unwrap_or_default(), is_wanted)?)
            }
            Shape::Vector(element) => self.vector(*element)?,
            Shape::Rest => Value::Rest(self.reader.take_rest()),
        })
    }

    /// Checks that everything has been read.
    pub fn finish(&self) -> Result<(), DecodeError> {
        self.reader.finish()
    }

    fn object(
        &mut self,
        expected: &'static str,
        is_wanted: impl Fn(&Definition) -> bool,
    ) -> Result<Object<'a>, DecodeError> {
        let id = self.reader.read()?;
        let layer = self.layer;
        let mut known = by_id(id).filter(|definition| is_wanted(definition));
        let definition = known
            .find(|definition| layer.is_none_or(|layer| definition.is_valid_in(layer)))
            .ok_or(DecodeError::UnexpectedConstructor { id, expected })?;
        self.is_foreign |= !definition.is_valid_in(Layer::CANONICAL);
        self.reader.enter()?;
        let fields = self.fields(definition)?;
        self.reader.leave();
        Ok(Object { definition, fields })
    }

    fn fields(&mut self, definition: &'static Definition) -> Result<Vec<Option<Value<'a>>>, DecodeError> {
        let mut flags = 0_u64;
        let mut words = 0;
        let mut fields = Vec::with_capacity(definition.parameters.len());
        for parameter in definition.parameters {
            let is_set = |flag: u8| flags >> flag & 1 != 0;
            fields.push(match parameter.kind {
                Kind::Flags => {
                    flags |= u64::from(self.reader.read::<u32>()?) << words;
                    words += 32;
                    None
                }
                Kind::Presence(flag) => is_set(flag).then_some(Value::Bool(true)),
                Kind::Optional(flag, shape) if is_set(flag) => Some(self.value(shape)?),
                Kind::Optional(..) => None,
                Kind::Required(shape) => Some(self.value(shape)?),
            });
        }
        Ok(fields)
    }

    fn vector(&mut self, element: Shape) -> Result<Value<'a>, DecodeError> {
        self.reader.expect_id(VECTOR_ID, "Vector")?;
        let len = self.reader.vector_len()?;
        let elements = (0..len).map(|_| self.value(element));
        Ok(Value::Vector(elements.collect::<Result<_, _>>()?))
    }
}
