use super::*;
use crate::echo::answer::read_answer;
use crate::echo::request::{body, listen};
use crate::echo::{Ask, Form};

fn post(replica: &Replica, body: &str) -> Reply {
    replica.reply(&Method::POST, "/mcp", &HeaderMap::new(), body.as_bytes())
}

#[test]
fn a_call_is_executed_and_answered_with_number_and_name() {
    let replica = Replica::new("echo-1");
    replica.runs.begin(10);
    let Reply::Json(body) = post(&replica, &body(4, &Ask::PLAIN, Era::Legacy)) else { panic!("no JSON") };
    assert_eq!(read_answer(body.as_bytes(), &Ask::PLAIN).unwrap().replica, "echo-1");
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
fn a_list_is_executed_and_answered_with_as_many_tools_as_asked() {
    let replica = Replica::new("echo-1");
    replica.runs.begin(10);
    let ask = Ask::of(Form::List { tools: 3 });
    let Reply::Json(answer) = post(&replica, &body(4, &ask, Era::Modern)) else { panic!("no JSON") };
    assert_eq!(read_answer(answer.as_bytes(), &ask).unwrap().number, 4);
    assert_eq!(replica.runs.executed().once, 1);
}

#[test]
fn streams_with_a_number_are_told_and_others_are_quiet() {
    let replica = Replica::new("echo-1");
    let get = |headers: &HeaderMap| replica.reply(&Method::GET, "/mcp", headers, b"");
    let mut numbered = HeaderMap::new();
    numbered.insert(STREAM_HEADER, http::HeaderValue::from_static("3"));
    assert_eq!(get(&HeaderMap::new()), Reply::Quiet);
    assert!(matches!(get(&numbered), Reply::Feed { era: Era::Legacy, number: 3, first: None }));
    assert!(matches!(post(&replica, &listen(5)), Reply::Feed { era: Era::Modern, number: 5, first: Some(_) }));
    let put = |path| replica.reply(&Method::PUT, path, &HeaderMap::new(), b"");
    assert_eq!((put("/tell/9/10"), put("/tell/9")), (Reply::Done(204), Reply::NotFound));
    assert_eq!(*replica.telling.borrow(), Telling { events: 9, every_ms: 10 });
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
    assert_eq!(replica.reply(&Method::GET, "/other", &HeaderMap::new(), b""), Reply::NotFound);
    assert_eq!(replica.reply(&Method::PUT, "/run/x", &HeaderMap::new(), b""), Reply::NotFound);
}
