use serde_json::{Map, json};

use super::{answer, request};

#[test]
fn only_the_answer_to_the_own_request_counts() {
    assert_eq!(answer(&json!({"id": 2, "result": 7}), 2).unwrap().unwrap(), 7);
    assert!(answer(&json!({"id": 3, "result": 7}), 2).is_none());
    assert!(answer(&json!({"id": 3, "error": {"code": 1, "message": "x"}}), 2).is_none());
    assert!(answer(&json!({"method": "notifications/progress", "params": {}}), 2).is_none());
}

#[test]
fn an_error_without_an_id_answers_whatever_was_asked() {
    for message in [
        json!({"id": null, "error": {"code": -32603, "message": "no", "data": {"reason": "no_provider", "hint": "h"}}}),
        json!({"error": {"code": -32603, "message": "no", "data": {"reason": "no_provider", "hint": "h"}}}),
    ] {
        let error = answer(&message, 2).unwrap().unwrap_err();
        assert_eq!(
            (error.code, error.reason.as_deref(), error.hint.as_deref()),
            (-32603, Some("no_provider"), Some("h"))
        );
    }
}

// MCP 2026-07-28 `basic`: every request carries protocol version, client info and client capabilities in `_meta`.
#[test]
fn a_modern_request_says_of_itself_what_initialize_said() {
    let modern = request(1, "tools/list", Map::new(), true);
    assert_eq!(modern["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"], "2026-07-28");
    let legacy = request(1, "tools/list", Map::new(), false);
    assert_eq!(legacy["params"]["_meta"], json!({"progressToken": 1}));
}
