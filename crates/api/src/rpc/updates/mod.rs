//! `updates.*`
pub mod get_difference;
pub mod get_state;
