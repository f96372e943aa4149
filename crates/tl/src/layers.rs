//! The way between layers, on bytes: requests of any layer become canonical, and canonical answers and pushes become those of the
//! client's layer.
//!
//! Bytes are read into a tree by the definitions of one side and written by those of the other. A definition is found by its id when
//! reading, and by its name and the layer when writing. The schemas say the rest, but for the short tables in `bridge`.
//!
//! ```text
//! request, any layer ──read by id──► tree ──by name──► tree of 230 ──► bytes ──► functions::X::from_bytes
//! answer, 230        ──read by id──► tree ──by name──► tree of n   ──► bytes ──► client of layer n
//! ```
//!
//! Reading is bounded by [`Limits`]; nothing here panics, whatever the input. Errors of the transport (`rpc_error`) and wrappers around
//! results are not part of the API schema and do not come here.

mod bridge;
pub mod client;
mod convert;
mod tables;
#[cfg(test)]
mod tests;
mod value;

use crate::bytes::{DecodeError, Limits};
use convert::{Conversion, Unfit};
use std::borrow::Cow;
use tables::{LAYERS, Shape, by_id, by_name};
use value::TreeReader;

/// A layer that there is schema data for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Layer(i32);

/// A request in canonical form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The call as the canonical layer writes it; borrowed if it came like that. A wrapper's query stays as it came.
    pub canonical: Cow<'a, [u8]>,
    /// The id that the client called. The type of the answer hangs on it: see [`encode_result`].
    pub called_as: u32,
    /// The id of the same method in the canonical layer.
    pub method: u32,
}

/// Why something could not be written for a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The bytes are not canonical: a mistake of the caller.
    #[error("not a value of the canonical layer: {0}")]
    NotCanonical(#[from] DecodeError),
    /// No layer has a method with this id that is also in the canonical one.
    #[error("no method {0:#010x}")]
    UnknownMethod(u32),
    /// The layer has no such thing, and nothing may stand in for it. Who pushes may leave it out.
    #[error("layer {layer} has nothing for {name}")]
    Unrepresentable {
        /// The constructor or field in question.
        name: &'static str,
        /// The layer.
        layer: i32,
    },
}

/// Bounds on what the server itself wrote. A stored message has passed the bounds of requests, and stands a few levels deeper in an
/// answer; an answer may hold a whole file part.
const OWN_LIMITS: Limits = Limits {
    depth_max: 96,
    vector_len_max: 1 << 20,
    bytes_len_max: (1 << 24) - 1,
};

impl Layer {
    /// The layer of the generated types.
    pub const CANONICAL: Self = Self(crate::CANONICAL_LAYER);
    /// The oldest layer served.
    pub const FLOOR: Self = Self(152);

    /// The layer to speak with a client that announces `announced`: the nearest one not above it that there is data for. `None` below
    /// the floor.
    pub fn nearest(announced: i32) -> Option<Self> {
        LAYERS
            .iter()
            .rev()
            .find(|layer| **layer <= announced)
            .copied()
            .map(Self)
    }

    /// All layers that there is data for, oldest first.
    pub fn all() -> impl Iterator<Item = Self> {
        LAYERS.iter().copied().map(Self)
    }

    /// The number.
    pub fn number(self) -> i32 {
        self.0
    }
}

/// Reads a call of any layer, with constructors of any layer inside, and gives its canonical form.
///
/// # Errors
/// When the bytes are not one call of any layer, pass the limits, or hold what the canonical layer no longer has.
pub fn decode_request(body: &[u8], limits: Limits) -> Result<Decoded<'_>, DecodeError> {
    let mut reader = TreeReader::new(body, limits, None);
    let call = reader.call()?;
    reader.finish()?;
    let (name, called_as) = (call.definition.name, call.definition.id);
    let method = by_name(name, true, Layer::CANONICAL)
        .ok_or(DecodeError::NoCounterpart(name))?
        .id;
    let canonical = if reader.is_foreign() {
        let conversion = Conversion {
            layer: Layer::CANONICAL,
            is_strict: true,
        };
        let call = conversion
            .call(&call)
            .map_err(|Unfit(name)| DecodeError::NoCounterpart(name))?;
        let mut bytes = Vec::with_capacity(body.len());
        call.write(&mut bytes);
        Cow::Owned(bytes)
    } else {
        Cow::Borrowed(body)
    };
    Ok(Decoded {
        canonical,
        called_as,
        method,
    })
}

