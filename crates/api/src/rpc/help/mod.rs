//! `help.*`
pub mod get_config;
