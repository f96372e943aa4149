//! Starts the program as its users do.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panic")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// What `havre-bench` says with these arguments and the server that was built beside it.
pub fn run(arguments: &[&str]) -> String {
    let run = Command::new(env!("CARGO_BIN_EXE_havre-bench"))
        .args(arguments)
        .arg("--havre")
        .arg(havre())
        .output()
        .unwrap();
    let said = String::from_utf8(run.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{said}{complaint}");
    said
}

fn havre() -> PathBuf {
    let havre = Path::new(env!("CARGO_BIN_EXE_havre-bench")).with_file_name("havre");
    assert!(
        havre.exists(),
        "the server is built beside its tests: cargo build"
    );
    havre
}
