use http::Request;
use http::request::Parts;

use super::{BadRequest, BodyAs, head};
use crate::http1::head::RequestHead;

fn parts(method: &str, uri: &str, fields: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn told(fields: &[(&str, &str)], ends: bool) -> Result<(String, BodyAs), BadRequest> {
    let (bytes, body) = head(&parts("POST", "http://mesh.example/mcp/weather?x=1", fields), ends)?;
    RequestHead::parse(bytes.clone()).unwrap();
    Ok((String::from_utf8(bytes).unwrap(), body))
}

#[test]
fn a_request_is_told_in_http1() {
    let (text, body) = told(&[("accept", "text/event-stream"), ("te", "trailers")], false).unwrap();
    assert_eq!(
        text,
        "POST /mcp/weather?x=1 HTTP/1.1\r\nhost: mesh.example\r\naccept: text/event-stream\r\n\
         transfer-encoding: chunked\r\n\r\n"
    );
    assert_eq!(body, BodyAs::Chunks);
}

#[test]
fn a_body_keeps_the_length_that_was_said() {
    let rows = [
        (&[][..], true, Ok(BodyAs::None)),
        (&[("content-length", "0")], true, Ok(BodyAs::None)),
        (&[("content-length", "7")], false, Ok(BodyAs::Length(7))),
        (&[("content-length", "7")], true, Err(BadRequest::Length)),
        (&[("content-length", "+7")], false, Err(BadRequest::Length)),
        (&[("content-length", "")], false, Err(BadRequest::Length)),
        (&[("content-length", "99999999999999999999")], false, Err(BadRequest::Length)),
        (&[("content-length", "7"), ("content-length", "7")], false, Err(BadRequest::Length)),
    ];
    for (fields, ends, expected) in rows {
        assert_eq!(told(fields, ends).map(|(_, body)| body), expected, "{fields:?}");
    }
}

#[test]
fn fields_of_a_connection_are_an_error() {
    for (name, value) in [
        ("connection", "close"),
        ("keep-alive", "1"),
        ("proxy-connection", "close"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "websocket"),
        ("te", "gzip"),
    ] {
        assert_eq!(told(&[(name, value)], true), Err(BadRequest::ConnectionField), "{name}");
    }
}

#[test]
fn there_is_one_host() {
    let (text, _) = told(&[("host", "MESH.example")], true).unwrap();
    assert_eq!(text, "POST /mcp/weather?x=1 HTTP/1.1\r\nhost: mesh.example\r\n\r\n");
    assert_eq!(told(&[("host", "other.example")], true), Err(BadRequest::Authority));
    assert_eq!(told(&[("host", "mesh.example"), ("host", "mesh.example")], true), Err(BadRequest::Authority));
    let (bytes, _) = head(&parts("GET", "/mcp", &[("host", "a.example")]), true).unwrap();
    assert_eq!(bytes, b"GET /mcp HTTP/1.1\r\nhost: a.example\r\n\r\n");
    assert_eq!(head(&parts("GET", "/mcp", &[]), true), Err(BadRequest::Authority));
}

#[test]
fn cookies_become_one_field() {
    let (text, _) = told(&[("cookie", "a=1"), ("x", "y"), ("cookie", "b=2")], true).unwrap();
    assert!(text.ends_with("\r\nx: y\r\ncookie: a=1; b=2\r\n\r\n"), "{text}");
}

#[test]
fn tunnels_are_not_opened() {
    assert_eq!(head(&parts("CONNECT", "mesh.example:443", &[]), true), Err(BadRequest::Connect));
}
