//! TL: types of the canonical layer and the layer transcoder. Knows no transport, no rules.
//!
//! The types are generated when the crate is built, from `schema/canonical.tl`, for the methods in `schema/served.txt` and everything
//! that they reach:
//!
//! - [`types`]: one struct for each constructor that has fields, `types::messages::DialogsSlice`. Written without constructor id.
//! - [`enums`]: one enum for each type, `enums::messages::Dialogs::DialogsSlice(types::messages::DialogsSlice)`. Constructors without
//!   fields are unit variants. Written with constructor id, as the wire wants it wherever a type is named.
//! - [`functions`]: one struct for each method, `functions::messages::SendMessage`. Written with constructor id.
//!
//! A field that depends on a flag is an `Option`, or a `bool` if the flag is all there is; fields that share a flag are written
//! together, with the default value for those that are `None`. A field called `self` is `is_self` here, and other words that Rust
//! keeps for itself are written `r#type`. Everything has a default: the first constructor of a type that does not contain the type.

mod bytes;
pub mod layers;

pub use bytes::{
    BYTES_LEN_MAX, DEPTH_MAX, DecodeError, Deserialize, Identifiable, Limits, Reader, RemoteCall, Serialize,
    VECTOR_LEN_MAX,
};

/// The layer of the generated types.
pub const CANONICAL_LAYER: i32 = 230;

/// Constructors that have fields, one struct each.
// The schema says no more about a field than its name, so a doc comment could only repeat it.
#[allow(missing_docs)]
// A constructor with many presence flags is a struct with many `bool`s.
#[allow(clippy::struct_excessive_bools)]
pub mod types {
    include!(concat!(env!("OUT_DIR"), "/types.rs"));
}

/// Types, one enum each.
// As for `types`; names and sizes of variants are those of the schema, and all defaults are written in one form.
#[allow(
    missing_docs,
    clippy::enum_variant_names,
    clippy::large_enum_variant,
    clippy::derivable_impls
)]
pub mod enums {
    include!(concat!(env!("OUT_DIR"), "/enums.rs"));
}

/// Methods, one struct each.
// As for `types`; and `check` has a line for each method.
#[allow(missing_docs, clippy::struct_excessive_bools, clippy::too_many_lines)]
pub mod functions {
    include!(concat!(env!("OUT_DIR"), "/functions.rs"));
}
