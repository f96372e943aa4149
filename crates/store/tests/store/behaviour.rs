//! What every engine promises, one promise a test.

use bytes::Bytes;
use havre_store::limits::{
    COMMIT_BYTES_MAX, COMMIT_EFFECTS_MAX, COMMIT_WRITES_MAX, KEY_LEN_MAX, PARTITION_LEN_MAX, RANGE_LIMIT_MAX,
    VALUE_LEN_MAX,
};
use havre_store::{
    Answer, Commit, CommitError, Committed, Order, Outgoing, Partition, Read, Store, StoreError, Version,
    Write,
};

use crate::worlds::{World, bytes, commit, effect, id, partition, put, runtime};

fn range(start: &str, end: &str, order: Order, limit: usize) -> Read {
    Read::Range {
        start: bytes(start),
        end: bytes(end),
        order,
        limit,
    }
}

async fn value(store: &dyn Store, name: &str, key: &str) -> Option<Bytes> {
    match store
        .read(&partition(name), &[Read::Key(bytes(key))])
        .await
        .unwrap()
        .answers
        .remove(0)
    {
        Answer::Value(value) => value,
        other => panic!("not the answer to a key: {other:?}"),
    }
}

async fn keys(store: &dyn Store, name: &str, read: Read) -> Vec<Bytes> {
    match store
        .read(&partition(name), &[read])
        .await
        .unwrap()
        .answers
        .remove(0)
    {
        Answer::Entries(entries) => entries.into_iter().map(|(key, _)| key).collect(),
        other => panic!("not the answer to a range: {other:?}"),
    }
}

async fn waiting(store: &dyn Store, name: &str) -> Vec<(u64, u32)> {
    let pending = store.outbox(&partition(name), None, 100).await.unwrap();
    pending
        .into_iter()
        .map(|pending| (pending.id.version.0, pending.id.index))
        .collect()
}

pub fn a_new_partition_is_empty<W: World>() {
    let runtime = runtime();
    let world = W::new(&runtime);
    let store = world.store();
    let reads = [
        Read::Key(bytes("k")),
        range("", "z", Order::Ascending, 10),
        Read::Received(partition("other")),
    ];
    let snapshot = runtime.block_on(store.read(&partition("p"), &reads)).unwrap();
    assert_eq!(snapshot.version, Version(0));
    let nothing = [
        Answer::Value(None),
        Answer::Entries(Vec::new()),
        Answer::Received(None),
    ];
    assert_eq!(snapshot.answers, nothing);
    assert_eq!(runtime.block_on(store.pending(None, 10)), Ok(Vec::new()));
    assert_eq!(
        runtime.block_on(store.outbox(&partition("p"), None, 10)),
        Ok(Vec::new())
    );
}

pub fn a_commit_is_read_back<W: World>() {
    let runtime = runtime();
    let world = W::new(&runtime);
    runtime.block_on(async {
        let store = world.store();
        let writes = vec![put("a", "1"), put("", "empty key"), put("empty value", "")];
        let version = store
            .commit(Commit {
                writes,
                ..commit("p", 0)
            })
            .await;
        assert_eq!(version, Ok(Version(1)));
        assert_eq!(value(&*store, "p", "a").await, Some(bytes("1")));
        assert_eq!(value(&*store, "p", "").await, Some(bytes("empty key")));
        assert_eq!(value(&*store, "p", "empty value").await, Some(Bytes::new()));
        assert_eq!(value(&*store, "p", "b").await, None);
        let snapshot = store.read(&partition("p"), &[]).await.unwrap();
        assert_eq!(snapshot.version, Version(1));
    });
}

