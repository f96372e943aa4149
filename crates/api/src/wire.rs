//! Layers: what clients of other layers send becomes the canonical layer's, and the other way.

use std::borrow::Cow;

use crate::error::RpcError;

/// The oldest layer served.
const LAYER_FLOOR: i32 = 152;

/// A call in the canonical layer.
pub struct Request<'a> {
    /// Its bytes.
    pub body: Cow<'a, [u8]>,
    /// The method.
    pub method: u32,
    /// The id of the definition that it was called by; decides the form of the result.
    pub called_as: u32,
}

/// Why something cannot be said in a layer.
#[derive(Debug, thiserror::Error)]
#[error("layer {0}")]
pub struct CannotEncode(i32);

/// Reads a call of any layer.
#[must_use]
pub fn decode(body: &[u8]) -> Option<Request<'_>> {
    let method = u32::from_le_bytes(body.get(..4)?.try_into().ok()?);
    Some(Request {
        body: Cow::Borrowed(body),
        method,
        called_as: method,
    })
}

/// Writes a push in a layer.
///
/// # Errors
/// [`CannotEncode`].
pub fn encode(layer: i32, canonical: &[u8]) -> Result<Vec<u8>, CannotEncode> {
    encode_result(layer, 0, canonical.to_vec())
}

/// Writes the result of a call in a layer.
///
/// # Errors
/// [`CannotEncode`].
pub fn encode_result(layer: i32, _called_as: u32, canonical: Vec<u8>) -> Result<Vec<u8>, CannotEncode> {
    if layer <= 0 {
        return Err(CannotEncode(layer));
    }
    Ok(canonical)
}

/// The layer that is spoken with who announces `layer`.
///
/// # Errors
/// `400 CONNECTION_LAYER_INVALID` for nonsense, `406 UPDATE_APP_TO_LOGIN` below the floor.
pub fn served_layer(layer: i32) -> Result<i32, RpcError> {
    match layer {
        ..1 => Err(RpcError::CONNECTION_LAYER_INVALID),
        1..LAYER_FLOOR => Err(RpcError::UPDATE_APP_TO_LOGIN),
        _ => Ok(layer.min(havre_tl::CANONICAL_LAYER)),
    }
}
