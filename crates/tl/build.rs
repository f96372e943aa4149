//! Writes the Rust types of the canonical layer, for what is reachable from the methods served, and the tables of all layers.

#[path = "build/emit.rs"]
mod emit;
#[path = "build/names.rs"]
mod names;
#[path = "build/schema.rs"]
mod schema;
#[path = "build/tables.rs"]
mod tables;

use std::error::Error;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=schema/canonical.tl");
    println!("cargo::rerun-if-changed=schema/older.tl");
    println!("cargo::rerun-if-changed=schema/served.txt");
    let canonical = fs::read_to_string("schema/canonical.tl")?;
    let served = fs::read_to_string("schema/served.txt")?;
    let schema = schema::Schema::served(havre_tl_schema::parse(&canonical)?, &served)?;
    let out_dir = env::var("OUT_DIR")?;
    let out_dir = Path::new(&out_dir);
    fs::write(out_dir.join("types.rs"), emit::types(&schema))?;
    fs::write(out_dir.join("enums.rs"), emit::enums(&schema)?)?;
    fs::write(out_dir.join("functions.rs"), emit::functions(&schema))?;
    let older = fs::read_to_string("schema/older.tl")?;
    fs::write(out_dir.join("tables.rs"), tables::tables(&canonical, &older)?)?;
    Ok(())
}
