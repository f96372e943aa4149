//! What people put into messages, checked and brought to the form that is kept; and data that clients ask for.

pub mod countries;
pub mod document;
pub mod media;
pub mod photo;
pub mod picture;
pub mod stored;
mod stripped;
pub mod text;
