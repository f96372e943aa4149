//! A world from a seed: clients, link, faults around any engine, and the model of what should be true.

pub mod env;
pub mod faults;
pub mod knowledge;
mod refetch;
pub mod replica;
pub mod schedule;
pub mod town;

pub use town::{Client, Town};
