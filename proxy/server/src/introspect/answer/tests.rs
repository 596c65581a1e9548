use serde_json::{Value, json};

use super::{BODY_BYTES_MAX, Reader};

fn read(events: bool, body: &str, piece: usize) -> Option<Value> {
    let mut reader = Reader::new(3, events);
    for piece in body.as_bytes().chunks(piece) {
        if let Some(found) = reader.take(piece).unwrap() {
            return Some(found);
        }
    }
    reader.finish()
}

#[test]
fn the_answer_is_found_in_json_and_in_events_however_they_are_cut() {
    let answer = json!({"jsonrpc": "2.0", "id": 3, "result": {"ok": true}});
    let plain = answer.to_string();
    let pretty = serde_json::to_string_pretty(&answer).unwrap().replace('\n', "\ndata: ");
    let priming = format!("id: 1\nretry: 10\ndata: \n\n: still here\n\nevent: message\r\ndata: {plain}\r\n\r\n");
    let mixed = format!(
        "data: {{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}}\n\ndata: {{\"id\":3,\"method\":\"roots/list\"}}\n\ndata:{plain}\n\n"
    );
    for (events, body) in [
        (false, plain.clone()),
        (true, priming),
        (true, mixed),
        (true, format!("data: {pretty}\n\n")),
        (true, format!("data: {plain}\n")),
    ] {
        for piece in [1, 2, 7, 10_000] {
            assert_eq!(read(events, &body, piece).as_ref(), Some(&answer), "{body:?} in pieces of {piece}");
        }
    }
}

#[test]
fn what_is_no_answer_to_our_request_is_none() {
    for body in [
        "",
        "<html>",
        "{}",
        "[]",
        "3",
        r#"{"id":4,"result":{}}"#,
        r#"{"id":3}"#,
        r#"{"id":3,"result":1}"#,
        r#"{"id":4,"error":{"code":-1}}"#,
    ] {
        assert_eq!(read(false, body, 5), None, "{body}");
        assert_eq!(read(true, &format!("data: {body}\n\n"), 5), None, "{body}");
    }
    assert!(read(false, r#"{"id":null,"error":{"code":-32600}}"#, 5).is_some(), "an error without an id is for us");
}

#[test]
fn a_body_without_end_is_given_up() {
    let mut reader = Reader::new(3, true);
    let piece = vec![b'x'; 1024 * 1024];
    let pieces = (0..100).take_while(|_| reader.take(&piece).is_ok()).count();
    assert_eq!(pieces, BODY_BYTES_MAX / piece.len());
}
