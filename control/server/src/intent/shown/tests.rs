use super::*;

#[test]
fn values_of_header_fields_are_hidden_and_everything_else_is_shown() {
    let document = r#"{"routes": [{"name": "a", "headers": {"set": {"authorization": "hunter2"}, "add": {"x": "hunter2"}, "remove": ["y"]},
        "match": [{"headers": {"set": "hunter2", "cookie": "hunter2"}, "to": {"version": "^1"}}]}]}"#;
    let tree = shown(document).unwrap();
    let expected = serde_json::json!({"routes": [{
        "name": "a",
        "headers": {"set": {"authorization": "(hidden)"}, "add": {"x": "(hidden)"}, "remove": ["y"]},
        "match": [{"headers": {"set": "(hidden)", "cookie": "(hidden)"}, "to": {"version": "^1"}}],
    }]});
    assert_eq!(tree, expected);
    assert_eq!(shown("no json"), None);
}
