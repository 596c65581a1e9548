use std::time::Duration;

use super::{Limits, RoutePolicy};
use crate::calls::{Calls, WrittenCalls};

const SECONDS: fn(u64) -> Duration = Duration::from_secs;

fn policy(written: WrittenCalls) -> RoutePolicy {
    RoutePolicy::wanted(&Calls::try_from(written).unwrap())
}

#[test]
fn an_agent_that_says_nothing_gets_what_is_usual() {
    assert_eq!(policy(WrittenCalls::default()), RoutePolicy::default());
}

/// The kwargs of mcp-mesh: timeout in seconds, retry_count, custom_headers, streaming.
#[test]
fn what_an_agent_registers_is_the_policy_of_its_routes() {
    let headers = vec![("X-Service".to_owned(), "data".to_owned())];
    let written = WrittenCalls { timeout_ms: Some(120_000), retry_count: Some(3), headers, streaming: false };
    let got = policy(written.clone());
    let call = Limits { first_byte: Some(SECONDS(120)), idle: Some(SECONDS(120)), total: Some(SECONDS(3_600)) };
    assert_eq!((got.timeouts.call, got.retries.attempts), (call, 4));
    assert_eq!(got.traffic.headers.set, [("x-service".to_owned(), "data".to_owned())]);
    assert_eq!(got.retries.tools, [], "to ask for retries makes no tool one that may run twice");
    assert_eq!(got.timeouts.quick, RoutePolicy::default().timeouts.quick);
    let streaming = policy(WrittenCalls { streaming: true, ..written });
    assert_eq!(streaming.timeouts.call, Limits { first_byte: Some(SECONDS(120)), idle: None, total: None });
    let long = policy(WrittenCalls { timeout_ms: Some(7_200_000), ..WrittenCalls::default() });
    assert_eq!(long.timeouts.call.total, Some(SECONDS(7_200)));
    assert_eq!(policy(WrittenCalls { retry_count: Some(0), ..WrittenCalls::default() }).retries.attempts, 1);
}
