use super::{Name, Repeated, tokens};
use crate::http1::written::fields;

#[test]
fn names_are_the_same_in_any_case_and_values_stay_as_they_came() {
    let fields = fields(&[("hOsT", "A b"), ("X-Other", "1"), ("Outrigger-Refusal", "x")]);
    assert_eq!(fields.first(Name::Host), Some(&b"A b"[..]));
    assert!(fields.has(Name::Ours));
    let spelled: Vec<_> = fields.iter().map(|(_, name, _)| name).collect();
    assert_eq!(spelled, [&b"hOsT"[..], b"X-Other", b"Outrigger-Refusal"]);
}

#[test]
fn every_name_that_we_act_on_is_known_by_its_text() {
    for (text, name) in [
        ("Accept", Name::Accept),
        ("Connection", Name::Connection),
        ("Content-Encoding", Name::ContentEncoding),
        ("Content-Length", Name::ContentLength),
        ("Content-Type", Name::ContentType),
        ("Expect", Name::Expect),
        ("Host", Name::Host),
        ("Keep-Alive", Name::KeepAlive),
        ("Last-Event-ID", Name::LastEventId),
        ("Mcp-Method", Name::McpMethod),
        ("Mcp-Name", Name::McpName),
        ("MCP-Protocol-Version", Name::McpProtocolVersion),
        ("Mcp-Session-Id", Name::McpSessionId),
        ("Origin", Name::Origin),
        ("Proxy-Connection", Name::ProxyConnection),
        ("TE", Name::Te),
        ("Transfer-Encoding", Name::TransferEncoding),
        ("Upgrade", Name::Upgrade),
        ("Outrigger-Anything", Name::Ours),
        ("outrigger_anything", Name::Ours),
        ("Outrigger-", Name::Ours),
        ("Outrigger", Name::Other),
        ("Outriggers", Name::Other),
        ("x-outrigger-a", Name::Other),
        ("Content_Length", Name::Disguised),
        ("Transfer_Encoding", Name::Disguised),
        ("Transfer-Encodin_", Name::Other),
        ("Mcp-Param-a_b", Name::Other),
        ("Content-Language", Name::Other),
        ("", Name::Other),
    ] {
        assert_eq!(Name::of(text.as_bytes()), name, "{text}");
        assert_eq!(Name::of(text.to_uppercase().as_bytes()), name, "{text}");
    }
}

#[test]
fn what_may_come_once_is_refused_twice() {
    let fields = fields(&[("host", "a"), ("origin", "b"), ("Host", "a")]);
    assert_eq!(fields.once(Name::Host), Err(Repeated));
    assert_eq!(fields.once(Name::Origin), Ok(Some(&b"b"[..])));
    assert_eq!(fields.once(Name::Expect), Ok(None));
    assert_eq!(fields.all(Name::Host).count(), 2);
}

#[test]
fn a_list_may_be_spread_over_several_fields() {
    let fields = fields(&[("connection", "a, Close"), ("connection", ",b,")]);
    for (token, listed) in [("a", true), ("close", true), ("B", true), ("c", false)] {
        assert_eq!(fields.lists(Name::Connection, token), listed, "{token}");
    }
    assert_eq!(tokens(b" , a ,,b").collect::<Vec<_>>(), [b"a", b"b"]);
}
