//! What the system knows of this process.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use havre_metrics::Metrics;
use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

/// Notes that the process starts now.
pub fn started(metrics: &Metrics) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    metrics.process_start.set(now.as_secs());
}

/// Reads everything anew.
pub fn measure(metrics: &Metrics) {
    metrics.process_cpu.set(processor_time());
    metrics.process_memory.set(resident_bytes().unwrap_or_default());
    metrics.process_files.set(open_files().unwrap_or_default());
    let files_max = getrlimit(Resource::Nofile).current;
    metrics.process_files_max.set(files_max.unwrap_or(u64::MAX >> 1));
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// Nothing where there is no `/proc`.
fn resident_bytes() -> Option<u64> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    let resident: u64 = pages.split_whitespace().nth(1)?.parse().ok()?;
    Some(resident * rustix::param::page_size() as u64)
}

fn open_files() -> Option<u64> {
    let open = std::fs::read_dir("/dev/fd").ok()?.count();
    // One of them is the folder that is being read.
    u64::try_from(open).ok().map(|open| open.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_counted_as_they_open() {
        let metrics = Metrics::default();
        measure(&metrics);
        let before = metrics.process_files.level();
        let files: Vec<_> = (0..8)
            .map(|_| std::fs::File::open("/dev/null").unwrap())
            .collect();
        measure(&metrics);
        // Other tests of this process may open and close some meanwhile.
        assert!(metrics.process_files.level() >= before + 4, "{before}");
        assert!(metrics.process_files_max.level() >= metrics.process_files.level());
        drop(files);
    }

    #[test]
    fn memory_is_that_of_a_process() {
        let metrics = Metrics::default();
        measure(&metrics);
        let memory = metrics.process_memory.level();
        assert!(memory > 1 << 20 && memory < 1 << 34, "{memory}");
    }
}
