//! What was measured, in rows of one form.

use std::time::Duration;

use crate::steady::percentile;

/// One row.
pub struct Row {
    /// What was done.
    pub name: String,
    /// How often.
    pub count: usize,
    /// In which time.
    pub elapsed: Duration,
    /// How long each took; empty where that says nothing.
    pub latencies: Vec<Duration>,
    /// Processor time of the server for all of them.
    pub cpu: Duration,
    /// What else there is to say.
    pub note: String,
}

impl Row {
    /// How many a second.
    pub fn rate(&self) -> f64 {
        self.count as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }

    /// Processor time of the server for each, milliseconds.
    pub fn cpu_ms(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e3 / self.count.max(1) as f64
    }

    /// How long each took, sorted: seconds.
    pub fn seconds(&self) -> Vec<f64> {
        let mut seconds: Vec<f64> = self.latencies.iter().map(Duration::as_secs_f64).collect();
        seconds.sort_by(f64::total_cmp);
        seconds
    }
}

/// Prints the rows under a head.
pub fn print(rows: &[Row]) {
    println!("| run | count | per second | p50 ms | p99 ms | CPU us each | |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | --- |");
    for row in rows {
        println!("{}", line(row));
    }
}

fn line(row: &Row) -> String {
    let mut latencies = row.latencies.clone();
    latencies.sort_unstable();
    let at = |percent| match latencies[..] {
        [] => "-".into(),
        _ => format!("{:.2}", percentile(&latencies, percent).as_secs_f64() * 1e3),
    };
    format!(
        "| {} | {} | {:.0} | {} | {} | {:.0} | {} |",
        row.name,
        row.count,
        row.rate(),
        at(50.0),
        at(99.0),
        row.cpu_ms() * 1e3,
        row.note,
    )
}