pub fn a_later_write_of_a_key_wins<W: World>() {
    let runtime = runtime();
    let world = W::new(&runtime);
    runtime.block_on(async {
        let store = world.store();
        let delete = |key| Write::Delete(bytes(key));
        let writes = vec![
            put("kept", "1"),
            put("kept", "2"),
            put("gone", "1"),
            delete("gone"),
            delete("back"),
            put("back", "3"),
            delete("absent"),
        ];
        store
            .commit(Commit {
                writes,
                ..commit("p", 0)
            })
            .await
            .unwrap();
        assert_eq!(value(&*store, "p", "kept").await, Some(bytes("2")));
        assert_eq!(value(&*store, "p", "gone").await, None);
        assert_eq!(value(&*store, "p", "back").await, Some(bytes("3")));
        store
            .commit(Commit {
                writes: vec![delete("kept")],
                ..commit("p", 1)
            })
            .await
            .unwrap();
        assert_eq!(value(&*store, "p", "kept").await, None);
    });
}

pub fn a_stale_commit_changes_nothing<W: World>() {
    let runtime = runtime();
    let world = W::new(&runtime);
    runtime.block_on(async {
        let store = world.store();
        store
            .commit(Commit {
                writes: vec![put("a", "1")],
                ..commit("p", 0)
            })
            .await
            .unwrap();
        for expected in [0, 2, u64::MAX] {
            let stale = Commit {
                writes: vec![put("a", "2"), put("b", "2")],
                effects: vec![effect("q", "never")],
                received: Some((partition("r"), id(1, 0))),
                ..commit("p", expected)
            };
            assert_eq!(store.commit(stale).await, Err(CommitError::Conflict(Version(1))));
        }
        let reads = [
            Read::Key(bytes("a")),
            Read::Key(bytes("b")),
            Read::Received(partition("r")),
        ];
        let snapshot = store.read(&partition("p"), &reads).await.unwrap();
        assert_eq!(snapshot.version, Version(1));
        let unchanged = [
            Answer::Value(Some(bytes("1"))),
            Answer::Value(None),
            Answer::Received(None),
        ];
        assert_eq!(snapshot.answers, unchanged);
        assert_eq!(store.pending(None, 10).await, Ok(Vec::new()));
    });
}

pub fn ranges_run_both_ways<W: World>() {
    let runtime = runtime();
    let world = W::new(&runtime);
    runtime.block_on(async {
        let store = world.store();
        let writes = ["a", "b", "b\0", "ba", "c", "d"]
            .map(|key| put(key, key))
            .to_vec();
        store
            .commit(Commit {
                writes,
                ..commit("p", 0)
            })
            .await
            .unwrap();
        let ascending = keys(&*store, "p", range("b", "d", Order::Ascending, 10)).await;
        assert_eq!(ascending, ["b", "b\0", "ba", "c"].map(bytes));
        let descending = keys(&*store, "p", range("b", "d", Order::Descending, 10)).await;
        assert_eq!(descending, ["c", "ba", "b\0", "b"].map(bytes));
        let first = keys(&*store, "p", range("", "z", Order::Ascending, 2)).await;
        assert_eq!(first, ["a", "b"].map(bytes));
        let last = keys(&*store, "p", range("", "z", Order::Descending, 2)).await;
        assert_eq!(last, ["d", "c"].map(bytes));
        for (start, end, limit) in [("b", "b", 10), ("d", "b", 10), ("a", "d", 0)] {
            for order in [Order::Ascending, Order::Descending] {
                assert!(
                    keys(&*store, "p", range(start, end, order, limit))
                        .await
                        .is_empty()
                );
            }
        }
    });
}

pub fn partitions_with_similar_names_are_apart<W: World>() {
    let runtime = runtime();
    let world = W::new(&runtime);
    runtime.block_on(async {
        let store = world.store();
        let names = ["", "\0", "a", "a\0", "a\u{1}", "aa", "b"];
        for name in names {
            let writes = vec![put("key", name), put("a", name)];
            store
                .commit(Commit {
                    writes,
                    ..commit(name, 0)
                })
                .await
                .unwrap();
        }
        for name in names {
            assert_eq!(value(&*store, name, "key").await, Some(bytes(name)));
            let all = keys(&*store, name, range("", "\u{ff}", Order::Ascending, 100)).await;
            assert_eq!(all, ["a", "key"].map(bytes));
        }
    });
}

