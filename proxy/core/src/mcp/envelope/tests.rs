use proptest::prelude::{Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_assume, prop_oneof, proptest};
use serde_json::{Map, Value, json};

use super::{DEPTH_MAX, Envelope, ID_BYTES_MAX, Scanner};
use crate::refusal::fault::{Fault, NoMessage};

fn id_of(body: &str) -> Option<&str> {
    Envelope::glimpse(body.as_bytes()).id().map(|id| std::str::from_utf8(id.as_bytes()).unwrap())
}

/// (body, id as it stands in the body, method)
#[test]
fn id_and_method_are_found_wherever_they_stand() {
    for (body, id, method) in [
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#, Some("1"), Some("tools/call")),
        (r#" { "method" : "ping" , "id" : "a-1", "jsonrpc" : "2.0" } "#, Some(r#""a-1""#), Some("ping")),
        (
            r#"{"params":{"id":7,"method":"x","deep":[{"id":8}]},"id":-1.5e3,"method":"ping","jsonrpc":"2.0"}"#,
            Some("-1.5e3"),
            Some("ping"),
        ),
        (r#"{"jsonrpc":"2.0","\u0069d":1,"meth\u006fd":"ping"}"#, Some("1"), Some("ping")),
        (r#"{"jsonrpc":"2\u002e0","id":"\ud83d\ude00","method":"\u0070ing"}"#, Some(r#""\ud83d\ude00""#), Some("ping")),
        (r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, None, Some("notifications/initialized")),
        (r#"{"jsonrpc":"2.0","id":184467440737095516150,"result":{}}"#, Some("184467440737095516150"), None),
        (r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"?"}}"#, None, None),
        (r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"?"}}"#, None, None),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":null}"#, Some("1"), Some("ping")),
    ] {
        let found = Envelope::read(body.as_bytes()).unwrap_or_else(|fault| panic!("{body}: {fault}"));
        let id_found = found.id().map(|id| std::str::from_utf8(id.as_bytes()).unwrap());
        assert_eq!((id_found, found.method().as_deref()), (id, method), "{body}");
    }
}

#[test]
fn what_routes_look_at_is_found_in_params_and_nowhere_else() {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"arguments":{"name":"no","uri":"no","_meta":{"x":1}},
        "name":"sea\u0072ch","uri":"file:///a","taskId":"t-1","requestState":"s",
        "_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","name":"no"}},"name":"no"}"#;
    let found = Envelope::read(body.as_bytes()).unwrap();
    assert_eq!(found.name().as_deref(), Some("search"));
    assert_eq!(found.uri().as_deref(), Some("file:///a"));
    assert_eq!(found.task().as_deref(), Some("t-1"));
    assert_eq!(found.revision().as_deref(), Some("2026-07-28"));
    assert!(found.continues());
    let other = Envelope::read(br#"{"jsonrpc":"2.0","id":1,"method":"a","params":{"x":{"name":"no"}}}"#).unwrap();
    assert_eq!((other.name(), other.continues()), (None, false));
}

