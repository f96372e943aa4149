//! Many callers at once.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::join_all;
use havre_store::{Answer, Commit, CommitError, Read, Store, Version, Write};

use crate::worlds::{World, bytes, commit, partition, put, runtime};

const TASKS: usize = 24;
const ROUNDS: usize = 10;

async fn number(store: &dyn Store, name: &str) -> (Version, u64) {
    let snapshot = store
        .read(&partition(name), &[Read::Key(bytes("n"))])
        .await
        .unwrap();
    let [Answer::Value(value)] = &snapshot.answers[..] else {
        panic!("one answer")
    };
    let n = value
        .as_ref()
        .map_or(0, |value| u64::from_be_bytes(value[..].try_into().unwrap()));
    (snapshot.version, n)
}

async fn increment(store: &dyn Store, name: &str) {
    loop {
        let (expected, n) = number(store, name).await;
        let write = Write::Put(bytes("n"), Bytes::copy_from_slice(&(n + 1).to_be_bytes()));
        let next = Commit {
            writes: vec![write],
            ..commit(name, expected.0)
        };
        match store.commit(next).await {
            Ok(version) => return assert_eq!(version.0, expected.0 + 1),
            Err(CommitError::Conflict(version)) => assert_ne!(version, expected),
            Err(error) => panic!("{error}"),
        }
    }
}

pub fn no_increment_is_lost<W: World>() {
    let runtime = runtime();
    let world = W::new(&runtime);
    let store = world.store();
    let names = ["x", "y", "z"];
    let tasks = (0..TASKS).map(|task| {
        let store = Arc::clone(&store);
        runtime.spawn(async move {
            for round in 0..ROUNDS {
                increment(&*store, names[(task + round) % names.len()]).await;
            }
        })
    });
    let tasks: Vec<_> = tasks.collect();
    runtime.block_on(async {
        join_all(tasks).await.into_iter().for_each(|task| task.unwrap());
        let mut sum = 0;
        for name in names {
            let (version, n) = number(&*store, name).await;
            assert_eq!(version, Version(n), "every increment was one commit");
            sum += n;
        }
        assert_eq!(sum, (TASKS * ROUNDS) as u64);
    });
    drop(store);
}

pub fn one_of_many_rivals_wins<W: World>() {
    let runtime = runtime();
    let world = W::new(&runtime);
    let store = world.store();
    for round in 0..20 {
        let rivals = (0..8).map(|rival| {
            let store = Arc::clone(&store);
            let write = put("winner", &rival.to_string());
            let bid = Commit {
                writes: vec![write],
                ..commit("p", round)
            };
            runtime.spawn(async move { store.commit(bid).await })
        });
        let rivals: Vec<_> = rivals.collect();
        let results = runtime
            .block_on(join_all(rivals))
            .into_iter()
            .map(|result| result.unwrap());
        let results: Vec<_> = results.collect();
        let won: Vec<_> = (0..8)
            .filter(|rival| results[*rival] == Ok(Version(round + 1)))
            .collect();
        let lost = results
            .iter()
            .filter(|result| **result == Err(CommitError::Conflict(Version(round + 1))));
        assert_eq!((won.len(), lost.count()), (1, 7), "{results:?}");
        let read = runtime
            .block_on(store.read(&partition("p"), &[Read::Key(bytes("winner"))]))
            .unwrap();
        assert_eq!(read.answers, [Answer::Value(Some(bytes(&won[0].to_string())))]);
    }
    drop(store);
}

/// A writer keeps two keys equal to the version; no snapshot may see them apart.
pub fn reads_are_whole<W: World>() {
    let runtime = runtime();
    let world = W::new(&runtime);
    let store = world.store();
    let writer = Arc::clone(&store);
    let writing = runtime.spawn(async move {
        for version in 0..100 {
            let text = (version + 1).to_string();
            let writes = vec![put("a", &text), put("b", &text)];
            writer
                .commit(Commit {
                    writes,
                    ..commit("p", version)
                })
                .await
                .unwrap();
        }
    });
    let reads = [Read::Key(bytes("a")), Read::Key(bytes("b"))];
    runtime.block_on(async {
        let mut last = Version(0);
        while last != Version(100) {
            let snapshot = store.read(&partition("p"), &reads).await.unwrap();
            assert!(snapshot.version >= last, "a later read saw an earlier state");
            last = snapshot.version;
            let expected = (last.0 > 0).then(|| bytes(&last.0.to_string()));
            assert_eq!(
                snapshot.answers,
                [Answer::Value(expected.clone()), Answer::Value(expected)]
            );
            tokio::task::yield_now().await;
        }
        writing.await.unwrap();
    });
    drop(store);
}

/// Commits of one partition that were sent in order are made in order, so each may build on the one before.
pub fn a_chain_sent_at_once_applies_in_order<W: World>() {
    let runtime = runtime();
    let world = W::new(&runtime);
    let store = world.store();
    let names = ["x", "y"];
    let chain = (0..50).flat_map(|version| names.map(|name| (name, version)));
    let commits = chain.map(|(name, version)| {
        let writes = vec![put("n", &version.to_string()), put(&version.to_string(), "")];
        store.commit(Commit {
            writes,
            ..commit(name, version)
        })
    });
    let results = runtime.block_on(join_all(commits.collect::<Vec<_>>()));
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    for name in names {
        let read = runtime
            .block_on(store.read(&partition(name), &[Read::Key(bytes("n"))]))
            .unwrap();
        assert_eq!(read.version, Version(50));
        assert_eq!(read.answers, [Answer::Value(Some(bytes("49")))]);
    }
    drop(store);
}
