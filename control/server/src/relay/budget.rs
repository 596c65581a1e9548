//! How long one call through control may take.
//!
//! In: `X-Mesh-Timeout`, in seconds. Out: a duration; what cannot be read counts as not written.

use std::time::Duration;

use http::HeaderMap;

pub const HEADER: &str = "x-mesh-timeout";
const DEFAULT: Duration = Duration::from_secs(60);
const SECONDS_MAX: u64 = 600;

pub fn budget(headers: &HeaderMap) -> Duration {
    let written = headers.get(HEADER).and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok());
    match written {
        Some(seconds @ 1..) => Duration::from_secs(seconds.min(SECONDS_MAX)),
        Some(0) | None => DEFAULT,
    }
}

#[cfg(test)]
mod tests;
