//! The way of a tree from one layer to another: definitions and fields by name, exceptions by `bridge`.

use super::Layer;
use super::bridge::{self, ALIASES, Alias, DEFAULTS, SPLITS, STAND_INS, TWINS, WRAPPERS};
use super::tables::{Definition, Kind, Parameter, Shape, by_name};
use super::value::{Object, Value};

/// A value that the target layer cannot hold: the name of its constructor or field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unfit(pub &'static str);

type Fit<T> = Result<T, Unfit>;

/// Which way to go.
#[derive(Clone, Copy)]
pub(super) struct Conversion {
    /// The layer to arrive at.
    pub layer: Layer,
    /// Refuse what does not fit, instead of leaving it out or letting something stand in for it. For requests: a client
    /// must not be told that something was done when a part of it was not.
    pub is_strict: bool,
}

impl Conversion {
    pub fn call<'a>(self, call: &Object<'a>) -> Fit<Object<'a>> {
        let name = call.definition.name;
        self.build(by_name(name, true, self.layer).ok_or(Unfit(name))?, &[call])
    }

    /// Converts a constructor to one of the type wanted, or of any if none is named.
    pub fn object<'a>(self, object: &Object<'a>, wanted: Option<Shape>) -> Fit<Object<'a>> {
        let (definition, inner) = self
            .counterpart(object, wanted)
            .ok_or(Unfit(object.definition.name))?;
        match inner {
            Some(inner) => self.build(definition, &[object, inner]),
            None => self.build(definition, &[object]),
        }
    }

    /// Converts a value to the shape wanted.
    pub fn value<'a>(self, value: &Value<'a>, shape: Shape) -> Fit<Value<'a>> {
        match (value, shape) {
            (Value::Int(_), Shape::Int)
            | (Value::Long(_), Shape::Long)
            | (Value::Double(_), Shape::Double)
            | (Value::Bytes(_), Shape::Bytes)
            | (Value::Int256(_), Shape::Int256)
            | (Value::Bool(_), Shape::Bool)
            | (Value::Rest(_), Shape::Rest) => Ok(value.clone()),
            (Value::Int(number), Shape::Long) => Ok(Value::Long(i64::from(*number))),
            (Value::Long(number), Shape::Int) => Ok(Value::Int(saturated(*number))),
            (Value::Int(number), Shape::Double) => Ok(Value::Double(f64::from(*number))),
            (Value::Double(number), Shape::Int) => Ok(Value::Int(*number as i32)),
            (Value::Vector(elements), Shape::Vector(element)) => self.vector(elements, *element),
            (Value::Vector(elements), _) => self.value(elements.first().ok_or(Unfit("Vector"))?, shape),
            (Value::Object(object), _) => self.any_way(object, shape),
            (_, Shape::Vector(element)) => Ok(Value::Vector(vec![self.value(value, *element)?])),
            (_, Shape::Boxed(_)) => self.wrapped(value, shape),
            _ => Err(Unfit("number")),
        }
    }

    fn vector<'a>(self, elements: &[Value<'a>], shape: Shape) -> Fit<Value<'a>> {
        let fits = elements.iter().map(|element| self.value(element, shape));
        let elements = if self.is_strict {
            fits.collect::<Fit<_>>()?
        } else {
            fits.filter_map(Result::ok).collect()
        };
        Ok(Value::Vector(elements))
    }

    /// The ways for a constructor, best first: its counterpart, what it wraps, a vector of itself, a stand-in.
    fn any_way<'a>(self, object: &Object<'a>, shape: Shape) -> Fit<Value<'a>> {
        let unfit = match self.object(object, Some(shape)) {
            Ok(object) => return Ok(Value::Object(object)),
            Err(unfit) => unfit,
        };
        let name = object.definition.name;
        let wrapper = WRAPPERS.iter().find(|(constructor, _)| *constructor == name);
        if let Some(content) = wrapper.and_then(|(_, field)| object.field(field))
            && let Ok(value) = self.value(content, shape)
        {
            return Ok(value);
        }
        match shape {
            Shape::Vector(element) => Ok(Value::Vector(vec![self.any_way(object, *element)?])),
            _ if self.is_strict => Err(unfit),
            _ => self.stand_in(shape, &[object]).map(Value::Object).ok_or(unfit),
        }
    }

    fn stand_in<'a>(self, shape: Shape, sources: &[&Object<'a>]) -> Option<Object<'a>> {
        let wanted = shape.type_name()?;
        let (_, constructor) = STAND_INS.iter().find(|(type_name, _)| *type_name == wanted)?;
        self.build(by_name(constructor, false, self.layer)?, sources).ok()
    }

    /// A constructor that holds a value which used to stand by itself.
    pub fn wrapped<'a>(self, value: &Value<'a>, shape: Shape) -> Fit<Value<'a>> {
        let wrappers = WRAPPERS
            .iter()
            .filter_map(|(name, field)| Some((by_name(name, false, self.layer)?, field)));
        let (definition, field) = wrappers
            .into_iter()
            .find(|(definition, _)| definition.result == shape)
            .ok_or(Unfit("wrapper"))?;
        let fields = definition
            .parameters
            .iter()
            .map(|parameter| match parameter.kind {
                Kind::Required(shape) | Kind::Optional(_, shape) if parameter.name == *field => {
                    self.value(value, shape).map(Some)
                }
                Kind::Required(_) => self.default(definition, parameter).map(Some),
                Kind::Flags | Kind::Presence(_) | Kind::Optional(..) => Ok(None),
            });
        Ok(Value::Object(Object {
            definition,
            fields: fields.collect::<Fit<_>>()?,
        }))
    }

    /// The definition that a constructor is written by, and its part that is spread into the same definition, if any.
    fn counterpart<'o, 'a>(
        self,
        object: &'o Object<'a>,
        wanted: Option<Shape>,
    ) -> Option<(&'static Definition, Option<&'o Object<'a>>)> {
        let name = object.definition.name;
        let find = |name| {
            by_name(name, false, self.layer)
                .filter(|definition| wanted.is_none_or(|shape| definition.result == shape))
        };
        for split in SPLITS.iter().filter(|split| split.outer == name) {
            if let Some(Value::Object(inner)) = object.field(split.field)
                && inner.definition.name == split.inner
                && let Some(definition) = find(split.joint)
                && definition.parameter(split.field).is_none()
            {
                return Some((definition, Some(inner)));
            }
        }
        let joined = SPLITS
            .iter()
            .filter(|split| split.joint == name)
            .map(|split| split.outer);
        let twin = TWINS.iter().filter_map(|(one, other)| match name {
            _ if *one == name => Some(*other),
            _ if *other == name => Some(*one),
            _ => None,
        });
        [name]
            .into_iter()
            .chain(joined)
            .chain(twin)
            .find_map(find)
            .map(|definition| (definition, None))
    }

    /// Fills a definition from the fields of `sources`, of which the first is the value converted.
    pub fn build<'a>(self, definition: &'static Definition, sources: &[&Object<'a>]) -> Fit<Object<'a>> {
        let mut fields = Vec::with_capacity(definition.parameters.len());
        for (at, parameter) in definition.parameters.iter().enumerate() {
            let found = source(definition, at, sources);
            fields.push(self.field(definition, parameter, sources, found)?);
        }
        self.complete(definition, &mut fields)?;
        Ok(Object { definition, fields })
    }

    /// A field from what was `found` for it in `sources`, where it may be unset.
    fn field<'a>(
        self,
        definition: &'static Definition,
        parameter: &'static Parameter,
        sources: &[&Object<'a>],
        found: Option<&Option<Value<'a>>>,
    ) -> Fit<Option<Value<'a>>> {
        let value = found.and_then(Option::as_ref);
        let shape = match parameter.kind {
            Kind::Flags => return Ok(None),
            Kind::Presence(_) => {
                let is_set = value.is_some_and(|value| *value != Value::Bool(false));
                return Ok(is_set.then_some(Value::Bool(true)));
            }
            Kind::Optional(_, shape) | Kind::Required(shape) => shape,
        };
        let fit = match value {
            Some(value) => self.value(value, shape).or_else(|unfit| {
                let is_quiz = definition.name == "inputMediaPoll" && parameter.name == "correct_answers";
                sources
                    .first()
                    .filter(|_| is_quiz)
                    .and_then(|media| bridge::correct_answers(media))
                    .ok_or(unfit)
            }),
            None => match found
                .is_none()
                .then(|| self.gathered(definition, parameter, sources))
                .flatten()
            {
                Some(object) => object.map(Value::Object),
                None if matches!(parameter.kind, Kind::Optional(..)) => return Ok(None),
                None => self.default(definition, parameter),
            },
        };
        match parameter.kind {
            Kind::Optional(..) if !self.is_strict => Ok(fit.ok()),
            _ => fit.map(Some),
        }
    }

    /// The part of a definition that was split, from the fields of the definition that it was split from.
    fn gathered<'a>(
        self,
        definition: &Definition,
        parameter: &Parameter,
        sources: &[&Object<'a>],
    ) -> Option<Fit<Object<'a>>> {
        let joint = sources.first()?;
        let split = SPLITS.iter().find(|split| {
            split.joint == joint.definition.name
                && split.outer == definition.name
                && split.field == parameter.name
        })?;
        let inner = by_name(split.inner, false, self.layer)?;
        let mut required = inner
            .parameters
            .iter()
            .filter(|field| matches!(field.kind, Kind::Required(_)));
        required
            .all(|field| joint.field(field.name).is_some())
            .then(|| self.build(inner, sources))
    }

    /// What stands in a field that the layer requires and the source lacks.
    fn default<'a>(self, definition: &Definition, parameter: &Parameter) -> Fit<Value<'a>> {
        let listed = DEFAULTS
            .iter()
            .find(|row| (row.0, row.1) == (definition.name, parameter.name));
        match (listed, parameter.kind) {
            (Some((.., number)), _) => Ok(Value::Int(*number)),
            (None, Kind::Required(shape) | Kind::Optional(_, shape)) => {
                self.zero(shape).ok_or(Unfit(parameter.name))
            }
            (None, Kind::Flags | Kind::Presence(_)) => Err(Unfit(parameter.name)),
        }
    }

    fn zero<'a>(self, shape: Shape) -> Option<Value<'a>> {
        Some(match shape {
            Shape::Int => Value::Int(0),
            Shape::Long => Value::Long(0),
            Shape::Double => Value::Double(0.0),
            Shape::Bytes => Value::Bytes(&[]),
            Shape::Int256 => Value::Int256([0; 32]),
            Shape::Bool => Value::Bool(false),
            Shape::Vector(_) => Value::Vector(Vec::new()),
            Shape::Boxed(_) => Value::Object(self.stand_in(shape, &[])?),
            Shape::Rest => return None,
        })
    }

    /// Makes fields that share a flag all present or all absent: half of such a group cannot be written.
    fn complete<'a>(self, definition: &'static Definition, fields: &mut [Option<Value<'a>>]) -> Fit<()> {
        let parameters = definition.parameters;
        let set = parameters
            .iter()
            .zip(&*fields)
            .filter(|(_, value)| value.is_some());
        let mut flags = set
            .filter_map(|(parameter, _)| parameter.kind.flag())
            .fold(0_u64, |all, flag| all | 1 << flag);
        for (at, parameter) in parameters.iter().enumerate() {
            let Some(flag) = parameter.kind.flag().filter(|flag| flags >> flag & 1 != 0) else {
                continue;
            };
            if fields[at].is_some() {
                continue;
            }
            let missing = match parameter.kind {
                Kind::Presence(_) => Ok(Value::Bool(true)),
                _ => self.default(definition, parameter),
            };
            match missing {
                Ok(value) => fields[at] = Some(value),
                Err(unfit) if self.is_strict => return Err(unfit),
                Err(_) => {
                    flags &= !(1 << flag);
                    let group = parameters.iter().zip(&mut *fields);
                    group
                        .filter(|(other, _)| other.kind.flag() == Some(flag))
                        .for_each(|(_, value)| *value = None);
                }
            }
        }
        Ok(())
    }
}

/// Where the value of parameter `at` comes from: the field of the same name, or its alias. `None` if there is no such field at all.
fn source<'s, 'a>(
    definition: &Definition,
    at: usize,
    sources: &[&'s Object<'a>],
) -> Option<&'s Option<Value<'a>>> {
    let named = |name| sources.iter().find_map(|object| object.field_near(name, at));
    let name = definition.parameters.get(at)?.name;
    named(name).or_else(|| {
        let is_alias = |alias: &&Alias| (alias.definition, alias.field) == (definition.name, name);
        named(ALIASES.iter().find(is_alias)?.source)
    })
}

fn saturated(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(if number < 0 { i32::MIN } else { i32::MAX })
}
