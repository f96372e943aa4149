//! The channel against the real server, small.

mod program;

#[test]
fn a_small_channel_hears_everything_once() {
    let crowd = ["channel", "--subscribers=700", "--online=8", "--posts=4"];
    let said = program::run(&[&crowd[..], &["--pairs=2", "--rate=40", "--seconds=2"]].concat());
    let row = |name: &str| {
        let row = said.lines().find(|line| line.starts_with(&format!("| {name} |")));
        let row = row.unwrap_or_else(|| panic!("{name}: {said}"));
        let cells = row.trim_matches('|').split('|').skip(1);
        cells
            .map(|cell| cell.trim().parse().unwrap())
            .collect::<Vec<f64>>()
    };
    for name in ["posts", "both"] {
        let [deliveries, _, p50, last, lost, doubled, ..] = row(name)[..] else {
            panic!("{said}");
        };
        assert!(0.0 < last && p50 <= last, "{said}");
        assert_eq!([deliveries, lost, doubled], [64.0, 0.0, 0.0], "{said}");
    }
    assert!(row("both")[6] > 0.0 && row("posts")[6] == 0.0, "{said}");
    assert!(said.contains("lost 0, doubled 0"), "{said}");
}
