//! The limits beside the real server, for a moment.

mod program;

#[test]
fn nothing_passes_its_limit() {
    let said = program::run(&["limits", "--seconds=1"]);
    let rows: Vec<&str> = said
        .lines()
        .filter(|line| line.contains(", server CPU |") || line.contains(", time |"))
        .collect();
    assert_eq!(rows.len(), 4, "{said}");
    for row in rows {
        let share: f64 = row.split('|').nth(4).unwrap().trim().parse().unwrap();
        // Processor time is counted in ticks, and a disk is not the same twice.
        assert!((0.01..150.0).contains(&share), "{said}");
    }
}
