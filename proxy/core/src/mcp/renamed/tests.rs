use super::{Renamed, renamed};

fn check(body: &str, to: &str, expected: &str) {
    let expected = if expected.is_empty() { Renamed::Same } else { Renamed::To(expected.as_bytes().to_vec()) };
    assert_eq!(renamed(body.as_bytes(), to), expected, "{body}");
}

#[test]
fn only_the_name_changes_and_every_other_byte_stays() {
    check(
        r#"{"jsonrpc":"2.0", "id":1,"method":"tools/call","params":{ "name" : "greet","arguments":{"name":"ann"}}}"#,
        "hello",
        r#"{"jsonrpc":"2.0", "id":1,"method":"tools/call","params":{ "name" : "hello","arguments":{"name":"ann"}}}"#,
    );
    check(
        r#"{"params":{"arguments":{"name":"greet"},"name":"gr\u0065et"},"method":"tools/call","id":"a","jsonrpc":"2.0"}"#,
        "hello_all",
        r#"{"params":{"arguments":{"name":"greet"},"name":"hello_all"},"method":"tools/call","id":"a","jsonrpc":"2.0"}"#,
    );
}

#[test]
fn what_calls_no_tool_or_calls_it_so_already_stays() {
    check(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"gr\u0065et"}}"#, "greet", "");
    check(r#"{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"other"}}"#, "greet", "");
    check(r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#, "greet", "");
    check(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, "greet", "");
    check("no message", "greet", "");
}

#[test]
fn a_name_that_would_have_to_be_escaped_is_not_written() {
    let body = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"greet"}}"#;
    for name in ["a b", "a\"b", "gr\u{fc}ss", ""] {
        assert_eq!(renamed(body, name), Renamed::Never, "{name}");
    }
}
