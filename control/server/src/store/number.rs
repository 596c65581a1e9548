//! Numbers and times as SQL holds them: its integers are signed.
//!
//! Invariant: ours that count up from one never reach the difference.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Milliseconds since 1970.
pub fn millis(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A wall time from milliseconds since 1970.
pub fn time(millis: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}
