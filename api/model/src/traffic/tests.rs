use super::*;

#[test]
fn what_the_mesh_and_the_protocol_live_by_is_protected_in_every_spelling() {
    for name in ["host", "Content-Length", "transfer_encoding", "te", "mcp-session-id", "MCP_Name", "mcp-param-city"] {
        assert!(is_protected(name), "{name}");
    }
    for name in ["outrigger-as-is", "outrigger_refusal", "Connection", "upgrade", "expect", "accept", "X-Mesh-Timeout"]
    {
        assert!(is_protected(name), "{name}");
    }
    for name in ["authorization", "x-api-key", "cookie", "mcp", "hosts", "accept-language"] {
        assert!(!is_protected(name), "{name}");
    }
}

#[test]
fn values_of_header_edits_are_shown_to_nobody() {
    let pair = |value: &str| ("authorization".to_owned(), value.to_owned());
    let edits =
        HeaderEdits { remove: vec!["x-debug".to_owned()], set: vec![pair("hunter2")], add: vec![pair("hunter3")] };
    let traffic = Traffic { headers: edits.clone(), ..Traffic::default() };
    for text in [format!("{traffic:?}"), format!("{:#?}", edits), format!("{:?}", edits.without_values().set)] {
        assert!(!text.contains("hunter"), "{text}");
    }
    assert_eq!(edits.names().collect::<Vec<_>>(), ["x-debug", "authorization", "authorization"]);
    assert_eq!(edits.without_values().set, [pair(HIDDEN)]);
}
