use super::Events;
use crate::http1::body::{Body, Framing};
use crate::http1::written::answer;

const STREAM: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream";

fn stream(framing: Framing, without_chunks: bool) -> (Events, Body) {
    (Events::of(&answer(STREAM), framing, without_chunks).unwrap(), Body::new(framing))
}

#[test]
fn only_plain_event_streams_are_followed() {
    for (head, expected) in [
        (STREAM, true),
        ("HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream; charset=utf-8", true),
        ("HTTP/1.1 200 OK\r\nContent-Type: application/json", false),
        ("HTTP/1.1 200 OK", false),
        ("HTTP/1.1 404 Not Found\r\nContent-Type: text/event-stream", false),
        ("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip", false),
    ] {
        assert_eq!(Events::of(&answer(head), Framing::Chunked, false).is_some(), expected, "{head}");
    }
    assert_eq!(Events::of(&answer(STREAM), Framing::Empty, false), None);
}

/// What is taken of `bytes` after `before`, the payload of it, and whether a comment may follow.
fn taken(framing: Framing, without_chunks: bool, before: &str, bytes: &str) -> (usize, String, bool) {
    let (mut events, mut body) = stream(framing, without_chunks);
    body.take_with(before.as_bytes(), |part| events.pass(part)).unwrap();
    let mut payload = Vec::new();
    let bytes = bytes.as_bytes();
    let count = events.pass_to_boundary(&mut body, bytes, |part| payload.extend_from_slice(part)).unwrap();
    (count, String::from_utf8(payload).unwrap(), events.is_between(&body))
}

#[test]
fn a_stream_ends_between_two_events_that_are_between_two_chunks() {
    let check = |before, bytes, count, payload: &str, between| {
        let expected = (count, payload.to_owned(), between);
        assert_eq!(taken(Framing::Chunked, false, before, bytes), expected, "{before:?} {bytes:?}");
    };
    check("", "9\r\ndata: a\n\n\r\n", 0, "", true);
    check("9\r\ndata: a\n\n\r\n", "9\r\ndata: b\n\n\r\n", 0, "", true);
    check("9\r\ndata: a\n\n", "\r\n9\r\ndata: b\n\n\r\n", 2, "", true);
    check("9\r\ndat", "a: a\n\n\r\n9\r\ndata: b\n\n\r\n", 8, "a: a\n\n", true);
    check("8\r\ndata: a\n\r\n", "1\r\n\n\r\n9\r\ndata: b\n\n\r\n", 6, "\n", true);
    check("7\r\ndata: a\r\n", "b\r\n\n\ndata: b\n\n\r\n", 16, "\n\ndata: b\n\n", true);
    check("7\r\ndata: a\r\n", "7\r\n\n\ndata:\r\n2\r\nb\n\r\n", 19, "\n\ndata:b\n", false);
    check("9\r\ndata: a\n\n", "\r\n0\r\n\r\n", 2, "", true);
}

#[test]
fn a_stream_without_chunks_ends_at_any_event() {
    assert_eq!(taken(Framing::UntilClose, false, "data: a", "\n\ndata: b\n\n"), (2, "\n\n".to_owned(), true));
    assert_eq!(taken(Framing::UntilClose, false, "data: a\n\n", "data: b\n\n"), (0, String::new(), true));
    let one = "9\r\ndata: a\n\n\r\n";
    assert_eq!(taken(Framing::Chunked, true, "9\r\ndat", "a: a\n\n\r\n9\r\n"), (8, "a: a\n\n".to_owned(), true));
    assert_eq!(taken(Framing::Chunked, true, one, one), (0, String::new(), true));
}

#[test]
fn a_body_of_announced_length_is_never_between() {
    let event = "data: a\n\n";
    assert_eq!(taken(Framing::Length(18), false, event, event), (9, event.to_owned(), false));
    assert_eq!(taken(Framing::Length(18), false, "", "data"), (4, "data".to_owned(), false));
}

#[test]
fn what_is_added_is_framed_as_the_rest_is() {
    let (chunked, _) = stream(Framing::Chunked, false);
    assert_eq!((chunked.comment(), chunked.end()), (&b"3\r\n:\n\n\r\n"[..], &b"0\r\n\r\n"[..]));
    let mut body = Body::new(Framing::Chunked);
    let whole = [chunked.comment(), chunked.end()].concat();
    assert_eq!(body.take(&whole), Ok(whole.len()));
    assert!(body.is_done());
    for (framing, without_chunks) in [(Framing::Chunked, true), (Framing::UntilClose, false)] {
        let (bare, _) = stream(framing, without_chunks);
        assert_eq!((bare.comment(), bare.end()), (&b":\n\n"[..], &b""[..]));
    }
}
