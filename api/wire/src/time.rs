//! Times as messages, and as text, the way protobuf's JSON form writes them.

use std::time::SystemTime;

/// RFC 3339, in UTC.
pub fn rfc3339(time: SystemTime) -> String {
    prost_types::Timestamp::from(time).to_string()
}

/// The message that stands for a time.
pub fn timestamp(time: SystemTime) -> prost_types::Timestamp {
    time.into()
}
