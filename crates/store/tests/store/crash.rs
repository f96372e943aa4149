//! The embedded engine under `kill -9`, a copied folder and a disk that is full.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures::FutureExt;
use havre_store::engine::embedded::{self, Embedded, Options};
use havre_store::{Answer, Commit, CommitError, Read, Store, StoreError, Version, Write};
use tempfile::TempDir;

use crate::folder::copy_folder;
use crate::worlds::{bytes, commit, effect, partition, put, runtime};

const TASKS: u64 = 8;
const FOLDER: &str = "HAVRE_TEST_VICTIM_FOLDER";

fn open(path: &Path) -> Embedded {
    Embedded::open(path, Options { cache_bytes: 1 << 20 }).unwrap()
}

fn name(task: u64) -> String {
    format!("task {task}")
}

/// Commits to a partition of its own for ever: entry n says n, and every third effect is settled.
async fn work(store: &Embedded, task: u64, acknowledged: impl Fn(u64, u64)) -> StoreError {
    // Long enough that the engine writes tables and drops journals while it is killed.
    let (name, filler) = (name(task), "x".repeat(32 << 10));
    let mut version = store.read(&partition(&name), &[]).await.unwrap().version;
    loop {
        let writes = vec![
            put("last", &version.0.to_string()),
            put(&format!("n{}", version.0), &filler),
        ];
        let effects = vec![effect("q", "effect")];
        match store
            .commit(Commit {
                writes,
                effects,
                ..commit(&name, version.0)
            })
            .await
        {
            Ok(next) => version = next,
            Err(CommitError::Store(error)) => return error,
            Err(conflict @ CommitError::Conflict(_)) => panic!("{conflict}"),
        }
        acknowledged(task, version.0);
        if version.0.is_multiple_of(3) {
            let oldest = store.outbox(&partition(&name), None, 1).await.unwrap();
            // Fails only after a commit has failed, which the next turn sees.
            let _ = store.settle(&partition(&name), &[oldest[0].id]).await;
        }
    }
}

/// Runs all tasks until each has failed; returns the failures.
fn work_all(store: &Embedded, acknowledged: impl Fn(u64, u64) + Copy) -> Vec<StoreError> {
    let tasks = (0..TASKS).map(|task| work(store, task, acknowledged));
    runtime().block_on(futures::future::join_all(tasks))
}

/// The process that the other tests kill: works in the folder that the environment names and prints each
/// acknowledged commit.
#[test]
#[ignore = "not a test: the process that other tests kill"]
fn victim() {
    let folder = std::env::var(FOLDER).unwrap();
    let store = open(Path::new(&folder));
    let failures = work_all(&store, |task, version| println!("acknowledged {task} {version}"));
    assert!(
        failures
            .iter()
            .all(|failure| matches!(failure, StoreError::Unavailable(_))),
        "{failures:?}"
    );
    let cause = store
        .failed()
        .now_or_never()
        .expect("who waits for the failure is told");
    println!("failed: {cause}");
    println!("refused: {}", failures[0]);
    std::io::stdout().flush().unwrap();
}

