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
mod tests {
    use super::*;

    #[test]
    fn a_call_may_take_as_long_as_it_says_and_never_more_than_ten_minutes() {
        let rows = [
            ("30", 30),
            ("600", 600),
            ("601", 600),
            ("99999999999", 600),
            ("0", 60),
            ("-1", 60),
            ("soon", 60),
            ("", 60),
        ];
        for (written, seconds) in rows {
            let headers = HeaderMap::from_iter([(HEADER.parse().unwrap(), written.parse().unwrap())]);
            assert_eq!(budget(&headers), Duration::from_secs(seconds), "{written}");
        }
        assert_eq!(budget(&HeaderMap::new()), Duration::from_secs(60));
    }
}
