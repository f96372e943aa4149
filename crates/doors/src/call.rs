//! Bytes of TL: the language alone, and calls to a whole server in memory.

use havre_api::error::RpcError;
use havre_sim::Town;
use havre_tl::Limits;
use havre_tl::layers::{Layer, check_object, decode_request, encode_object};

/// A call of any layer. What can be read can be written, and reads as the same again.
///
/// # Panics
/// When it does not.
pub fn language(input: &[u8]) {
    if let Ok(decoded) = decode_request(input, Limits::default()) {
        let again = decode_request(&decoded.canonical, Limits::default());
        let again = again.expect("the canonical form is a call");
        assert_eq!(again.canonical, decoded.canonical);
        assert_eq!(again.method, decoded.method);
    }
    if check_object(Layer::CANONICAL, input).is_ok() {
        for layer in Layer::all() {
            if let Ok(said) = encode_object(layer, input) {
                check_object(layer, &said).expect("only what the layer knows is said");
            }
        }
    }
}

/// A call of somebody who is logged in.
///
/// # Panics
/// When the server finds a defect of its own in it.
pub fn call(input: &[u8]) {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let _bob = town.person("79990000002", "Bob");
    if let Err(RpcError { code, text }) = alice.call_raw(input.to_vec()) {
        assert_ne!(code, 500, "{text}");
        assert!(
            text.bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_'),
            "{text}"
        );
    }
    town.env().settle();
    drop(alice.pushed());
}