#[test]
fn a_key_that_decides_may_stand_once_however_it_is_spelled() {
    for (body, key) in [
        (r#"{"jsonrpc":"2.0","jsonrpc":"2.0"}"#, "jsonrpc"),
        (r#"{"id":1,"\u0069d":2}"#, "id"),
        (r#"{"method":"ping","\u006dethod":"tools/call"}"#, "method"),
        (r#"{"params":{},"params":{}}"#, "params"),
        (r#"{"result":1,"result":2}"#, "result"),
        (r#"{"params":{"name":"a","na\u006de":"b"}}"#, "params.name"),
        (r#"{"params":{"_meta":{},"_meta":{}}}"#, "params._meta"),
        (r#"{"params":{"arguments":{},"arguments":{}}}"#, "params.arguments"),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"a"},{"id":1,"id":2}]"#, "id"),
    ] {
        assert_eq!(Envelope::read(body.as_bytes()).err(), Some(Fault::Repeated { key }), "{body}");
    }
    // Two messages of a batch have an id each, and what a tool is given is the tool's business.
    for body in [
        r#"[{"jsonrpc":"2.0","id":1,"method":"a"},{"jsonrpc":"2.0","id":1,"method":"a"}]"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"a","params":{"arguments":{"name":1,"name":2}}}"#,
    ] {
        assert!(Envelope::read(body.as_bytes()).is_ok(), "{body}");
    }
    assert_eq!(id_of(r#"{"id":1,"id":2"#), None, "an ambiguous id is none");
    for body in [r#"{"id":07,"method":"a""#, r#"{"id":0x7,"method":"a""#, r#"{"id":1n}"#] {
        assert_eq!(id_of(body), None, "{body}: what begins like a number is no id");
    }
}

#[test]
fn what_is_no_message_is_named() {
    for (body, shape) in [
        ("[]", NoMessage::EmptyBatch),
        ("[1]", NoMessage::NotAnObject),
        ("[[]]", NoMessage::NotAnObject),
        ("\"text\"", NoMessage::NotAnObject),
        ("12", NoMessage::NotAnObject),
        ("null", NoMessage::NotAnObject),
        ("{}", NoMessage::Version),
        (r#"{"jsonrpc":"1.0","id":1,"method":"a"}"#, NoMessage::Version),
        (r#"{"jsonrpc":2.0,"id":1,"method":"a"}"#, NoMessage::Version),
        (r#"{"jsonrpc":["2.0"],"id":1,"method":"a"}"#, NoMessage::Version),
        (r#"{"jsonrpc":"2.0","id":1}"#, NoMessage::Kind),
        (r#"{"jsonrpc":"2.0","id":1,"method":"a","result":1}"#, NoMessage::Kind),
        (r#"{"jsonrpc":"2.0","id":1,"result":1,"error":{}}"#, NoMessage::Kind),
        (r#"{"jsonrpc":"2.0","id":null,"method":"a"}"#, NoMessage::Id),
        (r#"{"jsonrpc":"2.0","id":true,"method":"a"}"#, NoMessage::Id),
        (r#"{"jsonrpc":"2.0","id":{},"method":"a"}"#, NoMessage::Id),
        (r#"{"jsonrpc":"2.0","id":[1],"method":"a"}"#, NoMessage::Id),
        (r#"{"jsonrpc":"2.0","id":null,"result":1}"#, NoMessage::Id),
        (r#"{"jsonrpc":"2.0","result":1}"#, NoMessage::ResponseId),
        (r#"{"jsonrpc":"2.0","id":1,"method":""}"#, NoMessage::Method),
        (r#"{"jsonrpc":"2.0","id":1,"method":1}"#, NoMessage::Method),
        (r#"{"jsonrpc":"2.0","id":1,"method":{}}"#, NoMessage::Method),
        (r#"{"jsonrpc":"2.0","id":1,"method":"a","params":1}"#, NoMessage::Params),
        (r#"{"jsonrpc":"2.0","id":1,"method":"a","params":[]}"#, NoMessage::Params),
        (r#"{"jsonrpc":"2.0","id":1,"error":"bad"}"#, NoMessage::Error),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"a"},{"jsonrpc":"2.0"}]"#, NoMessage::Kind),
    ] {
        assert_eq!(Envelope::read(body.as_bytes()).err(), Some(Fault::Shape(shape)), "{body}");
    }
}

#[test]
fn what_is_no_json_is_refused_where_it_goes_wrong() {
    for (body, fault) in [
        (&b""[..], Fault::Empty),
        (b" \n", Fault::Empty),
        (b"\xef\xbb\xbf{}", Fault::NotJson { at: 0 }),
        (b"{\"a\":01}", Fault::NotJson { at: 6 }),
        (b"{\"a\":1.}", Fault::NotJson { at: 7 }),
        (b"{\"a\":+1}", Fault::NotJson { at: 5 }),
        (b"{\"a\":NaN}", Fault::NotJson { at: 5 }),
        (b"{\"a\":nul}", Fault::NotJson { at: 8 }),
        (b"{\"a\":1,}", Fault::NotJson { at: 7 }),
        (b"{a:1}", Fault::NotJson { at: 1 }),
        (b"{\"a\" 1}", Fault::NotJson { at: 5 }),
        (b"{\"a\":[1}", Fault::NotJson { at: 7 }),
        (b"{\"a\":'x'}", Fault::NotJson { at: 5 }),
        (b"{\"a\":\"\\x\"}", Fault::NotJson { at: 7 }),
        (b"{\"a\":\"\n\"}", Fault::NotJson { at: 6 }),
        (b"{\"a\":\"\\ud800\"}", Fault::NotJson { at: 12 }),
        (b"{\"a\":\"\\udc00\"}", Fault::NotJson { at: 11 }),
        (b"{\"a\":\"\\ud800\\u0041\"}", Fault::NotJson { at: 17 }),
        (b"{\"a\":\"\xff\"}", Fault::Utf8 { at: 6 }),
        (b"{\"a\":\"\xc0\xaf\"}", Fault::Utf8 { at: 6 }),
        (b"{\"a\":\"\xed\xa0\x80\"}", Fault::Utf8 { at: 7 }),
        (b"{\"a\":\"\xe2\x82\"}", Fault::Utf8 { at: 8 }),
        (b"{\"\xf5\":1}", Fault::Utf8 { at: 2 }),
        (b"{\"a\":1", Fault::CutOff { at: 6 }),
        (b"{\"a\":\"", Fault::CutOff { at: 6 }),
    ] {
        assert_eq!(Envelope::read(body).err(), Some(fault), "{}", String::from_utf8_lossy(body));
    }
    let message = r#"{"jsonrpc":"2.0","id":1,"method":"a"}"#;
    let behind = Envelope::read(format!("{message} \n{message}").as_bytes()).err();
    assert_eq!(behind, Some(Fault::Trailing { at: message.len() + 2 }));
}

#[test]
fn nesting_has_a_limit() {
    let nested = |depth: u32| {
        let (open, close) = ("[".repeat(depth as usize), "]".repeat(depth as usize));
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"a","params":{{"x":{open}{close}}}}}"#)
    };
    assert!(Envelope::read(nested(DEPTH_MAX - 2).as_bytes()).is_ok());
    let deep = Envelope::read(nested(DEPTH_MAX - 1).as_bytes()).err();
    assert_eq!(deep, Some(Fault::TooDeep { most: DEPTH_MAX }));
}

#[test]
fn a_long_id_is_not_repeated() {
    let body = |length| format!(r#"{{"id":"{}","method":"a"}}"#, "x".repeat(length));
    assert!(id_of(&body(ID_BYTES_MAX - 2)).is_some());
    assert_eq!(id_of(&body(ID_BYTES_MAX - 1)), None);
}

#[test]
fn a_body_that_is_cut_off_gives_what_was_whole() {
    let whole = br#"{"jsonrpc":"2.0","id":12,"method":"tools/call","params":{"a":1}}"#;
    for end in 0..whole.len() {
        let found = Envelope::glimpse(&whole[..end]);
        if let Some(id) = found.id() {
            assert_eq!(id.as_bytes(), b"12", "never a part of an id");
        }
        assert_eq!(found.method().is_some(), end >= 46, "cut at {end}");
        assert!(Envelope::read(&whole[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn what_was_read_is_not_read_again() {
    let body = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let mut scanner = Scanner::default();
    scanner.feed(0, &body[..20]).unwrap();
    scanner.feed(0, &body[..30]).unwrap();
    scanner.feed(10, &body[10..]).unwrap();
    assert!(scanner.is_done());
    scanner.finish().unwrap();
    assert_eq!(scanner.envelope(body).method().as_deref(), Some("ping"));
    scanner.feed(body.len(), b" x").unwrap_err();
    scanner.finish().expect_err("a fault is final");
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn message() -> impl Strategy<Value = Value> {
    let id = prop_oneof![any::<i64>().prop_map(Value::from), any::<String>().prop_map(Value::from)];
    let params = prop::collection::hash_map("name|uri|x|_meta|arguments", value(), 0..4);
    (id, "[a-z/é\\\\\"]{1,12}", params).prop_map(|(id, method, params)| {
        let params: Map<String, Value> = params.into_iter().collect();
        json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
    })
}

proptest! {
    /// Whatever serde_json writes is read, in any pieces, and says the same.
    #[test]
    fn agrees_with_serde_json(message in message(), cut in any::<prop::sample::Index>(), pretty in any::<bool>()) {
        let body = if pretty { serde_json::to_vec_pretty(&message) } else { serde_json::to_vec(&message) }.unwrap();
        let cut = cut.index(body.len());
        let mut scanner = Scanner::default();
        prop_assert_eq!(scanner.feed(0, &body[..cut]), Ok(()));
        prop_assert_eq!(scanner.feed(cut, &body[cut..]), Ok(()));
        prop_assert_eq!(scanner.finish(), Ok(()));
        let found = scanner.envelope(&body);
        let (method, name, uri) = (found.method(), found.name(), found.uri());
        prop_assert_eq!(method.as_deref(), message["method"].as_str());
        prop_assert_eq!(name.as_deref(), message["params"]["name"].as_str());
        prop_assert_eq!(uri.as_deref(), message["params"]["uri"].as_str());
        if let Some(id) = found.id() {
            prop_assert_eq!(serde_json::from_slice::<Value>(id.as_bytes()).unwrap(), message["id"].clone());
        }
    }

    /// No bytes are JSON to us and not to serde_json.
    #[test]
    fn takes_nothing_that_serde_json_refuses(
        message in message(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut body = serde_json::to_vec(&message).unwrap();
        let at = at.index(body.len());
        body[at] = byte;
        let ours = Envelope::read(&body);
        let theirs = serde_json::from_slice::<Value>(&body);
        prop_assume!(!theirs.as_ref().is_err_and(|error| error.to_string().contains("out of range")));
        match ours {
            Ok(_) => prop_assert!(theirs.is_ok(), "{}", String::from_utf8_lossy(&body)),
            Err(fault) if !fault.is_json() && !matches!(fault, Fault::TooDeep { .. }) => {
                prop_assert!(theirs.is_err(), "{fault}: {}", String::from_utf8_lossy(&body));
            }
            Err(_) => {}
        }
    }

    #[test]
    fn no_bytes_are_too_strange(body in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(Envelope::read(&body).is_ok(), false);
    }
}

/// Twice as long takes twice as long, whatever the letters: with work that grows with the square this takes minutes.
#[test]
fn a_long_text_of_letters_beyond_ascii_is_read_in_one_go() {
    for letters in ["é", "\\n", "\\u00e9", "a\u{10348}", "\\\"b"] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"a","params":{{"x":"{}"}}}}"#, letters.repeat(100_000));
        let began = std::time::Instant::now();
        assert!(Envelope::read(body.as_bytes()).is_ok(), "{letters}");
        assert!(began.elapsed() < std::time::Duration::from_secs(5), "{letters}: {:?}", began.elapsed());
    }
}
