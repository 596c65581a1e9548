//! Whatever is around a value and however its bytes come, what is taken of it is what another parser reads there.

use std::sync::Arc;

use outrigger_model::digest::Digest;
use proptest::prelude::{Just, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};
use serde_json::{Value, json};

use super::{Take, Values, Want, Wants};
use crate::mcp::envelope::Scanner;
use crate::refusal::fault::Fault;

fn want(path: &str, take: Take) -> Want {
    Want::new(path.split('.').map(str::to_owned).collect(), take)
}

fn wants(paths: &[(&str, Take)]) -> Wants {
    Wants::Shared(paths.iter().map(|(path, take)| want(path, *take)).collect::<Arc<[Want]>>())
}

fn taken(wants: Wants, body: &str, piece: usize) -> Result<Values, Fault> {
    let mut scanner = Scanner::wanting(wants);
    for part in body.as_bytes().chunks(piece) {
        scanner.read_on(part)?;
    }
    scanner.finish()?;
    Ok(scanner.values())
}

fn cart(params: &str) -> Result<Option<Digest>, Fault> {
    let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#);
    let wants = wants(&[("params.requestState", Take::Digest), ("params.arguments.cart.id", Take::Digest)]);
    taken(wants, &body, 3).map(|values| values.digest(1))
}

/// (params, what stands at `arguments.cart.id`)
#[test]
fn a_value_is_found_at_its_path_and_nowhere_else() {
    for (params, text) in [
        (r#"{"arguments":{"cart":{"id":"c-1"}}}"#, Some("c-1")),
        (r#"{"arguments":{"a":[{"cart":{"id":"no"}}],"cart":{"x":{"id":"no"},"id":"c-1"}}}"#, Some("c-1")),
        (r#"{"arguments":{"cart":{"id":7}}}"#, Some("7")),
        (r#"{"arguments":{"cart":{"id":"7"}}}"#, Some("7")),
        (r#"{"arguments":{"cart":{"id":-1.50e3}}}"#, Some("-1.50e3")),
        (r#"{"arguments":{"c\u0061rt":{"id":"\u00fc\ud83d\ude00"}}}"#, Some("ü😀")),
        (r#"{"arguments":{"cart":{"id":""}}}"#, None),
        (r#"{"arguments":{"cart":{"id":null}}}"#, None),
        (r#"{"arguments":{"cart":{"id":true}}}"#, None),
        (r#"{"arguments":{"cart":{"id":["c-1"]}}}"#, None),
        (r#"{"arguments":{"cart":{"id":{"id":"no"}}}}"#, None),
        (r#"{"arguments":{"cart":[{"id":"no"}]}}"#, None),
        (r#"{"arguments":{"cart":"id"}}"#, None),
        (r#"{"cart":{"id":"no"}}"#, None),
        (r#"{"_meta":{"arguments":{"cart":{"id":"no"}}},"arguments":{"id":"no"}}"#, None),
        (r#"{"x":{"arguments":{"cart":{"id":"no"}}}}"#, None),
    ] {
        assert_eq!(cart(params), Ok(text.map(|text| Digest::of(text.as_bytes()))), "{params}");
    }
}

#[test]
fn a_key_on_the_way_that_stands_twice_is_refused() {
    for params in [
        r#"{"arguments":{"cart":{"id":"a","id":"b"}}}"#,
        r#"{"arguments":{"cart":{"id":"a"},"cart":5}}"#,
        r#"{"arguments":{"cart":{"id":"a"},"c\u0061rt":{"id":"b"}}}"#,
        r#"{"requestState":"a","requestState":"b"}"#,
    ] {
        assert!(matches!(cart(params), Err(Fault::Repeated { .. })), "{params}");
    }
    assert!(cart(r#"{"arguments":{"other":1,"other":2}}"#).is_ok(), "what nobody follows may");
}

#[test]
fn a_batch_holds_no_values() {
    let body = r#"[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"requestState":"x"}}]"#;
    let values = taken(wants(&[("params.requestState", Take::Digest)]), body, 7).unwrap();
    assert_eq!(values, Values::default());
}

#[test]
fn a_word_is_kept_if_it_is_short() {
    let body = r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"t\u0061sk","ttlMs":60000,"taskId":"0123456789012345678901234"}}"#;
    let paths = [("result.resultType", Take::Word), ("result.ttlMs", Take::Word), ("result.taskId", Take::Word)];
    let values = taken(wants(&paths), body, 5).unwrap();
    assert_eq!(values.word(0), Some(&b"task"[..]));
    assert_eq!(values.word(1), Some(&b"60000"[..]));
    assert_eq!(values.word(2), None);
}

/// JSON text in which each letter may stand as itself or escaped.
fn written(text: &str, escape: &[bool]) -> String {
    let mut out = String::from('"');
    for (at, letter) in text.chars().enumerate() {
        let must = matches!(letter, '"' | '\\') || letter < ' ';
        if must || escape.get(at % escape.len().max(1)).copied().unwrap_or_default() {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(letter);
        }
    }
    out.push('"');
    out
}

fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let key = prop_oneof![Just("id".to_owned()), Just("cart".to_owned()), "[a-d]{1,2}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..4).prop_map(Value::from_iter),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_in_any_spelling_and_any_pieces_is_digested_as_another_parser_reads_it(
        text in "\\PC{1,40}|[\\x01-\\x1f\"\\\\a]{1,40}|x{200,400}",
        escape in prop::collection::vec(any::<bool>(), 1..8),
        piece in 1..64usize,
    ) {
        let spelled = written(&text, &escape);
        prop_assert_eq!(serde_json::from_str::<String>(&spelled).unwrap(), text.clone());
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"x","params":{{"a":1,"requestState":{spelled},"b":{{}}}}}}"#);
        let values = taken(wants(&[("params.requestState", Take::Digest)]), &body, piece).unwrap();
        prop_assert_eq!(values.digest(0), Some(Digest::of(text.as_bytes())));
    }

    #[test]
    fn in_any_tree_the_value_at_a_path_is_the_one_that_another_parser_finds(tree in tree(), piece in 1..32usize) {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "x", "params": {"arguments": tree}}).to_string();
        let found = &tree["cart"]["id"];
        let text = match found {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let values = taken(wants(&[("params.arguments.cart.id", Take::Digest)]), &body, piece).unwrap();
        prop_assert_eq!(values.digest(0), text.map(|text| Digest::of(text.as_bytes())));
    }
}
