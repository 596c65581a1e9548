use super::*;

#[test]
fn an_answer_is_read_with_its_number_and_its_replica() {
    let bytes = answer("7", 7, "echo-1");
    let read = read_answer(bytes.as_bytes()).unwrap();
    assert_eq!((read.number, read.replica.as_ref()), (7, "echo-1"));
}

#[test]
fn an_answer_under_another_id_is_no_answer() {
    assert_eq!(read_answer(answer("8", 7, "echo-1").as_bytes()), None);
    assert_eq!(read_answer(br#"{"jsonrpc":"2.0","id":7,"error":{"code":-32603,"message":"no"}}"#), None);
}

#[test]
fn a_call_is_read_in_either_era() {
    for era in [Era::Legacy, Era::Modern] {
        let body = call(5, Form::Events { count: 3, every_ms: 20 }, era, "xx");
        let request: Request<'_> = serde_json::from_str(&body).unwrap();
        let arguments = request.params.arguments;
        assert_eq!((request.method.as_ref(), request.id.unwrap().get()), ("tools/call", "5"));
        assert_eq!((arguments.number, arguments.events, arguments.every_ms), (Some(5), 3, 20));
    }
}

#[test]
fn a_progress_event_says_when_it_was_made() {
    let before = unix_nanos();
    let made = read_progress(progress(1, 1, 2).as_bytes()).unwrap();
    assert!(made >= before);
    assert_eq!(read_progress(answer("1", 1, "a").as_bytes()), None);
}