pub fn an_effect_is_received_once<W: World>() {
    let runtime = runtime();
    let world = W::new(&runtime);
    runtime.block_on(async {
        let store = world.store();
        let receive = |expected, version, index| {
            let received = Some((partition("sender"), id(version, index)));
            store.commit(Commit {
                received,
                ..commit("p", expected)
            })
        };
        assert_eq!(receive(0, 3, 1).await, Ok(Version(1)));
        assert_eq!(receive(1, 3, 1).await, Err(CommitError::Conflict(Version(1))));
        assert_eq!(receive(1, 3, 0).await, Err(CommitError::Conflict(Version(1))));
        assert_eq!(receive(1, 2, 9).await, Err(CommitError::Conflict(Version(1))));
        assert_eq!(receive(1, 3, 2).await, Ok(Version(2)));
        assert_eq!(receive(2, 4, 0).await, Ok(Version(3)));
        let other = Some((partition("another"), id(1, 0)));
        assert_eq!(
            store
                .commit(Commit {
                    received: other,
                    ..commit("p", 3)
                })
                .await,
            Ok(Version(4))
        );
        let reads = ["sender", "another", "nobody"].map(|name| Read::Received(partition(name)));
        let snapshot = store.read(&partition("p"), &reads).await.unwrap();
        let highest = [Some(id(4, 0)), Some(id(1, 0)), None].map(Answer::Received);
        assert_eq!(snapshot.answers, highest);
    });
}

pub fn effects_wait_until_settled<W: World>() {
    let runtime = runtime();
    let world = W::new(&runtime);
    runtime.block_on(async {
        let store = world.store();
        let sent = vec![effect("q", "one"), effect("", "two"), effect("p", "")];
        store
            .commit(Commit {
                effects: sent.clone(),
                ..commit("p", 0)
            })
            .await
            .unwrap();
        store
            .commit(Commit {
                effects: vec![effect("q", "three")],
                ..commit("p", 1)
            })
            .await
            .unwrap();
        let pending = store.outbox(&partition("p"), None, 10).await.unwrap();
        assert_eq!(
            pending.iter().map(|pending| pending.id).collect::<Vec<_>>(),
            [id(1, 0), id(1, 1), id(1, 2), id(2, 0)]
        );
        assert!(
            pending
                .iter()
                .zip(&sent)
                .all(|(pending, sent)| pending.effect == *sent)
        );
        let page = store.outbox(&partition("p"), Some(id(1, 0)), 2).await.unwrap();
        assert_eq!(page, pending[1..3]);
        assert_eq!(store.pending(None, 10).await, Ok(vec![partition("p")]));
        store
            .settle(&partition("p"), &[id(1, 0), id(1, 1)])
            .await
            .unwrap();
        assert_eq!(waiting(&*store, "p").await, [(1, 2), (2, 0)]);
        store
            .settle(&partition("p"), &[id(1, 2), id(2, 0)])
            .await
            .unwrap();
        assert!(waiting(&*store, "p").await.is_empty());
        assert_eq!(store.pending(None, 10).await, Ok(Vec::new()));
        let snapshot = store.read(&partition("p"), &[]).await.unwrap();
        assert_eq!(snapshot.version, Version(2), "settling is not a commit");
    });
}

/// What a commit of "p" at a version sends to "q" and "r", and the changes that it makes there.
fn sending(expected: u64, stale: &str) -> (Commit, Vec<Commit>) {
    let sent = Commit {
        writes: vec![put("a", "1")],
        effects: vec![effect("q", "one"), effect("r", "two"), effect("q", "three")],
        ..commit("p", expected)
    };
    let change = |name: &str| Commit {
        writes: vec![put("b", "2")],
        effects: vec![effect("s", "four")],
        ..commit(name, if name == stale { 7 } else { 0 })
    };
    (sent, vec![change("q"), change("r")])
}

