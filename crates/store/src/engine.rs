//! The engines. Each keeps every promise of [`Store`](crate::Store); one suite compares them.

pub mod embedded;
pub mod memory;
pub mod postgres;
