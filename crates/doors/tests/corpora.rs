//! Everything that fuzzers found worth keeping is replayed, and varied a little, in every run.

use std::fs;
use std::path::PathBuf;

use havre_doors::DOORS;
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// Variations of each input.
const VARIATIONS: usize = 8;

fn corpus(door: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(door);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = files
        .map(|file| file.expect("a readable folder").path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| fs::read(path).expect("a readable file"))
        .collect()
}

/// A few bytes changed, cut out or doubled.
fn varied(input: &[u8], rng: &mut ChaCha12Rng) -> Vec<u8> {
    let mut varied = input.to_vec();
    for _ in 0..=rng.next_u32() % 3 {
        if varied.is_empty() {
            return varied;
        }
        let at = rng.next_u32() as usize % varied.len();
        match rng.next_u32() % 4 {
            0 => varied[at] ^= 1 << (rng.next_u32() % 8),
            1 => varied[at] = rng.next_u32() as u8,
            2 => varied.truncate(at),
            _ => {
                let copy = varied[at..].to_vec();
                varied.extend(copy);
            }
        }
    }
    varied
}

fn replay(door: usize) {
    let (name, enter) = DOORS[door];
    let inputs = corpus(name);
    assert!(inputs.len() >= 10, "the corpus of {name} is there");
    let mut rng = ChaCha12Rng::seed_from_u64(1);
    for input in &inputs {
        enter(input);
        (0..VARIATIONS).for_each(|_| enter(&varied(input, &mut rng)));
    }
}

#[test]
fn stream() {
    replay(0);
}

#[test]
fn handshake() {
    replay(1);
}

#[test]
fn session() {
    replay(2);
}

#[test]
fn language() {
    replay(3);
}

#[test]
fn call() {
    replay(4);
}

#[test]
fn passkey() {
    replay(5);
}