pub fn a_delivery_is_made_with_its_commit<W: World>() {
    let runtime = runtime();
    let mut world = W::new(&runtime);
    let (sent, deliveries) = sending(0, "");
    let made = runtime.block_on(world.store().commit_delivering(sent, deliveries));
    let expected = Committed {
        version: Version(1),
        delivered: vec![W::DELIVERS; 2],
    };
    assert_eq!(made, Ok(expected));
    world.reopen(&runtime);
    runtime.block_on(async {
        let store = world.store();
        assert_eq!(value(&*store, "p", "a").await, Some(bytes("1")));
        let there = W::DELIVERS.then(|| bytes("2"));
        assert_eq!(value(&*store, "q", "b").await, there);
        assert_eq!(value(&*store, "r", "b").await, there);
        let waits = if W::DELIVERS { vec!["q", "r"] } else { vec!["p"] };
        let waits = waits.into_iter().map(partition).collect();
        assert_eq!(store.pending(None, 10).await, Ok(waits));
    });
}

pub fn a_delivery_that_cannot_be_made_waits<W: World>() {
    let runtime = runtime();
    let world = W::new(&runtime);
    runtime.block_on(async {
        let store = world.store();
        let (sent, deliveries) = sending(0, "q");
        let made = store.commit_delivering(sent, deliveries).await.unwrap();
        assert_eq!(made.delivered, [false, W::DELIVERS]);
        assert_eq!(value(&*store, "q", "b").await, None);
        let waiting = store.outbox(&partition("p"), None, 10).await.unwrap();
        let waiting: Vec<_> = waiting.into_iter().map(|one| one.effect).collect();
        let mut expected = vec![effect("q", "one"), effect("r", "two"), effect("q", "three")];
        if W::DELIVERS {
            expected.remove(1);
        }
        assert_eq!(waiting, expected);
        let (sent, deliveries) = sending(5, "");
        let refused = store.commit_delivering(sent, deliveries).await;
        assert_eq!(refused, Err(CommitError::Conflict(Version(1))));
        assert_eq!(
            value(&*store, "q", "b").await,
            None,
            "a refused commit delivers nothing"
        );
    });
}

pub fn a_delivery_overtakes_nothing<W: World>() {
    let runtime = runtime();
    let world = W::new(&runtime);
    runtime.block_on(async {
        let store = world.store();
        let earlier = Commit {
            effects: vec![effect("q", "zero")],
            ..commit("p", 0)
        };
        store.commit(earlier).await.unwrap();
        let (sent, deliveries) = sending(1, "");
        let made = store.commit_delivering(sent, deliveries).await.unwrap();
        assert_eq!(made.delivered, [false, false]);
        assert_eq!(waiting(&*store, "p").await, [(1, 0), (2, 0), (2, 1), (2, 2)]);
        let all: Vec<_> = [(1, 0), (2, 0), (2, 1), (2, 2)].map(|(v, i)| id(v, i)).into();
        store.settle(&partition("p"), &all).await.unwrap();
        let (sent, deliveries) = sending(2, "");
        let made = store.commit_delivering(sent, deliveries).await.unwrap();
        assert_eq!(made.delivered, [W::DELIVERS; 2], "nothing waits any more");
    });
}

pub fn settling_in_any_order_keeps_the_rest<W: World>() {
    let runtime = runtime();
    let world = W::new(&runtime);
    runtime.block_on(async {
        let store = world.store();
        let effects = vec![effect("q", ""); 4];
        store
            .commit(Commit {
                effects,
                ..commit("p", 0)
            })
            .await
            .unwrap();
        let settle = async |ids: &[_]| store.settle(&partition("p"), ids).await.unwrap();
        settle(&[id(1, 1), id(1, 1), id(9, 9), id(0, 0)]).await;
        assert_eq!(waiting(&*store, "p").await, [(1, 0), (1, 2), (1, 3)]);
        settle(&[id(1, 3), id(1, 0)]).await;
        assert_eq!(waiting(&*store, "p").await, [(1, 2)]);
        settle(&[]).await;
        settle(&[id(1, 0), id(1, 1)]).await;
        assert_eq!(store.pending(None, 10).await, Ok(vec![partition("p")]));
        settle(&[id(1, 2)]).await;
        assert_eq!(store.pending(None, 10).await, Ok(Vec::new()));
        store
            .settle(&partition("never written"), &[id(1, 0)])
            .await
            .unwrap();
        assert_eq!(store.pending(None, 10).await, Ok(Vec::new()));
        store
            .commit(Commit {
                effects: vec![effect("q", "")],
                ..commit("p", 1)
            })
            .await
            .unwrap();
        assert_eq!(waiting(&*store, "p").await, [(2, 0)]);
    });
}

