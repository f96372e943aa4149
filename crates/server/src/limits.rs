//! Limits that the operator sees and sets while the server runs.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, bail};
use havre_api::dispatch::Api;
use havre_domain::toll;

use crate::config::Settings;
use crate::net::admission::{Admission, Bounds};

/// The settings that are limits which can change at once.
const KEYS: [&str; 5] = [
    "codes_per_address",
    "codes_per_range",
    "codes_per_prefix",
    "connections_max",
    "connections_per_ip_max",
];

/// What holds now.
pub struct Limits {
    settings: Mutex<Settings>,
    api: Arc<Api>,
    admission: Admission,
}

/// Limits on login codes, as the settings say.
pub fn tolls(settings: &Settings) -> toll::Limits {
    toll::Limits {
        per_address: settings.codes_per_address,
        per_range: settings.codes_per_range,
        per_prefix: settings.codes_per_prefix.0.clone(),
    }
}

/// Bounds on connections, as the settings say.
pub fn bounds(settings: &Settings) -> Bounds {
    Bounds {
        connections_max: settings.connections_max,
        connections_per_ip_max: settings.connections_per_ip_max,
        buffered_bytes_max: settings.buffered_bytes_max,
    }
}

impl Limits {
    /// As the server was started.
    pub fn new(settings: Settings, api: Arc<Api>, admission: Admission) -> Self {
        Self {
            settings: Mutex::new(settings),
            api,
            admission,
        }
    }

    /// All of them, one a line, in the form of the settings' file.
    pub fn list(&self) -> String {
        let settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        let line = |key| format!("{key} = {}", text(&settings, key));
        KEYS.map(line).join("\n")
    }

    /// Lets one hold from now on until the server stops.
    ///
    /// # Errors
    /// A sentence for the operator: there is no such limit, or it cannot be that.
    pub fn set(&self, key: &str, value: &str) -> Result<String> {
        let Some(key) = KEYS.into_iter().find(|known| *known == key) else {
            bail!(
                "{key:?} is no limit that can be set while the server runs; there are {}",
                KEYS.join(", ")
            );
        };
        let typed = (key.to_owned(), value.to_owned());
        let wanted = Settings::load([typed], [], None)?;
        let mut settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        let before = text(&settings, key);
        take_over(&mut settings, &wanted, key);
        self.api.set_tolls(tolls(&settings));
        self.admission.set_bounds(bounds(&settings));
        let now = text(&settings, key);
        tracing::info!(limit = key, before, now, "the operator set a limit");
        Ok(format!(
            "{key} = {now}; it was {before}. This holds until the server stops: the settings file keeps it longer"
        ))
    }
}

fn text(settings: &Settings, key: &str) -> String {
    match key {
        "codes_per_address" => settings.codes_per_address.to_string(),
        "codes_per_range" => settings.codes_per_range.to_string(),
        "connections_max" => settings.connections_max.to_string(),
        "connections_per_ip_max" => settings.connections_per_ip_max.to_string(),
        _ => {
            let prefixes = settings.codes_per_prefix.0.iter();
            let words: Vec<_> = prefixes
                .map(|(prefix, count)| format!("{prefix}={count}"))
                .collect();
            format!("\"{}\"", words.join(" "))
        }
    }
}

fn take_over(settings: &mut Settings, wanted: &Settings, key: &str) {
    match key {
        "codes_per_address" => settings.codes_per_address = wanted.codes_per_address,
        "codes_per_range" => settings.codes_per_range = wanted.codes_per_range,
        "connections_max" => settings.connections_max = wanted.connections_max,
        "connections_per_ip_max" => settings.connections_per_ip_max = wanted.connections_per_ip_max,
        _ => settings.codes_per_prefix = wanted.codes_per_prefix.clone(),
    }
}
