use super::Events;

fn messages(parts: &[&str]) -> String {
    let mut events = Events::default();
    let taken = parts.iter().flat_map(|part| events.take(part.as_bytes()).unwrap());
    taken.map(|message| message.to_string()).collect::<Vec<_>>().join(" ")
}

#[test]
fn events_are_read_however_the_bytes_fall() {
    let whole =
        "data: \nid: 0\nretry: 3000\n\nevent: message\ndata: {\"a\":1}\n\n: alive\n\ndata: {\"a\":\ndata: 2}\n\n";
    assert_eq!(messages(&[whole]), "{\"a\":1} {\"a\":2}");
    let single: Vec<String> = whole.chars().map(String::from).collect();
    assert_eq!(messages(&single.iter().map(String::as_str).collect::<Vec<_>>()), "{\"a\":1} {\"a\":2}");
}

#[test]
fn lines_may_end_with_cr_or_crlf() {
    assert_eq!(messages(&["data: 1\r\n\r\ndata: 2\r\rdata:3\r\n", "\r\n"]), "1 2 3");
}

#[test]
fn data_that_is_not_json_is_an_error() {
    assert!(Events::default().take(b"data: hello\n\n").is_err());
}
