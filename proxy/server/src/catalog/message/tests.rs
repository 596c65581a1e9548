use super::Message;

#[test]
fn messages_come_back_as_they_were() {
    for text in [
        r#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"x": 1.0}}"#,
        r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/x","params":{}}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{"a" : [1]}}"#,
        r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"m"}}"#,
    ] {
        assert_eq!(Message::read(text.as_bytes()).expect(text).write(), text);
    }
}

#[test]
fn what_is_no_message_is_none() {
    for text in [
        "",
        "[]",
        "{}",
        r#"{"jsonrpc":"1.0","id":1,"method":"x"}"#,
        r#"{"jsonrpc":"2.0","id":[1],"method":"x"}"#,
        r#"{"jsonrpc":"2.0","id":1}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"x"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":5}"#,
    ] {
        assert!(Message::read(text.as_bytes()).is_none(), "{text}");
    }
}
