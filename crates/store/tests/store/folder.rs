//! The embedded engine and its folder: what is refused, and what [`embedded::check`] finds.

use std::fs;
use std::path::Path;

use fjall::{Database, KeyspaceCreateOptions, PersistMode};
use havre_store::engine::embedded::{self, Embedded, OpenError, Options, Report};
use havre_store::{Commit, Store, Version};
use tempfile::TempDir;

use crate::worlds::{commit, effect, partition, put, runtime};

fn open(path: &Path) -> Result<Embedded, OpenError> {
    Embedded::open(path, Options { cache_bytes: 1 << 20 })
}

fn refusal(path: &Path) -> OpenError {
    match open(path) {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error,
    }
}

fn check(path: &Path) -> Report {
    embedded::check(path, Options::default()).unwrap()
}

/// Commits to "p" until its version is `version`.
fn fill(path: &Path, version: u64) {
    let store = open(path).unwrap();
    runtime().block_on(async {
        let present = store.read(&partition("p"), &[]).await.unwrap().version;
        for expected in present.0..version {
            let writes = vec![put(&expected.to_string(), "value")];
            let effects = vec![effect("q", "effect")];
            store
                .commit(Commit {
                    writes,
                    effects,
                    ..commit("p", expected)
                })
                .await
                .unwrap();
        }
    });
}

fn version(path: &Path) -> Version {
    let store = open(path).unwrap();
    runtime()
        .block_on(store.read(&partition("p"), &[]))
        .unwrap()
        .version
}

pub fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Changes rows behind the store's back.
fn tamper(path: &Path, rows: &[(&[u8], Option<&[u8]>)]) {
    let database = Database::builder(path.join("engine")).open().unwrap();
    let keyspace = database.keyspace("rows", KeyspaceCreateOptions::default).unwrap();
    let mut batch = database.batch().durability(Some(PersistMode::SyncAll));
    for (key, value) in rows {
        match value {
            Some(value) => batch.insert(&keyspace, *key, *value),
            None => batch.remove(&keyspace, *key),
        }
    }
    batch.commit().unwrap();
}

#[test]
fn a_missing_folder_is_made_but_not_its_parent() {
    let folder = TempDir::new().unwrap();
    open(&folder.path().join("new")).unwrap();
    assert!(matches!(
        refusal(&folder.path().join("absent/new")),
        OpenError::Missing(_)
    ));
    assert!(!folder.path().join("absent").exists());
    let absent = embedded::check(&folder.path().join("absent"), Options::default());
    assert!(matches!(absent, Err(OpenError::Missing(_))));
}

#[test]
fn a_file_is_not_a_folder() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "text").unwrap();
    assert!(matches!(refusal(&file), OpenError::NotAFolder(_)));
    assert!(matches!(refusal(&file.join("new")), OpenError::NotAFolder(_)));
}

#[test]
fn a_folder_of_somebody_else_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(folder.path().join("probe"), "").is_ok() {
        return println!("skipped: this user, root, may write everywhere");
    }
    assert!(matches!(refusal(folder.path()), OpenError::Denied(_)));
    assert!(matches!(
        refusal(&folder.path().join("new")),
        OpenError::Denied(_)
    ));
}

#[test]
fn a_folder_is_open_only_once() {
    let folder = TempDir::new().unwrap();
    let first = open(folder.path()).unwrap();
    let second = refusal(folder.path());
    assert!(matches!(second, OpenError::Locked(_)));
    assert!(second.to_string().contains("in use by another process"));
    assert!(matches!(
        embedded::check(folder.path(), Options::default()),
        Err(OpenError::Locked(_))
    ));
    drop(first);
    open(folder.path()).unwrap();
}

#[test]
fn a_newer_format_is_refused() {
    let folder = TempDir::new().unwrap();
    fill(folder.path(), 1);
    tamper(folder.path(), &[(b"\0format", Some(&3u64.to_be_bytes()))]);
    let refused = refusal(folder.path());
    assert!(
        matches!(
            refused,
            OpenError::NewerFormat {
                found: 3,
                known: 2,
                ..
            }
        ),
        "{refused}"
    );
}

