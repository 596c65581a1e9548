use super::{Object, raw};

fn object(text: &str) -> Option<Object> {
    serde_json::from_str(text).ok()
}

#[test]
fn what_is_not_replaced_keeps_its_bytes() {
    let mut seen = object(r#"{"name":"a","arguments":{"x": 1.50, "y":"\u00e9","big":12345678901234567890123}}"#)
        .expect("an object");
    seen.set("name", raw(&"b"));
    seen.set("more", raw(&true));
    let expected = r#"{"name":"b","arguments":{"x": 1.50, "y":"\u00e9","big":12345678901234567890123},"more":true}"#;
    assert_eq!(seen.raw().get(), expected);
    assert!(seen.remove("name").is_some() && seen.remove("name").is_none());
}

#[test]
fn a_key_given_twice_is_refused() {
    assert!(object(r#"{"name":"a","name":"b"}"#).is_none());
    assert!(object("[]").is_none());
}
