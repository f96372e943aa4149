//! What people put into messages, checked and brought to the form that is kept; and data that clients ask for.

pub mod countries;
pub mod text;