#[test]
fn a_store_that_went_backwards_is_refused() {
    let folder = TempDir::new().unwrap();
    let (path, earlier) = (folder.path().join("store"), folder.path().join("earlier"));
    fill(&path, 3);
    copy_folder(&path, &earlier).unwrap();
    fill(&path, 7);
    for part in ["engine", "log"] {
        fs::remove_dir_all(path.join(part)).unwrap();
        copy_folder(&earlier.join(part), &path.join(part)).unwrap();
    }
    let refused = refusal(&path);
    assert!(
        matches!(
            refused,
            OpenError::WentBackwards {
                found: 3,
                witnessed: 7,
                ..
            }
        ),
        "{refused}"
    );
    assert!(
        refused
            .to_string()
            .contains(path.join("witness").to_str().unwrap()),
        "{refused}"
    );
    assert_eq!(check(&path).problem_count, 1);
    fs::remove_file(path.join("witness")).unwrap();
    assert_eq!(
        version(&path),
        Version(3),
        "without its witness the store is taken as it is"
    );
    assert_eq!(version(&earlier), Version(3), "a whole older copy is no alarm");
}

#[test]
fn a_lost_engine_is_not_replaced_by_an_empty_one() {
    let folder = TempDir::new().unwrap();
    fill(folder.path(), 1);
    fs::remove_dir_all(folder.path().join("engine")).unwrap();
    assert!(matches!(refusal(folder.path()), OpenError::Damaged { .. }));
    assert!(!folder.path().join("engine").exists());
}

#[test]
fn an_interrupted_creation_is_begun_again() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("engine.new")).unwrap();
    fs::write(folder.path().join("engine.new/0.jnl"), "half").unwrap();
    fill(folder.path(), 1);
    assert!(!folder.path().join("engine.new").exists());
}

#[test]
fn a_torn_folder_is_refused() {
    for (file, content) in [
        ("engine/version", ""),
        ("engine/version", "FJL\u{9}"),
        ("witness", "12 bytes"),
    ] {
        let folder = TempDir::new().unwrap();
        fill(folder.path(), 2);
        fs::write(folder.path().join(file), content).unwrap();
        let refused = refusal(folder.path());
        assert!(matches!(refused, OpenError::Damaged { .. }), "{file}: {refused}");
    }
}

/// A store whose engine is as it was at version `engine` and whose log has what came after, up to version `log`:
/// what a crash leaves.
fn crashed(path: &Path, engine: u64, log: u64) {
    fill(path, engine);
    let before = path.with_extension("before");
    copy_folder(&path.join("engine"), &before).unwrap();
    fill(path, log);
    fs::remove_dir_all(path.join("engine")).unwrap();
    fs::rename(before, path.join("engine")).unwrap();
}

/// The segments of the log, the first one first.
fn segments(path: &Path) -> Vec<std::path::PathBuf> {
    let mut segments: Vec<_> = fs::read_dir(path.join("log"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    segments.sort();
    segments
}

#[test]
fn what_the_engine_lacks_comes_from_the_log() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store");
    crashed(&path, 3, 7);
    assert_eq!(check(&path).entries, 7);
    assert_eq!(version(&path), Version(7));
    assert_eq!(check(&path).problems, Vec::<String>::new());
}

#[test]
fn a_store_from_before_the_log_is_taken_over() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store");
    fill(&path, 3);
    fs::remove_dir_all(path.join("log")).unwrap();
    assert!(
        matches!(refusal(&path), OpenError::Damaged { .. }),
        "a log that was lost"
    );
    tamper(&path, &[(b"\0format", Some(&1u64.to_be_bytes()))]);
    assert_eq!(check(&path).entries, 3);
    assert_eq!(version(&path), Version(3));
    fill(&path, 4);
    fs::remove_dir_all(path.join("log")).unwrap();
    assert!(
        matches!(refusal(&path), OpenError::Damaged { .. }),
        "it has a log now"
    );
}

