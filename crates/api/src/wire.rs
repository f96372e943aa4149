//! Layers: what clients of other layers send becomes the canonical layer's, and the other way.

use std::borrow::Cow;

use havre_tl::layers::{self, EncodeError, Layer};
use havre_tl::{DecodeError, Limits};

use crate::error::RpcError;

/// A call in the canonical layer.
pub struct Request<'a> {
    /// Its bytes.
    pub body: Cow<'a, [u8]>,
    /// The method.
    pub method: u32,
    /// The id of the definition that it was called by; decides the form of the result.
    pub called_as: u32,
}

/// Reads a call of any layer.
///
/// # Errors
/// `400 INPUT_METHOD_INVALID` for a method that no layer has, `400 INPUT_REQUEST_INVALID` for what cannot
/// be read.
pub fn decode(body: &[u8]) -> Result<Request<'_>, RpcError> {
    let method = body.first_chunk::<4>().map(|id| u32::from_le_bytes(*id));
    let decoded = layers::decode_request(body, Limits::default()).map_err(|error| match error {
        DecodeError::NoCounterpart(_) => RpcError::INPUT_METHOD_INVALID,
        DecodeError::UnexpectedConstructor { id, .. } if Some(id) == method => RpcError::INPUT_METHOD_INVALID,
        _ => RpcError::INPUT_REQUEST_INVALID,
    })?;
    Ok(Request {
        body: decoded.canonical,
        method: decoded.method,
        called_as: decoded.called_as,
    })
}

/// Writes a push in a layer.
///
/// # Errors
/// [`EncodeError`] for what the layer cannot say.
pub fn encode(layer: i32, canonical: &[u8]) -> Result<Vec<u8>, EncodeError> {
    layers::encode_object(nearest(layer), canonical).map(Cow::into_owned)
}

/// Writes the result of a call in a layer.
///
/// # Errors
/// [`EncodeError`] for what the layer cannot say.
pub fn encode_result(layer: i32, called_as: u32, canonical: &[u8]) -> Result<Vec<u8>, EncodeError> {
    layers::encode_result(nearest(layer), called_as, canonical).map(Cow::into_owned)
}

fn nearest(layer: i32) -> Layer {
    Layer::nearest(layer).unwrap_or(Layer::FLOOR)
}

/// The layer that is spoken with who announces `layer`.
///
/// # Errors
/// `400 CONNECTION_LAYER_INVALID` for nonsense, `406 UPDATE_APP_TO_LOGIN` below the floor.
pub fn served_layer(layer: i32) -> Result<i32, RpcError> {
    match Layer::nearest(layer) {
        _ if layer <= 0 => Err(RpcError::CONNECTION_LAYER_INVALID),
        None => Err(RpcError::UPDATE_APP_TO_LOGIN),
        Some(layer) => Ok(layer.number()),
    }
}
