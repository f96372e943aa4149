//! The group against the real server, small.

mod program;

#[test]
fn a_small_group_hears_everything_once() {
    let said = program::run(&["group", "--members=6", "--senders=2", "--seconds=2"]);
    let rows: Vec<&str> = said.lines().filter(|line| line.ends_with("| 0 | 0 |")).collect();
    assert_eq!(rows.len(), 2, "{said}");
    for row in rows {
        let deliveries: f64 = row.split('|').nth(2).unwrap().trim().parse().unwrap();
        assert!(deliveries > 10.0, "{said}");
    }
}
