//! The table of metrics, from which the struct, the text and `docs/metrics.md` come.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use crate::kinds::{Code, Ending, Flood, Handshake, Namespace, Refusal, Spoilt, Undelivered};
use crate::measures::{ByKind, Counter, Gauge, Histogram, Measure, Spent};

/// What the table says about one metric.
#[derive(Debug)]
pub struct Row {
    /// Name without the endings that its unit and type give it.
    pub name: &'static str,
    /// `bytes`, `seconds`, or nothing for numbers of things.
    pub unit: &'static str,
    /// Doc comment, line by line.
    pub doc: &'static [&'static str],
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// The label and its values, if it has one.
    pub label: Option<(&'static str, &'static [&'static str])>,
}

impl Row {
    /// The name that queries use; of a histogram the name to which `_bucket`, `_sum` and `_count` are added.
    #[must_use]
    pub fn full_name(&self) -> String {
        let mut name = self.name.to_owned();
        if !self.unit.is_empty() {
            name = name + "_" + self.unit;
        }
        if self.kind == "counter" {
            name += "_total";
        }
        name
    }

    /// What it means, as one line.
    #[must_use]
    pub fn help(&self) -> String {
        self.doc
            .iter()
            .map(|line| line.trim())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

const fn type_name(of: MetricType) -> &'static str {
    match of {
        MetricType::Counter => "counter",
        MetricType::Gauge => "gauge",
        MetricType::Histogram => "histogram",
        _ => "unknown",
    }
}

macro_rules! metrics {
    ($($(#[doc = $doc:literal])+ $field:ident: $type:ty = $name:literal, $unit:literal;)+) => {
        /// Everything that is counted.
        #[derive(Debug, Default)]
        pub struct Metrics {
            $($(#[doc = $doc])+ pub $field: $type,)+
        }

        /// The table, in the order of the text.
        pub const METRICS: &[Row] = &[$(Row {
            name: $name, unit: $unit, doc: &[$($doc),+],
            kind: type_name(<$type as Measure>::TYPE), label: <$type as Measure>::LABEL,
        }),+];

        impl Metrics {
            fn encode_rows(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
                let mut rows = METRICS.iter();
                $(if let Some(row) = rows.next() {
                    encode_row(encoder, row, &self.$field)?;
                })+
                Ok(())
            }
        }
    };
}

metrics! {
    /// Connections that are open.
    connections: Gauge = "havre_connections", "";
    /// Connections that were let in.
    connections_accepted: Counter = "havre_connections_accepted", "";
    /// Connections that were closed as soon as they came, as a limit was reached.
    connections_refused: ByKind<Refusal> = "havre_connections_refused", "";
    /// Connections that ended.
    connections_ended: ByKind<Ending> = "havre_connections_ended", "";
    /// Bytes that are held for packets that are not whole yet.
    buffered: Gauge = "havre_buffered", "bytes";
    /// Bytes that came from clients.
    received: Counter = "havre_received", "bytes";
    /// Bytes that went to clients.
    sent: Counter = "havre_sent", "bytes";
    /// Encrypted packets that came and opened under their key.
    packets_received: Counter = "havre_packets_received", "";
    /// Encrypted packets that went out.
    packets_sent: Counter = "havre_packets_sent", "";
    /// Packets and messages that were not taken.
    packets_spoilt: ByKind<Spoilt> = "havre_packets_spoilt", "";
    /// Handshakes that began: a client asked for a key.
    handshakes_begun: Counter = "havre_handshakes_begun", "";
    /// Handshakes that made a key.
    handshakes_done: Counter = "havre_handshakes_done", "";
    /// Handshake requests that came again and got the answer of before.
    handshakes_replayed: Counter = "havre_handshakes_replayed", "";
    /// Handshakes that came to nothing.
    handshakes_refused: ByKind<Handshake> = "havre_handshakes_refused", "";
    /// How long a step of a handshake waited for a thread of its lane.
    handshake_waited: Histogram = "havre_handshake_queue", "seconds";
    /// How long the arithmetic of a step of a handshake took.
    handshake_worked: Histogram = "havre_handshake_work", "seconds";
    /// Steps of handshakes that wait for a thread now.
    handshake_queue: Gauge = "havre_handshake_queue_length", "";
    /// Sessions that are kept, with a connection or waiting for one to come back.
    sessions: Gauge = "havre_sessions", "";
    /// People who are pushed what happens to them.
    people_online: Gauge = "havre_people_online", "";
    /// Calls, and how long they took until their answer was ready.
    calls: ByKind<Namespace, Histogram> = "havre_call", "seconds";
    /// Calls that run now.
    calls_running: Gauge = "havre_calls_running", "";
    /// Calls that were answered with an error.
    call_errors: ByKind<Code> = "havre_call_errors", "";
    /// Times that somebody was told to come back later (`FLOOD_WAIT`).
    floods: ByKind<Flood> = "havre_floods", "";
    /// Accounts that were made.
    sign_ups: Counter = "havre_sign_ups", "";
    /// Logins to accounts that existed.
    log_ins: Counter = "havre_log_ins", "";
    /// Login codes that were given to the provider.
    codes_sent: Counter = "havre_codes_sent", "";
    /// Login codes that were entered wrong.
    codes_wrong: Counter = "havre_codes_wrong", "";
    /// Passwords that were entered wrong.
    passwords_wrong: Counter = "havre_passwords_wrong", "";
    /// Messages that were sent and committed; one to a group counts once.
    messages_sent: Counter = "havre_messages_sent", "";
    /// Pushes that were handed to sessions.
    pushes: Counter = "havre_pushes", "";
    /// Pushes that did not reach their session.
    pushes_dropped: ByKind<Undelivered> = "havre_pushes_dropped", "";
    /// Partitions, such as the boxes of a group, that were changed by the commit that asked it of them.
    reached: Counter = "havre_reached_with_commit", "";
    /// How long it took to deliver what a commit asked of other partitions and could not do itself.
    deliveries: Histogram = "havre_delivery", "seconds";
    /// Deliveries from a partition to others that run now.
    deliveries_running: Gauge = "havre_deliveries_running", "";
    /// Partitions with effects that wait to be delivered to others, when last looked for.
    outboxes_waiting: Gauge = "havre_outboxes_waiting", "";
    /// How long the store took to make a commit durable.
    store_commits: Histogram = "havre_store_commit", "seconds";
    /// How long the store took to read.
    store_reads: Histogram = "havre_store_read", "seconds";
    /// Commits that found their partition changed, and were computed again.
    store_conflicts: Counter = "havre_store_conflicts", "";
    /// Reads and commits that the store could not do.
    store_failures: Counter = "havre_store_failures", "";
    /// Batches of commits that the embedded store made durable, each with one sync.
    store_batches: Counter = "havre_store_batches", "";
    /// Memory that the process has.
    process_memory: Gauge = "process_resident_memory", "bytes";
    /// Processor time that the process has used.
    process_cpu: Spent = "process_cpu", "seconds";
    /// Files and sockets that the process has open.
    process_files: Gauge = "process_open_fds", "";
    /// Files and sockets that the process may have open.
    process_files_max: Gauge = "process_max_fds", "";
    /// When the process started, in seconds since 1970.
    process_start: Gauge = "process_start_time", "seconds";
}

fn encode_row(encoder: &mut DescriptorEncoder<'_>, row: &Row, measure: &impl Measure) -> fmt::Result {
    let unit = (!row.unit.is_empty()).then(|| Unit::Other(row.unit.to_owned()));
    let kind = match row.kind {
        "counter" => MetricType::Counter,
        "gauge" => MetricType::Gauge,
        _ => MetricType::Histogram,
    };
    measure.encode(encoder.encode_descriptor(row.name, &row.help(), unit.as_ref(), kind)?)
}

impl Metrics {
    /// Everything in the text format of OpenMetrics 1.0.
    #[must_use]
    pub fn text(self: &Arc<Self>) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Arc::clone(self)));
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = text::encode(&mut text, &registry);
        text
    }
}

impl Collector for Metrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.encode_rows(&mut encoder)
    }
}

/// The text of `docs/metrics.md`.
#[must_use]
pub fn page() -> String {
    let mut text = String::from(PAGE_HEAD);
    for row in METRICS {
        let label = row.label.map_or(String::new(), |(label, values)| {
            let values: Vec<_> = values.iter().map(|value| format!("`{value}`")).collect();
            format!(" By `{label}`: {}.", values.join(", "))
        });
        let _ = writeln!(
            text,
            "| `{}` | {} | {}{label} |",
            row.full_name(),
            row.kind,
            row.help()
        );
    }
    text
}

const PAGE_HEAD: &str = "\
# Metrics

`havre serve --set metrics_listen=127.0.0.1:9430` serves them at `/metrics`, in the text format of OpenMetrics 1.0 that
Prometheus and its kin read. No label holds anything that a client chose: the number of lines never changes.
`docs/grafana.json` is a dashboard of them. A histogram has `_bucket`, `_sum` and `_count`; its count is how often the
thing happened.

```yaml
scrape_configs:
  - job_name: havre
    static_configs:
      - targets: [\"127.0.0.1:9430\"]
```

Worth waking somebody:

- `/ready` has not answered 200 for a minute.
- `rate(havre_call_errors_total{code=\"500\"}[5m]) > 0` or `rate(havre_store_failures_total[5m]) > 0`: the server fails
  people; its log says why.
- `min_over_time(havre_outboxes_waiting[10m]) > 0`: messages are kept but do not reach everybody.
- `process_open_fds / process_max_fds > 0.8`: soon nobody can connect.

| name | type | what |
| --- | --- | --- |
";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn the_page_of_metrics_is_fresh() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
        if std::env::var_os("HAVRE_REGENERATE").is_some() {
            std::fs::write(&path, page()).unwrap();
        }
        let stored = std::fs::read_to_string(&path).unwrap();
        assert_eq!(stored, page(), "run: make regenerate");
    }

    #[test]
    fn every_row_is_printed_once_under_its_full_name() {
        let text = Arc::new(Metrics::default()).text();
        let printed: BTreeSet<&str> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split([' ', '{']).next())
            .collect();
        for row in METRICS {
            let name = row.full_name();
            let sample = if row.kind == "histogram" {
                name.clone() + "_count"
            } else {
                name.clone()
            };
            assert!(printed.contains(sample.as_str()), "{sample} in\n{text}");
        }
        let names: BTreeSet<_> = METRICS.iter().map(Row::full_name).collect();
        assert_eq!(names.len(), METRICS.len());
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn what_is_counted_is_what_is_printed() {
        let metrics = Arc::new(Metrics::default());
        metrics.received.add(7);
        metrics.floods.of(Flood::Sends).inc();
        metrics
            .calls
            .of(Namespace::Help)
            .took(std::time::Duration::from_millis(3));
        metrics.process_cpu.set(std::time::Duration::from_millis(1500));
        let text = metrics.text();
        for line in [
            "# UNIT havre_received_bytes bytes",
            "havre_received_bytes_total 7",
            "havre_floods_total{kind=\"sends\"} 1",
            "havre_floods_total{kind=\"codes\"} 0",
            "havre_call_seconds_bucket{le=\"0.0025\",namespace=\"help\"} 0",
            "havre_call_seconds_bucket{le=\"0.005\",namespace=\"help\"} 1",
            "havre_call_seconds_bucket{le=\"+Inf\",namespace=\"help\"} 1",
            "havre_call_seconds_sum{namespace=\"help\"} 0.003",
            "process_cpu_seconds_total 1.5",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
        }
    }
}
