use super::{Asks, binds, is_same_revision};
use crate::mcp::envelope::Envelope;

fn asks(stream: &str) -> bool {
    let at_once = {
        let mut asks = Asks::default();
        asks.feed(stream.as_bytes());
        asks.seen()
    };
    let mut asks = Asks::default();
    stream.as_bytes().chunks(1).for_each(|byte| asks.feed(byte));
    assert_eq!(asks.seen(), at_once, "how it is cut changes nothing: {stream}");
    at_once
}

#[test]
fn an_agent_that_asks_is_seen_and_one_that_tells_is_not() {
    let ask = r#"{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{}}"#;
    let tell = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"id":1,"method":"x"}}"#;
    let result = r#"{"jsonrpc":"2.0","id":1,"result":{"method":"x","id":2}}"#;
    for end in ["\n", "\r", "\r\n"] {
        let event = |text: &str| format!("id: 7{end}event: message{end}data: {text}{end}{end}");
        assert!(!asks(&event(tell)), "{end:?}");
        assert!(!asks(&event(result)), "{end:?}");
        assert!(asks(&event(ask)), "{end:?}");
        assert!(asks(&format!("{}{}", event(tell), event(ask))), "{end:?}");
        assert!(
            !asks(&format!(": comment{end}{end}id: 1{end}data:{end}{end}id: 2{end}data: {end}{end}retry: 5{end}{end}")),
            "{end:?}"
        );
        let (front, back) = ask.split_at(17);
        assert!(asks(&format!("data:{front}{end}data:{back}{end}{end}")), "{end:?}: in two lines");
    }
    assert!(!asks(&format!("data: {ask}\n")), "it has not ended");
    assert!(!asks(&format!("datax: {ask}\n\ndat: {ask}\n\n: data: {ask}\n\n")), "no data");
}

#[test]
fn what_cannot_be_read_counts_as_asking() {
    for data in ["[]", "{", "nonsense", r#"[{"jsonrpc":"2.0","method":"x"}]"#] {
        assert!(asks(&format!("data: {data}\n\n")), "{data}");
    }
}

/// 2025-11-25 `basic/transports`: "if the server does not receive an MCP-Protocol-Version header [...] the server SHOULD assume protocol
/// version 2025-03-26".
#[test]
fn a_session_goes_on_only_in_the_revision_that_its_client_was_told() {
    for (agreed, said, same) in [
        ("2025-11-25", Some("2025-11-25"), true),
        ("2025-11-25", Some("2025-06-18"), false),
        ("2025-06-18", None, false),
        ("2025-03-26", None, true),
        ("2024-11-05", None, true),
    ] {
        assert_eq!(is_same_revision(agreed, said.map(str::as_bytes)), same, "{agreed} {said:?}");
    }
}

#[test]
fn a_subscription_binds_and_so_does_what_may_hold_one() {
    for (body, expected) in [
        (r#"{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"a"}}"#, true),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#, false),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"tools/call"}]"#, true),
    ] {
        assert_eq!(binds(&Envelope::read(body.as_bytes()).unwrap()), expected, "{body}");
    }
}