/// Writes the canonical answer of a method for a client of `layer` that called it as `called_as`.
///
/// # Errors
/// [`EncodeError`]; for the canonical layer only when the method is unknown or its answer had another type.
pub fn encode_result(layer: Layer, called_as: u32, canonical: &[u8]) -> Result<Cow<'_, [u8]>, EncodeError> {
    let answer = answer(layer, called_as).ok_or(EncodeError::UnknownMethod(called_as))?;
    if answer.layer == Layer::CANONICAL && answer.wanted == answer.canonical {
        return Ok(Cow::Borrowed(canonical));
    }
    let mut reader = TreeReader::new(canonical, OWN_LIMITS, Some(Layer::CANONICAL));
    let value = reader.value(answer.canonical)?;
    reader.finish()?;
    let layer = answer.layer;
    let value = lenient(layer)
        .value(&value, answer.wanted)
        .map_err(|unfit| unrepresentable(layer, unfit))?;
    let mut bytes = Vec::with_capacity(canonical.len());
    value.write(&mut bytes);
    Ok(Cow::Owned(bytes))
}

/// Writes a canonical value of any boxed type, such as `Updates`, for a client of `layer`.
///
/// # Errors
/// [`EncodeError`]; never for the canonical layer, whose bytes are passed on unread.
pub fn encode_object(layer: Layer, canonical: &[u8]) -> Result<Cow<'_, [u8]>, EncodeError> {
    if layer == Layer::CANONICAL {
        return Ok(Cow::Borrowed(canonical));
    }
    let mut reader = TreeReader::new(canonical, OWN_LIMITS, Some(Layer::CANONICAL));
    let object = reader.any_object()?;
    reader.finish()?;
    let object = lenient(layer)
        .object(&object, None)
        .map_err(|unfit| unrepresentable(layer, unfit))?;
    let mut bytes = Vec::with_capacity(canonical.len());
    object.write(&mut bytes);
    Ok(Cow::Owned(bytes))
}

/// Checks that bytes are the answer that a client of `layer` expects for `called_as`, with no constructor of any other layer.
///
/// # Errors
/// When they are not, or no layer has such a method.
pub fn check_result(layer: Layer, called_as: u32, bytes: &[u8]) -> Result<(), DecodeError> {
    let unknown = DecodeError::UnexpectedConstructor {
        id: called_as,
        expected: "method",
    };
    let answer = answer(layer, called_as).ok_or(unknown)?;
    let mut reader = TreeReader::new(bytes, OWN_LIMITS, Some(answer.layer));
    reader.value(answer.wanted)?;
    reader.finish()
}

/// Checks that bytes are a value of a boxed type by the definitions of `layer` and no other.
///
/// # Errors
/// When they are not.
pub fn check_object(layer: Layer, bytes: &[u8]) -> Result<(), DecodeError> {
    let mut reader = TreeReader::new(bytes, OWN_LIMITS, Some(layer));
    reader.any_object()?;
    reader.finish()
}

/// What the answer to a method is made of.
struct Answer {
    /// The type that the method called answers with.
    wanted: Shape,
    /// The type that the canonical layer answers with.
    canonical: Shape,
    /// The layer to write for.
    layer: Layer,
}

/// How a client of `layer` that called `called_as` is answered. A client may call a method that is newer than the layer it speaks by
/// our data, which has gaps; then the answer is of the first layer that has the method. Wrappers have no answer of their own.
fn answer(layer: Layer, called_as: u32) -> Option<Answer> {
    let methods = || by_id(called_as).filter(|one| one.is_function && one.result != Shape::Rest);
    let called = methods()
        .find(|one| one.is_valid_in(layer))
        .or_else(|| methods().next())?;
    let method = by_name(called.name, true, Layer::CANONICAL)?;
    Some(Answer {
        wanted: called.result,
        canonical: method.result,
        layer: layer.max(Layer(called.first)),
    })
}

fn lenient(layer: Layer) -> Conversion {
    Conversion {
        layer,
        is_strict: false,
    }
}

fn unrepresentable(layer: Layer, Unfit(name): Unfit) -> EncodeError {
    EncodeError::Unrepresentable { name, layer: layer.0 }
}
