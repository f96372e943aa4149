//! What a server counts. [`Metrics`] is the table: every metric by name, unit and meaning. Knows no clock, no
//! socket and no rule: whoever sees something happen counts it here, and whoever is asked prints it.
//!
//! An event costs an addition to an atomic. Names and labels are touched only when the text is made.

mod kinds;
mod measures;
mod table;

pub use kinds::{Code, Ending, Flood, Handshake, Kind, Namespace, Refusal, Spoilt, Undelivered};
pub use measures::{ByKind, Counter, Gauge, Held, Histogram, Spent};
pub use table::{METRICS, Metrics, Row, page};