pub fn pending_is_ordered_and_paged<W: World>() {
    let runtime = runtime();
    let world = W::new(&runtime);
    runtime.block_on(async {
        let store = world.store();
        for name in ["b", "aaa", "", "c"] {
            store
                .commit(Commit {
                    effects: vec![effect("q", "")],
                    ..commit(name, 0)
                })
                .await
                .unwrap();
        }
        store.commit(commit("without effects", 0)).await.unwrap();
        let all = ["", "aaa", "b", "c"].map(partition).to_vec();
        assert_eq!(store.pending(None, 10).await.unwrap(), all);
        assert_eq!(store.pending(None, 2).await.unwrap(), all[..2]);
        assert_eq!(
            store.pending(Some(&partition("aaa")), 1).await.unwrap(),
            all[2..3]
        );
        assert_eq!(store.pending(Some(&partition("ab")), 10).await.unwrap(), all[2..]);
        assert_eq!(store.pending(Some(&partition("c")), 10).await.unwrap(), []);
        assert_eq!(store.pending(None, 0).await.unwrap(), []);
    });
}

fn blob(len: usize) -> Bytes {
    Bytes::from(vec![b'x'; len])
}

fn commits_over_a_limit() -> Vec<Commit> {
    let long = Partition(blob(PARTITION_LEN_MAX + 1));
    let whole = Write::Put(bytes("k"), blob(VALUE_LEN_MAX));
    let effects = |to: &Partition, body| vec![Outgoing { to: to.clone(), body }];
    let writes = |write| Commit {
        writes: vec![write],
        ..commit("p", 0)
    };
    vec![
        Commit {
            partition: long.clone(),
            ..commit("p", 0)
        },
        Commit {
            received: Some((long.clone(), id(1, 0))),
            ..commit("p", 0)
        },
        writes(Write::Put(blob(KEY_LEN_MAX + 1), Bytes::new())),
        writes(Write::Delete(blob(KEY_LEN_MAX + 1))),
        writes(Write::Put(bytes("k"), blob(VALUE_LEN_MAX + 1))),
        Commit {
            writes: vec![put("k", ""); COMMIT_WRITES_MAX + 1],
            ..commit("p", 0)
        },
        Commit {
            writes: vec![whole; COMMIT_BYTES_MAX / VALUE_LEN_MAX],
            ..commit("p", 0)
        },
        Commit {
            effects: vec![effect("q", ""); COMMIT_EFFECTS_MAX + 1],
            ..commit("p", 0)
        },
        Commit {
            effects: effects(&long, Bytes::new()),
            ..commit("p", 0)
        },
        Commit {
            effects: effects(&partition("q"), blob(VALUE_LEN_MAX + 1)),
            ..commit("p", 0)
        },
    ]
}

pub fn what_breaks_a_limit_is_refused<W: World>() {
    let runtime = runtime();
    let world = W::new(&runtime);
    runtime.block_on(async {
        let store = world.store();
        for commit in commits_over_a_limit() {
            let refused = store.commit(commit).await;
            assert!(
                matches!(refused, Err(CommitError::Store(StoreError::TooLarge(_)))),
                "{refused:?}"
            );
        }
        let (p, long) = (partition("p"), Partition(blob(PARTITION_LEN_MAX + 1)));
        let many = range("", "z", Order::Ascending, RANGE_LIMIT_MAX + 1);
        let refused = [
            store
                .read(&p, &[Read::Key(blob(KEY_LEN_MAX + 1))])
                .await
                .map(drop),
            store.read(&p, &[Read::Received(long.clone())]).await.map(drop),
            store.read(&p, &[many]).await.map(drop),
            store.read(&long, &[]).await.map(drop),
            store.pending(None, RANGE_LIMIT_MAX + 1).await.map(drop),
            store.outbox(&long, None, 1).await.map(drop),
            store.outbox(&p, None, RANGE_LIMIT_MAX + 1).await.map(drop),
            store.settle(&long, &[]).await,
        ];
        assert!(
            refused
                .iter()
                .all(|result| matches!(result, Err(StoreError::TooLarge(_)))),
            "{refused:?}"
        );
        assert_eq!(store.read(&p, &[]).await.unwrap().version, Version(0));
    });
}

