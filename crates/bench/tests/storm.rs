//! The storm against the real server, small.

mod program;

#[test]
fn a_small_storm_loses_nothing_and_everybody_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("storm.svg");
    let svg = format!("--svg={}", picture.display());
    let people = ["storm", "--people=12", "--pairs=4", "--rate=200", "--newcomers=2"];
    let said = program::run(&[&people[..], &["--calm=2", "--after=3", &svg]].concat());
    assert!(said.contains("lost 0, doubled 0, not acknowledged 0"), "{said}");
    let returned = said.lines().find(|line| line.starts_with("| s |")).unwrap();
    let stay_away = returned.split('|').nth(5).unwrap().trim();
    assert_eq!(stay_away, "0", "{said}");
    let newcomers = said.lines().find(|line| line.starts_with("newcomers: ")).unwrap();
    let mut counts = newcomers.split(' ').filter_map(|word| word.parse::<usize>().ok());
    let (came, signed_up) = (counts.next().unwrap(), counts.next().unwrap());
    assert!(came > 0 && signed_up == came, "{said}");
    assert!(std::fs::read_to_string(picture).unwrap().contains("<polyline"));
}