fn victim_process(folder: &Path, limits: &str) -> Child {
    let run = format!("{limits} exec \"$0\" --exact crash::victim --ignored --nocapture");
    Command::new("sh")
        .args(["-c", &run])
        .arg(std::env::current_exe().unwrap())
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The last acknowledged version of each task. A line that the kill has torn does not count.
fn acknowledged(lines: &[String]) -> BTreeMap<u64, u64> {
    let numbers = lines.iter().filter_map(|line| {
        let (task, version) = line.strip_prefix("acknowledged ")?.split_once(' ')?;
        Some((task.parse().ok()?, version.parse().ok()?))
    });
    numbers.collect()
}

/// Every acknowledged commit is there, whole, and nothing is half there.
fn assert_kept(store: &Embedded, acknowledged: &BTreeMap<u64, u64>) {
    runtime().block_on(async {
        for task in 0..TASKS {
            let name = partition(&name(task));
            let version = store.read(&name, &[]).await.unwrap().version;
            assert!(
                version.0 >= acknowledged.get(&task).copied().unwrap_or(0),
                "task {task} has lost commits"
            );
            let Some(last) = version.0.checked_sub(1) else {
                continue;
            };
            let mut reads = vec![
                Read::Key(bytes("last")),
                Read::Key(bytes(&format!("n{version:?}"))),
            ];
            reads.extend((0..=last).map(|n| Read::Key(bytes(&format!("n{n}")))));
            let answers = store.read(&name, &reads).await.unwrap().answers;
            assert_eq!(answers[0], Answer::Value(Some(bytes(&last.to_string()))));
            assert_eq!(answers[1], Answer::Value(None));
            assert!(
                answers[2..]
                    .iter()
                    .all(|answer| matches!(answer, Answer::Value(Some(_))))
            );
        }
    });
}

fn assert_whole(folder: &Path) {
    let report = embedded::check(folder, Options::default()).unwrap();
    assert_eq!(report.problems, Vec::<String>::new());
}

#[test]
fn acknowledged_commits_survive_kill_9() {
    let folder = TempDir::new().unwrap();
    let mut kept = BTreeMap::new();
    for round in 0..8 {
        let mut child = victim_process(folder.path(), "");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Killed during or soon after opening, and later and later under load.
        let mut seen: Vec<String> = (0..round * 150).map_while(|_| lines.next()?.ok()).collect();
        std::thread::sleep(Duration::from_millis(7 * round as u64));
        child.kill().unwrap();
        child.wait().unwrap();
        seen.extend(lines.map_while(Result::ok));
        kept.extend(acknowledged(&seen));
        assert_kept(&open(folder.path()), &kept);
        assert_whole(folder.path());
    }
    assert!(
        kept.values().sum::<u64>() > 500,
        "the victim has worked: {kept:?}"
    );
}

/// The limit on the size of files is the full disk that a test can have without being root.
#[test]
fn a_full_disk_loses_nothing_acknowledged() {
    let folder = TempDir::new().unwrap();
    drop(open(folder.path()));
    let child = victim_process(folder.path(), "trap '' XFSZ; ulimit -f 4096;");
    let output = child.wait_with_output().unwrap();
    let output: Vec<_> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(String::from)
        .collect();
    let said = |start: &str| output.iter().any(|line| line.starts_with(start));
    assert!(said("failed: "), "{:?}", output.last());
    assert!(
        said("refused: the store is unavailable: the store has failed"),
        "{:?}",
        output.last()
    );
    let kept = acknowledged(&output);
    assert_eq!(kept.len() as u64, TASKS);
    assert_kept(&open(folder.path()), &kept);
    assert_whole(folder.path());
}

/// A copy taken under load is what a crash at that moment leaves, if the witness is copied first, then the log,
/// and no file of the engine came or went meanwhile.
#[test]
fn a_copy_taken_under_load_opens() {
    let folder = TempDir::new().unwrap();
    let (live, copies) = (folder.path().join("live"), folder.path().join("copies"));
    std::fs::create_dir(&copies).unwrap();
    let store = open(&live);
    let runtime = runtime();
    let kept = runtime.block_on(async {
        let last = std::sync::Mutex::new(BTreeMap::new());
        let tasks = (0..TASKS).map(|task| {
            work(&store, task, |task, version| {
                last.lock().unwrap().insert(task, version);
            })
        });
        let copying = async {
            let mut kept = Vec::new();
            for round in 0..5 {
                tokio::time::sleep(Duration::from_millis(30)).await;
                let acknowledged = last.lock().unwrap().clone();
                let copy = copies.join(round.to_string());
                while !copy_if_still(&live, &copy) {
                    std::fs::remove_dir_all(&copy).unwrap();
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                kept.push((copy, acknowledged));
            }
            kept
        };
        let working = Box::pin(futures::future::join_all(tasks));
        match futures::future::select(Box::pin(copying), working).await {
            futures::future::Either::Left((kept, _)) => kept,
            futures::future::Either::Right((failures, _)) => panic!("{failures:?}"),
        }
    });
    for (copy, acknowledged) in kept {
        assert!(!acknowledged.is_empty());
        assert_kept(&open(&copy), &acknowledged);
        assert_whole(&copy);
    }
}

/// Copies a store that is in use; false when files came or went meanwhile.
fn copy_if_still(live: &Path, copy: &Path) -> bool {
    let engine = live.join("engine");
    let before = files(&engine);
    std::fs::create_dir(copy).unwrap();
    std::fs::copy(live.join("witness"), copy.join("witness")).unwrap();
    copy_folder(&live.join("log"), &copy.join("log")).unwrap();
    let copied = copy_folder(&engine, &copy.join("engine"));
    match copied {
        Ok(()) => files(&engine) == before,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => panic!("{error}"),
    }
}

/// Every file under a folder.
fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path)
            } else {
                [path].into()
            }
        })
        .collect()
}

#[test]
fn a_store_that_is_closed_has_not_failed() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let failed = store.failed();
    let write = Write::Put(bytes("k"), bytes("v"));
    let last = store.commit(Commit {
        writes: vec![write],
        ..commit("p", 0)
    });
    assert_eq!(runtime().block_on(last), Ok(Version(1)));
    drop(store);
    assert!(failed.now_or_never().is_none());
}
