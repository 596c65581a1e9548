//! How much control takes on for the sake of its watchers.
//!
//! Never here: keys of the file; these are limits that hold everywhere, and tests make them small.

use std::time::Duration;

/// Limits of discovery streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamLimits {
    /// New streams in a second, as many at once, for each core.
    pub new_per_core: u32,
    /// How long a stream lives, give or take [`StreamLimits::age_jitter_percent`]: streams spread over replicas of control again,
    /// and a certificate is looked at anew.
    pub age: Duration,
    pub age_jitter_percent: u32,
    /// Bytes of large answers that were written and not acknowledged, over all streams.
    pub large_bytes: usize,
    /// From this size an answer is large.
    pub large_from: usize,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self {
            new_per_core: 1_000,
            age: Duration::from_secs(30 * 60),
            age_jitter_percent: 20,
            large_bytes: 64 << 20,
            large_from: 16 << 10,
        }
    }
}
