use outrigger_model::resource::Serial;
use outrigger_model::revision::Era;
use proptest::prelude::{prop_assert_eq, proptest};
use serde_json::{Value, json};

use super::body;
use crate::mcp::envelope::Envelope;
use crate::refusal::Refusal;

fn parse(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[test]
fn the_callers_own_id_comes_back_as_it_was_written() {
    let request = br#"{"id":"a\u00e9\"1","method":"ping"}"#;
    let written = body(&Refusal::SessionGone, Some(Era::Legacy), Envelope::glimpse(request).id(), Some(Serial(42)));
    assert!(String::from_utf8(written.clone()).unwrap().contains(r#""id":"a\u00e9\"1","#));
    let answer = parse(&written);
    assert_eq!(answer["jsonrpc"], "2.0");
    assert_eq!(answer["error"]["code"], -32600);
    assert_eq!(answer["error"]["data"]["reason"], "session_gone");
    assert_eq!(answer["error"]["data"]["serial"], 42);
    assert!(answer["error"]["data"]["hint"].as_str().unwrap().contains("initialize"));
}

/// 2026-07-28 `schema.ts`, `JSONRPCErrorResponse`: `id?: RequestId`, which is a string or a number.
#[test]
fn an_unknown_id_is_left_out_for_modern_callers_and_null_for_others() {
    assert_eq!(parse(&body(&Refusal::Draining, Some(Era::Modern), None, None)).get("id"), None);
    for era in [None, Some(Era::Legacy)] {
        assert_eq!(parse(&body(&Refusal::Draining, era, None, None)).get("id"), Some(&Value::Null));
    }
}

#[test]
fn a_call_that_may_have_run_says_so() {
    assert_eq!(parse(&body(&Refusal::UpstreamLost, None, None, None))["error"]["data"]["may_have_run"], json!(true));
    assert_eq!(parse(&body(&Refusal::NoSuchPath, None, None, None))["error"]["data"].get("may_have_run"), None);
}

proptest! {
    #[test]
    fn whatever_a_caller_wrote_the_answer_is_valid_json(name in ".{0,200}", origin in "[\\x00-\\x7f]{0,40}") {
        for refusal in [Refusal::NoRoute { name: name.clone(), routes: vec![] }, Refusal::OriginNotAllowed { origin: origin.clone() }] {
            let answer = parse(&body(&refusal, None, None, Some(Serial(1))));
            let detail = refusal.detail();
            prop_assert_eq!(answer["error"]["data"]["detail"].as_str(), Some(detail.as_str()));
        }
    }
}