pub fn what_is_at_a_limit_is_kept<W: World>() {
    let runtime = runtime();
    let world = W::new(&runtime);
    runtime.block_on(async {
        let store = world.store();
        let name = Partition(Bytes::from(vec![0xff; PARTITION_LEN_MAX]));
        let key = Bytes::from(vec![0xff; KEY_LEN_MAX]);
        let value = Bytes::from(vec![0; VALUE_LEN_MAX]);
        let many = (0..COMMIT_WRITES_MAX - 1).map(|n| put(&format!("{n:05}"), "v"));
        let writes = many.chain([Write::Put(key.clone(), value.clone())]).collect();
        let outgoing = Outgoing {
            to: name.clone(),
            body: value.clone(),
        };
        let received = Some((name.clone(), id(u64::MAX >> 1, u32::MAX)));
        let whole = Commit {
            partition: name.clone(),
            writes,
            effects: vec![outgoing.clone()],
            received,
            ..commit("", 0)
        };
        assert_eq!(store.commit(whole).await, Ok(Version(1)));
        let reads = [
            Read::Key(key),
            Read::Received(name.clone()),
            range("", "\u{10ffff}", Order::Ascending, RANGE_LIMIT_MAX),
        ];
        let answers = store.read(&name, &reads).await.unwrap().answers;
        assert!(answers[0] == Answer::Value(Some(value)));
        assert_eq!(answers[1], Answer::Received(Some(id(u64::MAX >> 1, u32::MAX))));
        assert!(matches!(&answers[2], Answer::Entries(entries) if entries.len() == COMMIT_WRITES_MAX - 1));
        assert_eq!(store.pending(None, 1).await, Ok(vec![name.clone()]));
        let pending = store.outbox(&name, None, 1).await.unwrap();
        assert!(pending[0].effect == outgoing);
    });
}

pub fn an_empty_commit_counts<W: World>() {
    let runtime = runtime();
    let world = W::new(&runtime);
    runtime.block_on(async {
        let store = world.store();
        assert_eq!(store.commit(commit("p", 0)).await, Ok(Version(1)));
        assert_eq!(store.commit(commit("p", 1)).await, Ok(Version(2)));
        assert_eq!(
            store.read(&partition("p"), &[]).await.unwrap().version,
            Version(2)
        );
    });
}

pub fn everything_survives_reopening<W: World>() {
    let runtime = runtime();
    let mut world = W::new(&runtime);
    let whole = Commit {
        writes: vec![put("a", "1"), put("b", "2")],
        effects: vec![effect("q", "one"), effect("q", "two")],
        received: Some((partition("r"), id(7, 7))),
        ..commit("p", 0)
    };
    let before = world.store();
    runtime.block_on(before.commit(whole)).unwrap();
    runtime
        .block_on(before.settle(&partition("p"), &[id(1, 0)]))
        .unwrap();
    drop(before);
    for round in 0..3 {
        world.reopen(&runtime);
        runtime.block_on(async {
            let store = world.store();
            let reads = [
                range("", "z", Order::Ascending, 10),
                Read::Received(partition("r")),
            ];
            let snapshot = store.read(&partition("p"), &reads).await.unwrap();
            assert_eq!(snapshot.version, Version(1 + round));
            let entries = vec![(bytes("a"), bytes("1")), (bytes("b"), bytes("2"))];
            assert_eq!(
                snapshot.answers,
                [Answer::Entries(entries), Answer::Received(Some(id(7, 7)))]
            );
            assert_eq!(waiting(&*store, "p").await, [(1, 1)]);
            assert_eq!(store.pending(None, 10).await, Ok(vec![partition("p")]));
            store.commit(commit("p", 1 + round)).await.unwrap();
        });
    }
}
