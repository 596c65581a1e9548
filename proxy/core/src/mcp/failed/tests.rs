use super::{LOOKED_AT_BYTES_MAX, says_failed};

/// (answer, whether it is a failure of the server, and whether it is one where `isError` counts)
#[test]
fn only_a_server_that_failed_says_so() {
    for (body, failed, counted) in [
        (r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"boom"}}"#, true, true),
        (r#"{"error": {"message": "closed", "code" : -32000}, "id": 1}"#, true, true),
        (r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"bad"}}"#, false, false),
        (r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"isError":true}}"#, false, true),
        (r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"isError": true}}"#, false, true),
        (r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"isError":false}}"#, false, false),
        (r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"text":"no \"error\" here"}]}}"#, false, false),
        ("", false, false),
    ] {
        assert_eq!(
            (says_failed(body.as_bytes(), false), says_failed(body.as_bytes(), true)),
            (failed, counted),
            "{body}"
        );
    }
}

#[test]
fn a_large_answer_is_not_looked_at() {
    let body = format!(r#"{{"error":{{"code":-32603,"data":"{}"}}}}"#, "x".repeat(LOOKED_AT_BYTES_MAX));
    assert!(!says_failed(body.as_bytes(), true));
}
