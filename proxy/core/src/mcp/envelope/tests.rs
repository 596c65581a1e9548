use proptest::prelude::{Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_assume, prop_oneof, proptest};
use serde_json::{Map, Value, json};

use super::{Envelope, PEEK_BYTES_MAX};

/// (body, id as it stands in the body, method)
#[test]
fn id_and_method_are_found_wherever_they_stand() {
    for (body, id, method) in [
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#, Some("1"), Some("tools/call")),
        (r#" { "method" : "ping" , "id" : "a-1" } "#, Some(r#""a-1""#), Some("ping")),
        (
            r#"{"params":{"id":7,"method":"x","deep":[{"id":8}]},"id":-1.5e3,"method":"ping"}"#,
            Some("-1.5e3"),
            Some("ping"),
        ),
        (r#"{"params":{"text":"\"}{\\"},"id":1}"#, Some("1"), None),
        (r#"{"\u0069d":1,"meth\u006fd":"ping"}"#, Some("1"), Some("ping")),
        (r#"{"id":"\ud83d\ude00","method":"\u0070ing"}"#, Some(r#""\ud83d\ude00""#), Some("ping")),
        (r#"{"method":"notifications/initialized"}"#, None, Some("notifications/initialized")),
        (r#"{"id":184467440737095516150,"result":{}}"#, Some("184467440737095516150"), None),
        ("{}", None, None),
        ("", None, None),
        ("nonsense", None, None),
    ] {
        let found = Envelope::scan(body.as_bytes());
        let got = found.id.map(|id| std::str::from_utf8(id.as_bytes()).unwrap());
        assert_eq!((got, found.method.as_deref()), (id, method), "{body}");
    }
}

#[test]
fn what_is_not_a_valid_id_is_no_id() {
    for id in [
        "null",
        "true",
        "{}",
        "[1]",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "--1",
        "-",
        "NaN",
        "\"\\x\"",
        "\"\\ud800\"",
        "\"\n\"",
    ] {
        let body = format!(r#"{{"id":{id},"method":"ping"}}"#);
        assert_eq!(Envelope::scan(body.as_bytes()).id, None, "{body}");
    }
    let long = format!(r#"{{"id":"{}"}}"#, "x".repeat(300));
    assert_eq!(Envelope::scan(long.as_bytes()).id, None);
    assert_eq!(Envelope::scan(b"{\"id\":\"\xff\"}").id, None);
}

#[test]
fn a_key_given_twice_counts_as_absent() {
    let found = Envelope::scan(br#"{"id":1,"method":"ping","id":2,"method":"tools/call"}"#);
    assert_eq!(found, Envelope::default());
    assert_eq!(Envelope::scan(br#"{"id":1,"\u0069d":1}"#).id, None);
}

#[test]
fn a_body_that_is_cut_off_gives_what_was_whole() {
    let whole = br#"{"jsonrpc":"2.0","id":12,"method":"tools/call","params":{"a":1}}"#;
    for end in 0..whole.len() {
        let found = Envelope::scan(&whole[..end]);
        if let Some(id) = found.id {
            assert_eq!(id.as_bytes(), b"12", "never a part of an id");
        }
        assert_eq!(found.method.is_some(), end >= 46, "cut at {end}");
    }
}

#[test]
fn an_array_is_a_batch() {
    let found = Envelope::scan(br#" [{"id":1,"method":"ping"}]"#);
    assert!(found.batch && found.id.is_none() && found.method.is_none());
}

#[test]
fn only_the_first_bytes_are_looked_at() {
    let body = format!(r#"{{"params":"{}","id":1}}"#, "x".repeat(PEEK_BYTES_MAX));
    assert_eq!(Envelope::scan(body.as_bytes()).id, None);
}

#[test]
fn deep_nesting_is_given_up_and_never_overflows() {
    let body = format!(r#"{{"id":1,"params":{}"#, "[".repeat(10_000));
    let found = Envelope::scan(body.as_bytes());
    assert_eq!(found.id.unwrap().as_bytes(), b"1");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        "\\PC{0,12}".prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("id|method|[a-z\"\\\\]{0,4}", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn the_scanner_agrees_with_a_parser_on_valid_json(value in any_json(), pretty in any::<bool>()) {
        let body = if pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) }.unwrap();
        prop_assume!(body.len() <= PEEK_BYTES_MAX);
        let found = Envelope::scan(&body);
        let id = value.get("id").filter(|id| id.is_string() || id.is_number()).map(Value::to_string);
        let found_id = found.id.map(|id| String::from_utf8(id.as_bytes().to_vec()).unwrap());
        prop_assert_eq!(found_id, id);
        prop_assert_eq!(found.method.as_deref(), value.get("method").and_then(Value::as_str));
        prop_assert_eq!(found.batch, value.is_array());
    }

    #[test]
    fn garbage_is_survived_and_an_id_found_in_it_is_valid_json(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut framed = br#"{"id":"#.to_vec();
        framed.extend_from_slice(&body);
        for bytes in [&body, &framed] {
            if let Some(id) = Envelope::scan(bytes).id {
                // A number may be too large for the parser; its grammar is what counts then.
                let value: Value = serde_json::from_slice(id.as_bytes()).unwrap_or(json!(1));
                prop_assert!(value.is_string() || value.is_number());
            }
        }
    }
}
