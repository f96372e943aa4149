//! The PostgreSQL engine and its connections.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use havre_store::engine::postgres::{OpenError, Options, Postgres};
use havre_store::{Answer, Commit, CommitError, Read, Store, StoreError, Version};

use crate::worlds::{PostgresWorld, World, bytes, commit, effect, partition, put, runtime};

/// Ends the test early if PostgreSQL was left out on purpose.
macro_rules! world_or_skip {
    ($runtime:expr) => {
        match PostgresWorld::skipped() {
            Some(reason) => return println!("skipped: {reason}"),
            None => PostgresWorld::new($runtime),
        }
    };
}

async fn refusal(address: &str) -> OpenError {
    match Postgres::open(address, Options::default()).await {
        Ok(_) => panic!("{address} was opened"),
        Err(error) => error,
    }
}

#[test]
fn a_bad_address_is_refused() {
    runtime().block_on(async {
        assert!(matches!(refusal("postgres://[").await, OpenError::Address(_)));
        let refused = refusal("postgres://nobody@127.0.0.1:1/nothing").await;
        assert!(matches!(refused, OpenError::Refused(_)));
        assert!(refused.to_string().contains("refused"), "{refused}");
    });
}

#[test]
fn a_newer_format_is_refused() {
    let runtime = runtime();
    let world = world_or_skip!(&runtime);
    world.administer(
        &runtime,
        &format!("UPDATE {}.havre_meta SET value = 2", world.schema),
    );
    let refused = runtime.block_on(refusal(&world.address()));
    assert!(
        matches!(refused, OpenError::NewerFormat { found: 2, known: 1 }),
        "{refused}"
    );
}

#[test]
fn servers_that_start_together_make_one_table() {
    let runtime = runtime();
    let world = world_or_skip!(&runtime);
    world.administer(
        &runtime,
        &format!("DROP SCHEMA {0} CASCADE; CREATE SCHEMA {0}", world.schema),
    );
    let address = world.address();
    let opened = runtime.block_on(join_all(
        (0..6).map(|_| Postgres::open(&address, Options::default())),
    ));
    for store in opened {
        runtime
            .block_on(store.unwrap().read(&partition("p"), &[]))
            .unwrap();
    }
}

#[test]
fn a_lost_connection_is_made_again() {
    let runtime = runtime();
    let world = world_or_skip!(&runtime);
    let store = world.store();
    let write = |expected| Commit {
        writes: vec![put("k", "v")],
        ..commit("p", expected)
    };
    runtime.block_on(store.commit(write(0))).unwrap();
    let cut = format!(
        "DO $$ BEGIN ASSERT (SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                             WHERE application_name = '{}') > 0; END $$",
        world.schema
    );
    for _ in 0..3 {
        world.administer(&runtime, &cut);
        runtime.block_on(async {
            let mut version = Version(0);
            // A call that meets the lost connection says so; the one after it finds a new one.
            for _ in 0..20 {
                match store.read(&partition("p"), &[]).await {
                    Ok(snapshot) => version = snapshot.version,
                    Err(StoreError::Unavailable(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
                    Err(error) => panic!("{error}"),
                }
            }
            loop {
                match store.commit(write(version.0)).await {
                    Ok(_) => break,
                    Err(CommitError::Conflict(present)) => version = present,
                    Err(CommitError::Store(StoreError::Unavailable(_))) => {}
                    Err(error) => panic!("{error}"),
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let effects = vec![effect("q", "effect")];
            let version = store.read(&partition("p"), &[]).await.unwrap().version;
            store
                .commit(Commit {
                    effects,
                    ..commit("p", version.0)
                })
                .await
                .unwrap();
        });
    }
}

/// PostgreSQL adds to a refusal the row that it refused: numbers and texts, on their way into a log.
#[test]
fn a_refusal_of_the_database_does_not_show_what_was_to_be_stored() {
    let runtime = runtime();
    let world = world_or_skip!(&runtime);
    let rule = format!(
        "ALTER TABLE {}.havre_rows ADD CONSTRAINT short CHECK (octet_length(value) < 9)",
        world.schema
    );
    world.administer(&runtime, &rule);
    let secret = Commit {
        writes: vec![put("k", "15550100123")],
        ..commit("p", 0)
    };
    let refused = runtime.block_on(world.store().commit(secret)).unwrap_err();
    let text = refused.to_string();
    assert!(text.contains("violates check constraint"), "{text}");
    let hex: String = b"15550100123".iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(!text.contains(&hex) && text.lines().count() == 1, "{text}");
}

/// Two servers that write the same partitions in opposite orders: no deadlock, nothing lost.
#[test]
fn two_servers_share_a_database() {
    let runtime = runtime();
    let world = world_or_skip!(&runtime);
    let options = Options {
        writers: 1,
        readers: 1,
        batch_commits_max: 32,
    };
    let address = world.address();
    let open = || Arc::new(runtime.block_on(Postgres::open(&address, options)).unwrap());
    let servers = [open(), open()];
    let names: Vec<_> = (0..10).map(|n| format!("partition {n}")).collect();
    let rounds = 20;
    let tasks = servers.iter().enumerate().flat_map(|(server, store)| {
        let names = if server == 0 {
            names.clone()
        } else {
            names.iter().rev().cloned().collect()
        };
        let store = Arc::clone(store);
        names.into_iter().map(move |name| {
            let store = Arc::clone(&store);
            async move {
                for _ in 0..rounds {
                    add_one(&store, &name).await;
                }
            }
        })
    });
    let tasks: Vec<_> = tasks.map(|task| runtime.spawn(task)).collect();
    runtime
        .block_on(join_all(tasks))
        .into_iter()
        .for_each(|task| task.unwrap());
    for name in names {
        let read = runtime
            .block_on(servers[0].read(&partition(&name), &[Read::Key(bytes("n"))]))
            .unwrap();
        assert_eq!(read.version, Version(2 * rounds));
        assert_eq!(
            read.answers,
            [Answer::Value(Some(bytes(&(2 * rounds).to_string())))]
        );
    }
}

async fn add_one(store: &Postgres, name: &str) {
    loop {
        let read = store
            .read(&partition(name), &[Read::Key(bytes("n"))])
            .await
            .unwrap();
        let [Answer::Value(value)] = &read.answers[..] else {
            panic!("one answer")
        };
        let n = value
            .as_ref()
            .map_or(0, |value| str::from_utf8(value).unwrap().parse().unwrap());
        let next: u64 = n + 1;
        let commit = Commit {
            writes: vec![put("n", &next.to_string())],
            ..commit(name, read.version.0)
        };
        match store.commit(commit).await {
            Ok(_) => return,
            Err(CommitError::Conflict(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}
