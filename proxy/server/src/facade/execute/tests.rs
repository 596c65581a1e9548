use http::StatusCode;
use serde_json::json;
use serde_json::value::to_raw_value;

use super::{done, refused};
use crate::catalog::{Body, NotExecuted};

fn said(answer: crate::catalog::Answer) -> (StatusCode, serde_json::Value) {
    let Body::Json(text) = answer.body else { panic!("{answer:?}") };
    (answer.status, serde_json::from_str(&text).unwrap())
}

#[test]
fn a_result_is_passed_on_and_a_tool_that_failed_is_told_as_that() {
    let result = json!({ "content": [{ "type": "text", "text": "sunny" }] });
    let (status, body) = said(done(&to_raw_value(&result).unwrap()));
    assert_eq!((status, body), (StatusCode::OK, json!({ "success": true, "result": result })));
    let (status, body) = said(done(&to_raw_value(&json!({ "content": [], "isError": true })).unwrap()));
    assert_eq!((status, &body["success"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!(false)));
}

#[test]
fn each_way_to_fail_has_its_status() {
    for (error, status) in [
        (NotExecuted::Params("x".into()), 400),
        (NotExecuted::Tool("x".into()), 404),
        (NotExecuted::Nobody("x".into()), 503),
        (NotExecuted::Late, 504),
        (NotExecuted::Agent("x".into()), 502),
    ] {
        let (found, body) = said(refused(&error));
        assert_eq!((found.as_u16(), &body["success"]), (status, &json!(false)), "{error}");
    }
}
