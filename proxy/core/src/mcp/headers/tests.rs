use outrigger_model::revision::{Era, Revision};

use super::{McpHeaders, SESSION_ID_BYTES_MAX, minted};
use crate::http1::written::fields;
use crate::refusal::{Malformed, Refusal};

#[test]
fn the_era_is_told_by_revision_then_session() {
    for (lines, era) in [
        (&[("MCP-Protocol-Version", "2026-07-28")][..], Some(Era::Modern)),
        (&[("MCP-Protocol-Version", "2031-01-01")], Some(Era::Modern)),
        (&[("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Session-Id", "s")], Some(Era::Modern)),
        (&[("MCP-Protocol-Version", "2025-11-25")], Some(Era::Legacy)),
        (&[("Mcp-Session-Id", "s")], Some(Era::Legacy)),
        (&[("Mcp-Method", "tools/call")], None),
        (&[("MCP-Protocol-Version", "latest")], None),
        (&[], None),
    ] {
        assert_eq!(McpHeaders::read(&fields(lines)).unwrap().era(), era, "{lines:?}");
    }
}

#[test]
fn blank_space_around_a_value_does_not_count() {
    let headers = fields(&[("MCP-Protocol-Version", " 2025-06-18\t"), ("Mcp-Method", " ping ")]);
    let read = McpHeaders::read(&headers).unwrap();
    assert_eq!((read.revision, read.method), (Some(Revision::V2025_06_18), Some("ping")));
}

#[test]
fn a_header_given_twice_is_refused() {
    for name in ["mcp-protocol-version", "mcp-method", "mcp-name", "mcp-session-id", "last-event-id"] {
        let refusal = McpHeaders::read(&fields(&[(name, "a"), (name, "a")])).unwrap_err();
        assert_eq!(refusal, Refusal::Malformed(Malformed::Repeated(name)));
    }
}

/// 2026-07-28 `basic/transports`: a value that does not fit a header is sent as `=?base64?{Base64EncodedValue}?=`.
#[test]
fn names_are_decoded_when_wrapped_whole() {
    for (sent, name) in [
        ("get_forecast", "get_forecast"),
        ("=?base64?w6TDtsO8?=", "äöü"),
        ("=?base64?YQ==?=", "a"),
        ("=?base64??=", ""),
        ("=?base64?YQ==", "=?base64?YQ=="),
        ("YQ==?=", "YQ==?="),
        ("=?BASE64?YQ==?=", "=?BASE64?YQ==?="),
        ("=?base64?YQ?=", "=?base64?YQ?="),
        ("=?base64?YR==?=", "=?base64?YR==?="),
        ("=?base64?Y===?=", "=?base64?Y===?="),
        ("=?base64?YQ==YQ==?=", "=?base64?YQ==YQ==?="),
        ("=?base64?/w==?=", "=?base64?/w==?="),
        ("", ""),
    ] {
        let headers = fields(&[("Mcp-Name", sent)]);
        assert_eq!(McpHeaders::read(&headers).unwrap().name.as_deref(), Some(name), "{sent}");
    }
}

/// 2025-11-25 `basic/transports`: "The session ID MUST only contain visible ASCII characters (ranging from 0x21 to 0x7E)".
#[test]
fn a_session_id_is_visible_ascii_and_not_too_long() {
    let longest = "x".repeat(SESSION_ID_BYTES_MAX);
    let longer = "x".repeat(SESSION_ID_BYTES_MAX + 1);
    for (id, fits) in
        [("a", true), ("!~", true), (&longest, true), (&longer, false), ("a b", false), ("ä", false), ("", false)]
    {
        let headers = fields(&[("mcp-session-id", id)]);
        assert_eq!(McpHeaders::read(&headers).is_ok(), fits, "{id}");
        assert_eq!(minted(&headers).is_some(), fits, "{id}");
    }
}
