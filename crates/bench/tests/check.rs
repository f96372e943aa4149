//! The simulation of the queue beside the real server, small.

mod program;

#[test]
fn simulated_and_real_waiting_times_are_alike() {
    let said = program::run(&[
        "simulate",
        "--check",
        "--check-arrivals=10",
        "--check-codes=5",
        "--check-seconds=5",
    ]);
    let words: Vec<&str> = said.split_whitespace().collect();
    let after = |word: &str| {
        words[words.iter().position(|w| *w == word).unwrap() + 1]
            .parse::<f64>()
            .unwrap()
    };
    let (simulated, real) = (after("people:"), after("simulated,"));
    // A machine that is behind leaves some of the real ones out.
    assert!(simulated == 50.0 && (45.0..=50.0).contains(&real), "{said}");
    assert!(after("most") <= 30.0, "{said}");
}
