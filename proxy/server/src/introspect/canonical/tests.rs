use serde_json::Value;

use super::bytes;

#[test]
fn the_order_of_keys_and_the_blanks_do_not_count_and_everything_else_does() {
    let form = |text: &str| bytes(&serde_json::from_str::<Value>(text).unwrap());
    assert_eq!(
        form(r#"{"b":[1, {"y":null,"x":"é\n"}],"a":{}}"#),
        "{\"a\":{},\"b\":[1,{\"x\":\"é\\n\",\"y\":null}]}".as_bytes()
    );
    assert_eq!(form(r#"{ "a":1,"b":2 }"#), form(r#"{"b":2,"a":1}"#));
    assert_ne!(form("[1,2]"), form("[2,1]"));
    assert_ne!(form(r#"{"a":1}"#), form(r#"{"a":"1"}"#));
}
