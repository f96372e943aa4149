//! One suite, every engine: an engine enters by one line here and a [`worlds::World`] of its own. After
//! that, what only one engine can do: crash, find its folder damaged, lose its connection.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod behaviour;
mod blob;
mod concurrency;
mod crash;
mod database;
mod folder;
mod model;
mod worlds;

macro_rules! suite {
    ($world:ty: $($module:ident::$test:ident),+ $(,)?) => {
        $(
            #[test]
            fn $test() {
                match <$world as crate::worlds::World>::skipped() {
                    Some(reason) => println!("skipped: {reason}"),
                    None => crate::$module::$test::<$world>(),
                }
            }
        )+
    };
}

macro_rules! conformance {
    ($engine:ident, $world:ty) => {
        mod $engine {
            suite!($world:
                behaviour::a_new_partition_is_empty,
                behaviour::a_commit_is_read_back,
                behaviour::a_later_write_of_a_key_wins,
                behaviour::a_stale_commit_changes_nothing,
                behaviour::ranges_run_both_ways,
                behaviour::partitions_with_similar_names_are_apart,
                behaviour::an_effect_is_received_once,
                behaviour::effects_wait_until_settled,
                behaviour::a_delivery_is_made_with_its_commit,
                behaviour::a_delivery_that_cannot_be_made_waits,
                behaviour::a_delivery_overtakes_nothing,
                behaviour::settling_in_any_order_keeps_the_rest,
                behaviour::pending_is_ordered_and_paged,
                behaviour::what_breaks_a_limit_is_refused,
                behaviour::what_is_at_a_limit_is_kept,
                behaviour::an_empty_commit_counts,
                behaviour::everything_survives_reopening,
                concurrency::no_increment_is_lost,
                concurrency::one_of_many_rivals_wins,
                concurrency::reads_are_whole,
                concurrency::a_chain_sent_at_once_applies_in_order,
                model::agrees_with_the_model,
            );
        }
    };
}

conformance!(memory, crate::worlds::MemoryWorld);
conformance!(embedded, crate::worlds::EmbeddedWorld);
conformance!(postgres, crate::worlds::PostgresWorld);
