//! The flood against the real server, small.

use std::process::Command;

#[test]
fn a_small_flood_loses_nothing_and_is_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("flood.svg");
    let bench = env!("CARGO_BIN_EXE_havre-bench");
    let havre = std::path::Path::new(bench).with_file_name("havre");
    assert!(
        havre.exists(),
        "the server is built beside its tests: cargo build"
    );
    let run = Command::new(bench)
        .args([
            "flood",
            "--people=4",
            "--rate=20",
            "--arrivals=4",
            "--codes=2",
            "--calm=2",
        ])
        .args(["--flood=4", "--saturate=1", "--havre"])
        .arg(&havre)
        .arg("--svg")
        .arg(&picture)
        .output()
        .unwrap();
    let said = String::from_utf8(run.stdout).unwrap();
    assert!(
        run.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&run.stderr)
    );
    assert!(
        said.contains("lost 0, doubled 0, not acknowledged 0; sessions dropped 0"),
        "{said}"
    );
    assert!(said.contains("waiting time told"), "{said}");
    assert!(std::fs::read_to_string(picture).unwrap().contains("<polyline"));
}
