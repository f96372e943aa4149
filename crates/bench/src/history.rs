//! Cost of a message, and of reading the newest page, as a chat grows: the API over the memory engine, so
//! that a long history is there soon and nothing but the rules is measured.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use havre_sim::town::{Client, Town};
use havre_tl::{enums, functions};

use crate::table::Row;

/// The shortest history that is measured; each further one is ten times as long.
const FIRST: usize = 1_000;

/// Calls that are measured at each length.
const SAMPLES: usize = 200;

/// Messages of a page, as clients ask for them.
const PAGE: i32 = 50;

/// Measures at 1,000, 10,000 … up to `most` messages, as far as time allows.
pub fn run(most: usize, within: Duration) -> Result<Vec<Row>> {
    let town = Town::without_flood_limit(1);
    let alice = town.person("15550000001", "Alice");
    let bob = town.person("15550000002", "Bob");
    let (began, mut rows, mut len, mut mark) = (Instant::now(), Vec::new(), 0, FIRST);
    while mark <= most {
        while len < mark {
            if began.elapsed() > within {
                return Ok(rows);
            }
            say(&alice, &bob, len)?;
            len += 1;
        }
        rows.push(measured(format!("send after {mark}"), |n| {
            say(&alice, &bob, mark + n)
        })?);
        rows.push(measured(format!("newest page after {mark}"), |_| {
            page(&alice, &bob)
        })?);
        len += SAMPLES;
        mark *= 10;
    }
    Ok(rows)
}

fn say(from: &Client, to: &Client, n: usize) -> Result<()> {
    let said = from.say(from.input_peer_of(to), &format!("message {n}"));
    // Nobody reads what is pushed; it must not pile up.
    drop((from.pushed(), to.pushed()));
    said.map(drop).map_err(|error| anyhow!("{error:?}"))
}

fn page(of: &Client, with: &Client) -> Result<()> {
    let history = of.call(functions::messages::GetHistory {
        peer: of.input_peer_of(with),
        limit: PAGE,
        ..Default::default()
    });
    match history.map_err(|error| anyhow!("{error:?}"))? {
        enums::messages::Messages::MessagesSlice(slice) if slice.messages.len() == PAGE as usize => Ok(()),
        other => Err(anyhow!("no page of {PAGE} messages: {other:?}")),
    }
}

/// This process does nothing else, so time is processor time.
fn measured(name: String, mut call: impl FnMut(usize) -> Result<()>) -> Result<Row> {
    let (began, mut latencies) = (Instant::now(), Vec::new());
    for n in 0..SAMPLES {
        let start = Instant::now();
        call(n)?;
        latencies.push(start.elapsed());
    }
    let elapsed = began.elapsed();
    Ok(Row {
        name,
        count: SAMPLES,
        elapsed,
        latencies,
        cpu: elapsed,
        note: "in process, memory engine".into(),
    })
}