/// Losing the end of the log is what the witness is for: it looks like a record that a crash has torn.
#[test]
fn a_cut_log_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store");
    crashed(&path, 3, 7);
    let segment = &segments(&path)[0];
    let mut bytes = fs::read(segment).unwrap();
    let written = bytes.iter().rposition(|&byte| byte != 0).unwrap();
    bytes[written - 3] ^= 1;
    fs::write(segment, bytes).unwrap();
    assert!(matches!(
        refusal(&path),
        OpenError::WentBackwards {
            found: 6,
            witnessed: 7,
            ..
        }
    ));
    fs::remove_file(path.join("witness")).unwrap();
    assert_eq!(version(&path), Version(6));
}

#[test]
fn a_log_that_begins_too_late_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store");
    crashed(&path, 3, 7);
    // As if the first segment were lost: its records are 4 to 7, the engine ends at 3.
    let before = path.with_extension("before");
    copy_folder(&path.join("engine"), &before).unwrap();
    fill(&path, 9);
    fs::remove_dir_all(path.join("engine")).unwrap();
    fs::rename(before, path.join("engine")).unwrap();
    let refused = refusal(&path);
    assert!(refused.to_string().contains("lacks batch 4"), "{refused}");
}

#[test]
fn check_counts_a_whole_store() {
    let folder = TempDir::new().unwrap();
    fill(folder.path(), 3);
    let report = check(folder.path());
    assert_eq!((report.partitions, report.entries, report.effects), (1, 3, 3));
    assert_eq!((report.problem_count, report.problems), (0, Vec::new()));
    assert!(report.bytes > 0);
    fill(folder.path(), 4);
    assert_eq!(
        check(folder.path()).entries,
        4,
        "checking leaves the store usable"
    );
}

/// What is found when a row is given this value, or removed.
type Case<'a> = (&'a str, &'a [u8], Option<&'a [u8]>);

#[test]
fn check_finds_each_kind_of_damage() {
    let row = |kind: u8, rest: &[u8]| [&[2, 1, b'p', kind], rest].concat();
    let orphan = [2, 1, b'o', 1, b'k'];
    let oldest = [&1u64.to_be_bytes()[..], &0u32.to_be_bytes()].concat();
    let later = [&9u64.to_be_bytes()[..], &0u32.to_be_bytes()].concat();
    let (first, ninth) = (row(3, &oldest), row(3, &later));
    let (versions, received) = (row(0, b""), row(2, b"s"));
    let cases: [Case; 9] = [
        ("cannot be decoded", b"\x07", Some(b"")),
        ("cannot be decoded", &versions, Some(b"short")),
        ("cannot be decoded", &received, Some(b"short")),
        ("cannot be decoded", &first, Some(b"\xff")),
        ("no version", &orphan, Some(b"value")),
        ("no version", &versions, None),
        ("another effect than its oldest", &first, None),
        ("an effect of a later version", &ninth, Some(b"\x01q")),
        ("not indexed", b"\x01p", None),
    ];
    for (problem, key, value) in cases {
        let folder = TempDir::new().unwrap();
        fill(folder.path(), 2);
        tamper(folder.path(), &[(key, value)]);
        let report = check(folder.path());
        assert!(report.problem_count > 0, "{problem}");
        assert!(
            report.problems.iter().any(|found| found.contains(problem)),
            "{problem}: {report:?}"
        );
    }
    let folder = TempDir::new().unwrap();
    fill(folder.path(), 1);
    tamper(folder.path(), &[(b"\x01x", Some(&oldest))]);
    assert_eq!(
        check(folder.path()).problems,
        ["78 is indexed but has no undelivered effects"]
    );
}
