//! Idle sessions of the real server, few.

mod program;

#[test]
fn idle_sessions_stay_and_have_a_price() {
    let said = program::run(&["idle", "--clients=300", "--seconds=1"]);
    assert!(said.contains("sessions dropped 0"), "{said}");
    for name in ["| PSS |", "| RSS |"] {
        let row = said.lines().find(|line| line.starts_with(name)).unwrap();
        let each: u64 = row.split('|').nth(4).unwrap().trim().parse().unwrap();
        assert!((1_000..200_000).contains(&each), "{said}");
    }
}
