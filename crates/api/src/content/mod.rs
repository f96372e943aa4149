//! What people put into messages, checked and brought to the form that is kept.

pub mod text;
