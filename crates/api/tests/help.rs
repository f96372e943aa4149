//! `help.*`: one file for each method.

#[path = "rpc/help/mod.rs"]
mod help;
