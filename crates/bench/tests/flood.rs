//! The flood against the real server, small.

mod program;

#[test]
fn a_small_flood_loses_nothing_and_is_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("flood.svg");
    let svg = format!("--svg={}", picture.display());
    let people = ["flood", "--people=4", "--rate=20", "--arrivals=4", "--codes=2"];
    let said = program::run(&[&people[..], &["--calm=2", "--flood=4", "--saturate=1", &svg]].concat());
    assert!(
        said.contains("lost 0, doubled 0, not acknowledged 0; sessions dropped 0"),
        "{said}"
    );
    assert!(said.contains("waiting time told"), "{said}");
    assert!(std::fs::read_to_string(picture).unwrap().contains("<polyline"));
}
