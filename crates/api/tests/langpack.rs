//! `langpack.*`: one file for each method.

#[path = "rpc/langpack/mod.rs"]
mod langpack;
