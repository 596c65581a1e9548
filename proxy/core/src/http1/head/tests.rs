use super::{NotHttp, RequestHead, ResponseHead};
use crate::http1::field::Name;
use crate::refusal::{Malformed, Refusal};

const REQUEST: &str = "POST /weather/mcp?a=1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}GET /";

fn parse(text: &str) -> Result<RequestHead, Refusal> {
    RequestHead::parse(text.as_bytes().to_vec())
}

#[test]
fn a_head_is_taken_off_the_front_however_it_is_cut() {
    for cut in 0..REQUEST.len() {
        let mut bytes = Vec::new();
        let mut seen = 0;
        let mut head = None;
        for piece in [&REQUEST[..cut], &REQUEST[cut..]] {
            bytes.extend_from_slice(piece.as_bytes());
            if head.is_none() {
                head = RequestHead::take(&mut bytes, seen).unwrap();
                seen = bytes.len();
            }
        }
        let head = head.unwrap();
        assert_eq!(bytes, b"{}GET /", "cut at {cut}");
        assert_eq!((head.method(), head.path(), head.query()), (&b"POST"[..], "/weather/mcp", Some("a=1")));
        assert_eq!(head.fields.first(Name::ContentLength), Some(&b"2"[..]));
    }
}

#[test]
fn a_head_byte_by_byte_is_the_same_head() {
    let mut bytes = Vec::new();
    let mut found = 0;
    for byte in REQUEST.bytes().take(REQUEST.len() - "{}GET /".len()) {
        let seen = bytes.len();
        bytes.push(byte);
        found += usize::from(RequestHead::take(&mut bytes, seen).unwrap().is_some());
    }
    assert_eq!((found, bytes.len()), (1, 0));
}

/// RFC 9112 section 2.2: a server should ignore at least one empty line received prior to the request-line.
#[test]
fn one_empty_line_in_front_does_not_count() {
    let mut bytes = b"\r\nGET / HTTP/1.1\r\n\r\n".to_vec();
    assert_eq!(RequestHead::take(&mut bytes, 0).unwrap().unwrap().path(), "/");
    let mut bytes = b"\r\n".to_vec();
    assert_eq!(RequestHead::take(&mut bytes, 0), Ok(None));
}

#[test]
fn a_line_that_two_servers_could_end_differently_is_refused() {
    let malformed = |text: &str| {
        let mut bytes = text.as_bytes().to_vec();
        RequestHead::take(&mut bytes, 0).err()
    };
    for text in [
        "GET / HTTP/1.1\nHost: a\n\n",
        "GET / HTTP/1.1\r\nHost: a\n",
        "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\r\n: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n",
        "GET / HTTP/2.0\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET /\r\n\r\n",
        "GET  / HTTP/1.1\r\n\r\n",
        "\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        "\x16\x03\x01\r\n\r\n",
    ] {
        assert_eq!(malformed(text), Some(Refusal::Malformed(Malformed::Line)), "{text:?}");
    }
}

#[test]
fn many_fields_are_parsed_and_too_many_refused() {
    let of = |count: usize| parse(&format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(count)));
    assert_eq!(of(64).unwrap().fields.count(), 64);
    assert_eq!(of(512).unwrap().fields.count(), 512);
    assert_eq!(of(513), Err(Refusal::HeadTooLarge));
}

#[test]
fn a_target_may_be_a_whole_url() {
    for (target, authority, path, query) in [
        ("/a/mcp", None, "/a/mcp", None),
        ("/a/mcp?u=http://b/c", None, "/a/mcp", Some("u=http://b/c")),
        ("http://localhost:1/a/mcp?q", Some("localhost:1"), "/a/mcp", Some("q")),
        ("http://localhost", Some("localhost"), "", None),
        ("*", None, "*", None),
        ("http:///a", Some(""), "/a", None),
    ] {
        let head = parse(&format!("GET {target} HTTP/1.1\r\n\r\n")).unwrap();
        assert_eq!((head.target_authority(), head.path(), head.query()), (authority, path, query), "{target}");
    }
}

/// RFC 9112 section 3.2; a fragment is never sent (RFC 9110 section 7.1).
#[test]
fn a_target_is_a_path_or_a_url_with_nothing_in_it_that_must_be_escaped() {
    for target in [
        "a/mcp",
        "localhost:80",
        "?a",
        "#a",
        "ftp://localhost/a",
        "://localhost/a",
        "http:/a",
        "/a#b",
        "/a?b#c",
        "/a?\"",
        "/a?<",
        "/a?>",
        "/a?\u{e9}",
        "http://a/#b",
    ] {
        let refused = parse(&format!("GET {target} HTTP/1.1\r\n\r\n")).err();
        assert_eq!(refused, Some(Refusal::Malformed(Malformed::Target)), "{target}");
    }
    for target in ["/a?b=[c]{d}|e^f`g\\h'i%zz~", "HTTPS://a/b", "/a;b=c,d@e:f!g$h&i*j+k(l)"] {
        assert!(parse(&format!("GET {target} HTTP/1.1\r\n\r\n")).is_ok(), "{target}");
    }
}

#[test]
fn an_answer_is_taken_off_the_front() {
    let mut bytes = b"HTTP/1.1 200 OK\r\nMcp-Session-Id: s\r\n\r\ndata".to_vec();
    let head = ResponseHead::take(&mut bytes).unwrap().unwrap();
    assert_eq!((head.status.as_u16(), head.reason(), head.is_http10), (200, &b"OK"[..], false));
    assert_eq!(head.fields.first(Name::McpSessionId), Some(&b"s"[..]));
    assert_eq!(bytes, b"data");
    assert_eq!(ResponseHead::take(&mut b"HTTP/1.1 200 OK\r\nA: b\r\n".to_vec()), Ok(None));
    let mut plain = b"HTTP/1.0 404\r\n\r\n".to_vec();
    assert!(ResponseHead::take(&mut plain).unwrap().unwrap().is_http10);
}

#[test]
fn what_is_no_answer_is_not_taken_for_one() {
    for text in ["SSH-2.0-x\r\n\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 99 x\r\n\r\n", "HTTP/1.1 2x0 x\r\n\r\n"] {
        assert_eq!(ResponseHead::take(&mut text.as_bytes().to_vec()), Err(NotHttp), "{text:?}");
    }
}
