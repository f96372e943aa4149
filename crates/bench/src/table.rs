//! What was measured, in rows of one form.

use std::time::Duration;

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
    format!(
        "| {} | {} | {:.0} | {} | {} | {:.0} | {} |",
        row.name,
        row.count,
        row.rate(),
        millis(percentile(&latencies, 50)),
        millis(percentile(&latencies, 99)),
        row.cpu_ms() * 1e3,
        row.note,
    )
}

/// The value that `percent` of the sorted ones do not pass.
fn percentile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(place).copied()
}

fn millis(duration: Option<Duration>) -> String {
    duration.map_or("-".into(), |d| format!("{:.2}", d.as_secs_f64() * 1e3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let sorted: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(percentile(&sorted, 50), Some(Duration::from_millis(100)));
        assert_eq!(percentile(&sorted, 99), Some(Duration::from_millis(198)));
        assert_eq!(percentile(&sorted[..1], 99), Some(Duration::from_millis(1)));
        assert_eq!(percentile(&[], 50), None);
    }
}
