//! Fields that several messages share.

use std::time::{Duration, SystemTime};

use outrigger_model::tag::TagSet;

use crate::limit::{DURATION_SECONDS_MAX, TIME_SECONDS_MAX};

pub fn duration(duration: Duration) -> prost_types::Duration {
    let seconds = duration.as_secs().min(DURATION_SECONDS_MAX);
    let nanos = if seconds < DURATION_SECONDS_MAX { duration.subsec_nanos() } else { 0 };
    prost_types::Duration { seconds: seconds.cast_signed(), nanos: nanos.cast_signed() }
}

/// A time before 1970 counts as 1970; one after 9999 as its end.
pub fn time(time: SystemTime) -> prost_types::Timestamp {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let seconds = since.as_secs().min(TIME_SECONDS_MAX);
    prost_types::Timestamp { seconds: seconds.cast_signed(), nanos: since.subsec_nanos().cast_signed() }
}

/// Seconds since 1970.
pub fn seconds(unix: u64) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: unix.min(TIME_SECONDS_MAX).cast_signed(), nanos: 0 }
}

pub fn tags(tags: &TagSet) -> Vec<String> {
    tags.iter().map(|tag| tag.as_str().to_owned()).collect()
}
