use super::*;

#[test]
fn an_answer_is_found_in_json_and_in_events() {
    assert_eq!(message(b"{\"id\":1}"), Some(&b"{\"id\":1}"[..]));
    let events = b": hello\r\n\r\nid: 1\r\ndata: \r\n\r\nevent: message\r\ndata: {\"id\":2}\r\n\r\n";
    assert_eq!(message(events), Some(&b"{\"id\":2}"[..]));
    assert_eq!(message(b"oops"), None);
}
