//! `docs/grafana.json` asks only for metrics and labels that exist, and leaves none of ours out.
#![allow(clippy::unwrap_used, reason = "a test that fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use havre_metrics::METRICS;
use serde_json::Value;

/// What is no metric in a query: functions, words of the language, labels that Prometheus adds.
const WORDS: [&str; 9] = [
    "sum",
    "min",
    "by",
    "rate",
    "histogram_quantile",
    "label_values",
    "le",
    "instance",
    "__rate_interval",
];

/// Every name that can be asked for, with its label.
fn samples() -> BTreeMap<String, Option<&'static str>> {
    let mut samples = BTreeMap::new();
    for row in METRICS {
        let endings: &[&str] = match row.kind {
            "histogram" => &["_bucket", "_sum", "_count"],
            _ => &[""],
        };
        for ending in endings {
            samples.insert(row.full_name() + ending, row.label.map(|(label, _)| label));
        }
    }
    samples
}

/// All queries of a dashboard, however deep.
fn queries(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(text) if key == "expr" => found.push(text.clone()),
                    _ => queries(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| queries(value, found)),
        _ => {}
    }
}

/// The names in a query; what stands in quotes is a value.
fn names(query: &str) -> Vec<&str> {
    let outside = query.split('"').step_by(2);
    let words = outside.flat_map(|part| part.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
    let is_name = |word: &&str| word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    words
        .filter(is_name)
        .filter(|word| !WORDS.contains(word))
        .collect()
}

fn dashboard() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/grafana.json");
    let text = std::fs::read_to_string(path).unwrap();
    let mut found = Vec::new();
    queries(&serde_json::from_str(&text).unwrap(), &mut found);
    found
}

/// Whether a name stands for a metric, or for the label of one that is asked for in the same query.
fn is_known(name: &str, query: &str, samples: &BTreeMap<String, Option<&str>>) -> bool {
    samples.contains_key(name)
        || names(query)
            .iter()
            .any(|asked| samples.get(*asked).is_some_and(|label| *label == Some(name)))
}

#[test]
fn the_dashboard_asks_for_what_exists() {
    let samples = samples();
    let queries = dashboard();
    assert!(queries.len() > 30, "{}", queries.len());
    for query in &queries {
        for name in names(query) {
            assert!(is_known(name, query, &samples), "{name} in {query}");
        }
    }
}

#[test]
fn what_does_not_exist_is_found_out() {
    let samples = samples();
    let known = |name, query| is_known(name, query, &samples);
    assert!(known("kind", "sum by (kind) (rate(havre_floods_total[5m]))"));
    assert!(!known("reason", "sum by (reason) (rate(havre_floods_total[5m]))"));
    assert!(!known("havre_flood_total", "havre_flood_total"));
    assert_eq!(
        names("rate(a_b{instance=~\"x_y\"}[$__rate_interval]) / c"),
        ["a_b", "c"]
    );
}

#[test]
fn the_dashboard_shows_every_metric() {
    let queries = dashboard();
    let shown: BTreeSet<&str> = queries.iter().flat_map(|query| names(query)).collect();
    for row in METRICS {
        let name = row.full_name();
        let is_shown = shown.iter().any(|shown| shown.starts_with(name.as_str()));
        assert!(is_shown, "{name}");
    }
}
