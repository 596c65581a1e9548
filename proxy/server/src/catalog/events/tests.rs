use super::{Events, event};

fn read(pieces: &[&str]) -> (Vec<String>, Events) {
    let mut events = Events::default();
    let mut seen = Vec::new();
    for piece in pieces {
        events.take(piece.as_bytes()).expect("small");
        while let Some(data) = events.next() {
            seen.push(String::from_utf8(data).expect("text"));
        }
    }
    (seen, events)
}

#[test]
fn events_are_whole_however_they_are_cut() {
    let text = "id: 1\r\ndata: a\r\n\r\n: a comment\n\nretry: 250\nevent: message\ndata:b\ndata: c\n\nid: 9\ndata:\n\ndata: cut";
    let (whole, events) = read(&[text]);
    assert_eq!(whole, ["a", "b\nc"]);
    assert_eq!((events.last_id.as_deref(), events.retry), (Some("9"), Some(250)));
    let bytes: Vec<String> = text.chars().map(String::from).collect();
    assert_eq!(read(&bytes.iter().map(String::as_str).collect::<Vec<_>>()).0, whole);
}

#[test]
fn an_event_that_is_made_can_be_read() {
    let made = String::from_utf8(event("{\"a\":1}")).expect("text");
    assert_eq!(read(&[&made]).0, ["{\"a\":1}"]);
}

#[test]
fn an_event_without_end_is_given_up() {
    let mut events = Events::default();
    let piece = vec![b'x'; 1024 * 1024];
    assert!((0..20).any(|_| events.take(&piece).is_err()));
}
