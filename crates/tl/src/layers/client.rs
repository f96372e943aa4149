//! The other end of the way, for clients in tests: a canonical call becomes one of an older layer, and what the server answers and
//! pushes in that layer becomes canonical again. Reading is by the definitions of the layer alone, so that whatever the layer lacks
//! is an error.

use super::bridge::SPLITS;
use super::convert::{Conversion, Unfit};
use super::tables::by_name;
use super::value::{Object, TreeReader, Value};
use super::{EncodeError, Layer, OWN_LIMITS, answer, unrepresentable};
use crate::bytes::DecodeError;

/// Writes a canonical call as a client of `layer` does.
///
/// # Errors
/// [`EncodeError`] when the layer has no such method, or no place for something in the call.
pub fn encode_request(layer: Layer, canonical: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let mut reader = TreeReader::new(canonical, OWN_LIMITS, Some(Layer::CANONICAL));
    let call = reader.call()?;
    reader.finish()?;
    let strict = Conversion {
        layer,
        is_strict: true,
    };
    let name = call.definition.name;
    let definition = by_name(name, true, layer).ok_or_else(|| unrepresentable(layer, Unfit(name)))?;
    let sources: Vec<&Object<'_>> = std::iter::once(&call).chain(spread(&call, layer)).collect();
    let call = strict
        .build(definition, &sources)
        .map_err(|unfit| unrepresentable(layer, unfit))?;
    let mut bytes = Vec::with_capacity(canonical.len());
    call.write(&mut bytes);
    Ok(bytes)
}

/// The part of a call whose fields are the call's own in `layer`.
fn spread<'o, 'a>(call: &'o Object<'a>, layer: Layer) -> Option<&'o Object<'a>> {
    let name = call.definition.name;
    let split = SPLITS.iter().find(|split| split.joint == name)?;
    let has_part = by_name(name, true, layer)?.parameter(split.field).is_some();
    match call.field(split.field) {
        Some(Value::Object(part)) if !has_part && part.definition.name == split.inner => Some(part),
        _ => None,
    }
}

/// Reads the answer that a client of `layer` got to a method that it called as `called_as`, and gives the canonical one.
///
/// # Errors
/// When the bytes are not that answer by the definitions of the layer, or the canonical layer has no counterpart of something in it.
pub fn decode_result(layer: Layer, called_as: u32, bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let answer = answer(layer, called_as).ok_or(DecodeError::UnexpectedConstructor {
        id: called_as,
        expected: "method",
    })?;
    let mut reader = TreeReader::new(bytes, OWN_LIMITS, Some(answer.layer));
    let value = reader.value(answer.wanted)?;
    reader.finish()?;
    let value = LIFT
        .value(&value, answer.canonical)
        .or_else(|unfit| LIFT.wrapped(&value, answer.canonical).map_err(|_| unfit));
    Ok(written(&value.map_err(no_counterpart)?))
}

/// Reads a push, or another value of a boxed type, that a client of `layer` got, and gives the canonical one.
///
/// # Errors
/// As for [`decode_result`].
pub fn decode_object(layer: Layer, bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut reader = TreeReader::new(bytes, OWN_LIMITS, Some(layer));
    let object = reader.any_object()?;
    reader.finish()?;
    let object = LIFT.object(&object, None);
    Ok(written(&Value::Object(object.map_err(no_counterpart)?)))
}

const LIFT: Conversion = Conversion {
    layer: Layer::CANONICAL,
    is_strict: true,
};

fn no_counterpart(Unfit(name): Unfit) -> DecodeError {
    DecodeError::NoCounterpart(name)
}

fn written(value: &Value<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.write(&mut bytes);
    bytes
}
