use super::*;
use crate::echo::{Era, Form, call, read_answer};

fn post(replica: &Replica, body: &str) -> Reply {
    replica.reply(&Method::POST, "/mcp", body.as_bytes())
}

#[test]
fn a_call_is_executed_and_answered_with_number_and_name() {
    let replica = Replica::new("echo-1");
    replica.runs.begin(10);
    let Reply::Json(body) = post(&replica, &call(4, Form::Json, Era::Legacy, "x")) else { panic!("no JSON") };
    assert_eq!(read_answer(body.as_bytes()).unwrap().replica, "echo-1");
    assert_eq!(replica.runs.executed().once, 1);
}

#[test]
fn every_question_of_a_registration_has_a_result() {
    let replica = Replica::new("echo-1");
    for method in ["server/discover", "tools/list", "ping"] {
        let Reply::Json(body) = post(&replica, &format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}"}}"#)) else {
            panic!("no JSON for {method}")
        };
        let message: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert!(message.get("result").is_some(), "{body}");
    }
}

#[test]
fn each_session_has_an_id_of_its_own() {
    let replica = Replica::new("echo-1");
    let open = || match post(&replica, r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#) {
        Reply::Opened { session, .. } => session,
        other => panic!("{other:?}"),
    };
    assert_ne!(open(), open());
}

#[test]
fn what_makes_no_sense_is_said_to_make_none() {
    let replica = Replica::new("echo-1");
    assert_eq!(post(&replica, "{"), Reply::Unreadable);
    assert_eq!(post(&replica, r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#), Reply::Done(202));
    assert_eq!(replica.reply(&Method::GET, "/other", b""), Reply::NotFound);
    assert_eq!(replica.reply(&Method::PUT, "/run/x", b""), Reply::NotFound);
}
