//! Mesh-wide settings that every proxy must agree on.

use std::time::Duration;

/// Sent to every watcher as one resource named `self`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// A session binding that is not used for this long is forgotten.
    pub session_idle: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { session_idle: Duration::from_secs(3_600) }
    }
}
