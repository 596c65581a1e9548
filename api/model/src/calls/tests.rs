use super::{BadCalls, Calls, WrittenCalls};

#[test]
fn what_it_wrote_can_be_written_again() {
    let headers = vec![("a".to_owned(), "1".to_owned()), ("b".to_owned(), String::new())];
    let written = WrittenCalls { timeout_ms: Some(1), retry_count: Some(9), headers, streaming: true };
    assert_eq!(Calls::try_from(written.clone()).unwrap().written(), written);
}

#[test]
fn what_would_break_calls_cannot_be_asked_for() {
    let header = |name: &str, value: &str| WrittenCalls {
        headers: vec![(name.to_owned(), value.to_owned())],
        ..WrittenCalls::default()
    };
    let twice = WrittenCalls {
        headers: vec![("x-a".into(), "1".into()), ("X-A".into(), "2".into())],
        ..WrittenCalls::default()
    };
    for (written, bad) in [
        (WrittenCalls { timeout_ms: Some(0), ..WrittenCalls::default() }, BadCalls::Timeout),
        (WrittenCalls { retry_count: Some(10), ..WrittenCalls::default() }, BadCalls::RetryCount(10)),
        (header("Host", "a"), BadCalls::Reserved("host".into())),
        (header("mcp-session-id", "a"), BadCalls::Reserved("mcp-session-id".into())),
        (header("Outrigger_As_Is", "1"), BadCalls::Reserved("outrigger_as_is".into())),
        (header("x y", "a"), BadCalls::HeaderName("x y".into())),
        (header("", "a"), BadCalls::HeaderName(String::new())),
        (header("x-a", "1\r\nx-b: 2"), BadCalls::HeaderValue("x-a".into())),
        (twice, BadCalls::Twice("x-a".into())),
    ] {
        assert_eq!(Calls::try_from(written), Err(bad));
    }
}
